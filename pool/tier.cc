#include "pool/tier.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"

namespace emsdb {
namespace {

using std::chrono::seconds;

constexpr int kMostConnections = 10000;
constexpr int kMostWaiters = 10'000'000;
constexpr double kDay = 86400;
constexpr double kYear = 365 * kDay;
constexpr double kMillisecond = 0.001;

const NumberRule kSizeRule = {
    .least = 1,
    .most = kMostConnections,
    .rule =
        "must be a whole number from 1 to 10000 (0, no limit elsewhere, is refused: a pool "
        "without a bound hands the load on to the database)"};
const NumberRule kOverflowRule = {
    .least = 0,
    .most = kMostConnections,
    .rule =
        "must be a whole number from 0 to 10000 (-1, no limit elsewhere, is refused: overflow "
        "without a bound hands the load on to the database)"};
const SecondsRule kTimeoutRule = {
    .least = 0, .most = kDay, .rule = "must be seconds from 0 (answer at once) to 86400"};
const SecondsRule kRecycleRule = {
    .least = kMillisecond,
    .most = kYear,
    .rule = "must be seconds from 0.001 to 31536000, or -1 for never"};
const SecondsRule kWindowRule = {
    .least = 0, .most = kDay, .rule = "must be seconds from 0 (ping before every use) to 86400"};
const NumberRule kWaitersRule = {
    .least = 0,
    .most = kMostWaiters,
    .rule = "must be a whole number from 0 (nobody waits) to 10000000"};
const NumberRule kLeasedRule = {
    .least = 1, .most = 2 * kMostConnections, .rule = "must be a whole number from 1 to 20000"};

// Reads one variable; nothing if it is not set or wrong.
std::optional<int> Size(SettingReader& reader, const std::string& name) {
  return reader.WholeNumber(name, kSizeRule);
}

std::optional<int> Overflow(SettingReader& reader, const std::string& name) {
  return reader.WholeNumber(name, kOverflowRule);
}

std::optional<Duration> Timeout(SettingReader& reader, const std::string& name) {
  return reader.Seconds(name, kTimeoutRule);
}

// The inner optional is PoolLimits::recycle, none for never.
std::optional<std::optional<Duration>> Recycle(SettingReader& reader, const std::string& name) {
  const auto text = reader.settings().find(name);
  if (text != reader.settings().end() && text->second == "-1") return std::optional<Duration>();
  const std::optional<Duration> age = reader.Seconds(name, kRecycleRule);
  if (!age) return std::nullopt;
  return age;
}

const Tier* NamedTier(SettingReader& reader, const std::string& name) {
  std::vector<std::string> words;
  for (const Tier& tier : Tiers()) words.push_back(tier.name);
  const std::optional<std::size_t> place = reader.OneOf(name, words);
  return place ? &Tiers()[*place] : nullptr;
}

// The tier's numbers over the defaults.
ChosenLimits FromTier(const Tier* tier) {
  ChosenLimits chosen;
  if (!tier) return chosen;
  chosen.tier = tier->name;
  chosen.limits.size = tier->size;
  chosen.limits.overflow = tier->overflow;
  chosen.limits.timeout = tier->timeout;
  chosen.limits.recycle = tier->recycle;
  return chosen;
}

// `read` of both variables, the database's own first; both are read, so that both are checked.
template <typename Read, typename Value>
void Choose(SettingReader& reader, const std::string& prefix, const std::string& name, Read read,
            Value& value) {
  const auto own = read(reader, prefix + name);
  const auto shared = read(reader, name);
  if (own) {
    value = *own;
  } else if (shared) {
    value = *shared;
  }
}

void ChooseSharedOnly(SettingReader& reader, PoolLimits& limits) {
  if (const auto window = reader.Seconds("DB_POOL_PRE_PING_WINDOW", kWindowRule)) {
    limits.pre_ping_window = *window;
  }
  if (const auto lifo = reader.OneOf("DB_POOL_USE_LIFO", {"0", "1"})) {
    limits.idle_order = *lifo == 1 ? IdleOrder::kMostRecentFirst : IdleOrder::kLeastRecentFirst;
  }
  if (const auto waiters = reader.WholeNumber("EMSDB_MAX_WAITERS", kWaitersRule)) {
    limits.max_waiters = *waiters;
  }
  if (const auto leased = reader.WholeNumber("EMSDB_MAX_LEASED", kLeasedRule)) {
    limits.max_leased = *leased;
  }
  if (const auto refuse = reader.OneOf("EMSDB_REFUSE_HOPELESS", {"0", "1"})) {
    limits.refuse_hopeless = *refuse == 1;
  }
  limits.group_reads = reader.OneOf("EMSDB_GROUP_READS", {"0", "1"}).value_or(1) == 1;
}

}  // namespace

const std::vector<Tier>& Tiers() {
  static const auto& tiers = *new std::vector<Tier>{{.name = "pilot",
                                                     .size = 10,
                                                     .overflow = 20,
                                                     .timeout = seconds(30),
                                                     .recycle = seconds(1800)},
                                                    {.name = "medium",
                                                     .size = 20,
                                                     .overflow = 40,
                                                     .timeout = seconds(30),
                                                     .recycle = seconds(1800)},
                                                    {.name = "large",
                                                     .size = 50,
                                                     .overflow = 100,
                                                     .timeout = seconds(45),
                                                     .recycle = seconds(1800)}};
  return tiers;
}

ChosenLimits ChooseLimits(SettingReader& reader, const std::string& database) {
  const std::string prefix = VariablePrefix(database);
  const Tier* own_tier = NamedTier(reader, prefix + "DB_TIER");
  const Tier* shared_tier = NamedTier(reader, "DB_TIER");
  ChosenLimits chosen = FromTier(own_tier ? own_tier : shared_tier);
  Choose(reader, prefix, "DB_POOL_SIZE", Size, chosen.limits.size);
  Choose(reader, prefix, "DB_MAX_OVERFLOW", Overflow, chosen.limits.overflow);
  Choose(reader, prefix, "DB_POOL_TIMEOUT", Timeout, chosen.limits.timeout);
  Choose(reader, prefix, "DB_POOL_RECYCLE", Recycle, chosen.limits.recycle);
  ChooseSharedOnly(reader, chosen.limits);
  return chosen;
}

std::vector<std::string> PoolVariables() {
  return {"DB_POOL_SIZE",          "DB_MAX_OVERFLOW",  "DB_POOL_TIMEOUT",
          "DB_POOL_RECYCLE",       "DB_TIER",          "DB_POOL_USE_LIFO",
          "EMSDB_MAX_WAITERS",     "EMSDB_MAX_LEASED", "DB_POOL_PRE_PING_WINDOW",
          "EMSDB_REFUSE_HOPELESS", "EMSDB_GROUP_READS"};
}

std::vector<std::string> PoolVariablesOf(const std::string& database) {
  const std::string prefix = VariablePrefix(database);
  return {prefix + "DB_POOL_SIZE", prefix + "DB_MAX_OVERFLOW", prefix + "DB_POOL_TIMEOUT",
          prefix + "DB_POOL_RECYCLE", prefix + "DB_TIER"};
}

std::string VariablePrefix(const std::string& database) {
  return absl::AsciiStrToUpper(database) + "_";
}

}  // namespace emsdb
