#include "server/pool_status.h"

#include <google/protobuf/util/time_util.h>

#include "server/convert.h"

namespace emsdb {
namespace {

using google::protobuf::util::TimeUtil;

google::protobuf::Duration ToProto(Duration duration) {
  return TimeUtil::NanosecondsToDuration(duration.count());
}

void DescribeLimits(const PoolLimits& limits, v1::PoolStatus& status) {
  status.set_size(limits.size);
  status.set_max_overflow(limits.overflow);
  *status.mutable_timeout() = ToProto(limits.timeout);
  if (limits.recycle) *status.mutable_recycle() = ToProto(*limits.recycle);
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
  if (const Pool* writer = database.writer()) {
    const PoolState::Counts counts = writer->numbers().counts;
    status.mutable_writer()->set_leased(counts.leased);
    status.mutable_writer()->set_waiting(counts.waiting);
  }
}

absl::StatusOr<std::vector<Database*>> Selected(Gateway& gateway, const Caller& caller,
                                                const std::string& name) {
  if (name.empty()) return DatabasesOf(gateway, caller);
  const auto found = FindDatabase(gateway, caller, name);
  if (!found.ok()) return found.status();
  return std::vector<Database*>{*found};
}

}  // namespace emsdb
