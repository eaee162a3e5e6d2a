#include "server/database_service.h"

#include <google/protobuf/util/time_util.h>

#include "server/convert.h"
#include "server/rpc_status.h"

namespace emsdb {
namespace {

using google::protobuf::util::TimeUtil;

void Describe(const Database& database, int transactions, v1::PoolStatus& status) {
  const DatabaseSettings& settings = database.settings();
  const PoolLimits& limits = database.pool().limits();
  const PoolNumbers numbers = database.pool().numbers();
  status.set_database(settings.name);
  status.set_engine(ToProto(settings.engine));
  status.set_tier(settings.tier);
  status.set_size(limits.size);
  status.set_max_overflow(limits.overflow);
  *status.mutable_timeout() = TimeUtil::NanosecondsToDuration(limits.timeout.count());
  if (limits.recycle) {
    *status.mutable_recycle() = TimeUtil::NanosecondsToDuration(limits.recycle->count());
  }
  status.set_idle(numbers.counts.idle);
  status.set_leased(numbers.counts.leased);
  status.set_opening(numbers.counts.opening);
  status.set_waiting(numbers.counts.waiting);
  status.set_transactions(transactions);
  status.set_opened_total(numbers.opened_total);
  status.set_timeouts_total(numbers.timeouts_total);
  status.set_stale_total(numbers.stale_total);
  status.set_last_connect_error(numbers.last_connect_error);
  if (const Pool* writer = database.writer()) {
    const PoolState::Counts counts = writer->numbers().counts;
    status.mutable_writer()->set_leased(counts.leased);
    status.mutable_writer()->set_waiting(counts.waiting);
  }
}

grpc::ServerUnaryReactor* Done(grpc::CallbackServerContext& context, const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context.DefaultReactor();
  reactor->Finish(ToRpcStatus(status, Duration::zero()));
  return reactor;
}

}  // namespace

grpc::ServerUnaryReactor* DatabaseService::ListDatabases(grpc::CallbackServerContext* context,
                                                         const v1::ListDatabasesRequest*,
                                                         v1::ListDatabasesResponse* response) {
  for (const Database* database : gateway_.pools.databases()) {
    const DatabaseSettings& settings = database->settings();
    v1::Database& listed = *response->add_databases();
    listed.set_name(settings.name);
    listed.set_engine(ToProto(settings.engine));
    listed.set_location(settings.location);
    listed.set_tier(settings.tier);
    listed.set_reachable(reachability_.reachable(settings.name));
  }
  return Done(*context, absl::OkStatus());
}

grpc::ServerUnaryReactor* DatabaseService::GetPoolStatus(grpc::CallbackServerContext* context,
                                                         const v1::GetPoolStatusRequest* request,
                                                         v1::GetPoolStatusResponse* response) {
  std::vector<Database*> wanted = gateway_.pools.databases();
  if (!request->database().empty()) {
    const auto found = gateway_.pools.Find(request->database());
    if (!found.ok()) return Done(*context, found.status());
    wanted = {*found};
  }
  for (const Database* database : wanted) {
    const int transactions = gateway_.pools.transactions().OpenIn(database->settings().name);
    Describe(*database, transactions, *response->add_pools());
  }
  return Done(*context, absl::OkStatus());
}

}  // namespace emsdb
