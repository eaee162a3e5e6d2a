#include "pool/postgres/statement_cache.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "absl/strings/str_format.h"
#include "pool/sql_lexer.h"
#include "pool/statement_text.h"

namespace emsdb {
namespace {

// Places for what was seen once, for each that can be prepared.
constexpr std::size_t kSeenForEach = 8;

std::uint64_t KeyOf(std::string_view sql, std::span<const std::uint32_t> types) {
  std::uint64_t key = std::hash<std::string_view>()(sql);
  for (const std::uint32_t type : types) key = (key ^ type) * 0x9E3779B97F4A7C15ULL;
  return key == 0 ? 1 : key;
}

bool IsOneOf(std::string_view word, std::span<const std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Names of a time that is read from the clock, or a part of such a literal.
bool NamesATime(std::string_view literal) {
  constexpr auto kTimes =
      std::to_array<std::string_view>({"NOW", "TODAY", "TOMORROW", "YESTERDAY"});
  const std::string text = UpperCase(literal);
  return std::any_of(kTimes.begin(), kTimes.end(),
                     [&](std::string_view time) { return text.find(time) != std::string::npos; });
}

}  // namespace

StatementCache::StatementCache(std::size_t capacity)
    : capacity_(capacity), seen_(capacity * kSeenForEach) {}

StatementCache::Use StatementCache::Next(std::string_view sql, std::span<const std::uint32_t> types,
                                         Instant now) {
  if (capacity_ == 0 || sql.size() > kLongestText) return {};
  const std::uint64_t key = KeyOf(sql, types);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    Entry& entry = *found->second;
    // Two texts with one key: the second one is never prepared.
    if (entry.sql != sql ||
        !std::equal(types.begin(), types.end(), entry.types.begin(), entry.types.end())) {
      return {};
    }
    entries_.splice(entries_.begin(), entries_, found->second);
    if (entry.epoch == epoch_ && now - entry.prepared_at < kTrusted) {
      return {Form::kPrepared, entry.name, key};
    }
    if (to_drop_.size() >= kMostToDrop) return {};
    to_drop_.push_back(std::move(entry.name));
    Prepare(entry, now);
    return {Form::kPrepare, entry.name, key};
  }
  if (!SeenBefore(key) || to_drop_.size() >= kMostToDrop || !MayBePrepared(sql)) return {};
  if (entries_.size() >= capacity_) Drop(std::prev(entries_.end()));
  entries_.push_front({.key = key,
                       .sql = std::string(sql),
                       .types = {types.begin(), types.end()},
                       .name = {},
                       .prepared_at = now,
                       .epoch = epoch_});
  Prepare(entries_.front(), now);
  by_key_[key] = entries_.begin();
  return {Form::kPrepare, entries_.front().name, key};
}

void StatementCache::Prepare(Entry& entry, Instant now) {
  entry.name = absl::StrFormat("emsdb_s%d", next_name_++);
  entry.prepared_at = now;
  entry.epoch = epoch_;
}

bool StatementCache::SeenBefore(std::uint64_t key) {
  std::uint64_t& place = seen_[key % seen_.size()];
  return std::exchange(place, key) == key;
}

void StatementCache::Drop(Entries::iterator entry) {
  to_drop_.push_back(std::move(entry->name));
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

void StatementCache::NotPrepared(const Use& use) {
  const auto found = by_key_.find(use.key);
  if (found == by_key_.end() || found->second->name != use.name) return;
  entries_.erase(found->second);
  by_key_.erase(found);
}

void StatementCache::Forget(const Use& use) {
  const auto found = by_key_.find(use.key);
  if (found != by_key_.end() && found->second->name == use.name) Drop(found->second);
}

void StatementCache::Clear() {
  entries_.clear();
  by_key_.clear();
  to_drop_.clear();
}

std::vector<std::string> StatementCache::TakeToDrop() { return std::exchange(to_drop_, {}); }

bool MayBePrepared(std::string_view sql) {
  constexpr auto kQueries = std::to_array<std::string_view>(
      {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "VALUES", "TABLE"});
  if (!IsOneOf(LeadingKeyword(sql), kQueries)) return false;
  SqlLexer lexer(sql);
  for (Token token = lexer.Next(); token.kind != TokenKind::kEnd; token = lexer.Next()) {
    if (token.kind == TokenKind::kLiteral && NamesATime(token.text)) return false;
  }
  return true;
}

bool MayChangeSchema(std::string_view keyword) {
  constexpr auto kChanges = std::to_array<std::string_view>(
      {"ALTER", "CREATE", "DROP", "DO", "CALL", "SECURITY", "IMPORT", "REASSIGN"});
  return IsOneOf(keyword, kChanges);
}

}  // namespace emsdb
