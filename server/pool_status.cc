#include "server/pool_status.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>

#include "server/convert.h"

namespace emsdb {
namespace {

using google::protobuf::util::TimeUtil;

constexpr int kMostHolders = 10;

google::protobuf::Duration ToProto(Duration duration) {
  return TimeUtil::NanosecondsToDuration(duration.count());
}

void DescribeLimits(const PoolLimits& limits, v1::PoolStatus& status) {
  status.set_size(limits.size);
  status.set_max_overflow(limits.overflow);
  *status.mutable_timeout() = ToProto(limits.timeout);
  if (limits.recycle) *status.mutable_recycle() = ToProto(*limits.recycle);
}

v1::PoolState StateOf(PoolMode mode) {
  switch (mode) {
    case PoolMode::kRunning:
      return v1::POOL_STATE_RUNNING;
    case PoolMode::kPaused:
      return v1::POOL_STATE_PAUSED;
    case PoolMode::kDown:
      return v1::POOL_STATE_DOWN;
    case PoolMode::kDraining:
      return v1::POOL_STATE_DRAINING;
  }
  return v1::POOL_STATE_UNSPECIFIED;
}

void AddHolders(const Pool& pool, v1::PoolStatus& status) {
  for (const HeldConnection& held : pool.holders(kMostHolders)) {
    v1::PoolHolder& holder = *status.add_holders();
    holder.set_caller(held.who.caller);
    holder.set_statement(held.who.statement);
    *holder.mutable_held() = ToProto(held.held);
    holder.set_transaction(held.purpose == Purpose::kLease);
  }
}

// Those of the readers and those of the writer as one list, the longest first.
void KeepTheLongest(v1::PoolStatus& status) {
  auto& holders = *status.mutable_holders();
  std::stable_sort(holders.begin(), holders.end(),
                   [](const v1::PoolHolder& a, const v1::PoolHolder& b) {
                     return TimeUtil::DurationToNanoseconds(a.held()) >
                            TimeUtil::DurationToNanoseconds(b.held());
                   });
  if (holders.size() > kMostHolders) {
    holders.DeleteSubrange(kMostHolders, holders.size() - kMostHolders);
  }
}

void DescribeNumbers(const PoolNumbers& numbers, v1::PoolStatus& status) {
  status.set_idle(numbers.counts.idle);
  status.set_leased(numbers.counts.leased);
  status.set_opening(numbers.counts.opening);
  status.set_waiting(numbers.counts.waiting);
  status.set_opened_total(numbers.opened_total);
  status.set_timeouts_total(numbers.timeouts_total);
  status.set_stale_total(numbers.stale_total);
  status.set_last_connect_error(numbers.last_connect_error);
  status.set_state(StateOf(numbers.mode));
  if (numbers.mode == PoolMode::kDown) {
    *status.mutable_down_for() = ToProto(numbers.down_for);
    *status.mutable_next_attempt() = ToProto(numbers.next_attempt);
  }
  if (numbers.counts.waiting > 0) *status.mutable_longest_wait() = ToProto(numbers.longest_wait);
}

}  // namespace

void Describe(Gateway& gateway, Database& database, v1::PoolStatus& status) {
  const DatabaseSettings& settings = database.settings();
  status.set_database(settings.name);
  status.set_engine(emsdb::ToProto(settings.engine));
  status.set_tier(settings.tier);
  DescribeLimits(database.pool().limits(), status);
  DescribeNumbers(database.pool().numbers(), status);
  status.set_transactions(gateway.pools.transactions().OpenIn(settings.name));
  AddHolders(database.pool(), status);
  if (const Pool* writer = database.writer()) {
    AddHolders(*writer, status);
    const PoolState::Counts counts = writer->numbers().counts;
    status.mutable_writer()->set_leased(counts.leased);
    status.mutable_writer()->set_waiting(counts.waiting);
  }
  KeepTheLongest(status);
}

absl::StatusOr<std::vector<Database*>> Selected(Gateway& gateway, const Caller& caller,
                                                const std::string& name) {
  if (name.empty()) return DatabasesOf(gateway, caller);
  const auto found = FindDatabase(gateway, caller, name);
  if (!found.ok()) return found.status();
  return std::vector<Database*>{*found};
}

}  // namespace emsdb
