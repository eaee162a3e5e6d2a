#include "server/database_service.h"

#include "server/convert.h"
#include "server/operators.h"
#include "server/pool_status.h"
#include "server/reactors.h"
#include "server/rpc_status.h"

namespace emsdb {
namespace {

// None of these calls needs a connection: they are answered at once.
grpc::ServerUnaryReactor* Answer(Gateway& gateway, const char* rpc,
                                 grpc::CallbackServerContext& context, const absl::Status& status) {
  if (!status.ok()) ReportRefusal(gateway, rpc, context, status);
  grpc::ServerUnaryReactor* reactor = context.DefaultReactor();
  reactor->Finish(ToRpcStatus(status, Duration::zero()));
  return reactor;
}

absl::StatusOr<Caller> Identify(Gateway& gateway, const char* rpc,
                                const grpc::ServerContextBase& context) {
  auto basics = Admit(rpc, context, gateway, v1::PRIORITY_UNSPECIFIED, kDefaultDeadline);
  if (!basics.ok()) return std::move(basics).status();
  return std::move(basics->caller);
}

}  // namespace

grpc::ServerUnaryReactor* DatabaseService::ListDatabases(grpc::CallbackServerContext* context,
                                                         const v1::ListDatabasesRequest*,
                                                         v1::ListDatabasesResponse* response) {
  static constexpr char kRpc[] = "ListDatabases";
  const auto caller = Identify(gateway_, kRpc, *context);
  if (!caller.ok()) return Answer(gateway_, kRpc, *context, caller.status());
  for (const Database* database : DatabasesOf(gateway_, *caller)) {
    const DatabaseSettings& settings = database->settings();
    v1::Database& listed = *response->add_databases();
    listed.set_name(settings.name);
    listed.set_engine(ToProto(settings.engine));
    listed.set_location(settings.location);
    listed.set_tier(settings.tier);
    listed.set_reachable(reachability_.reachable(settings.name));
  }
  return Answer(gateway_, kRpc, *context, absl::OkStatus());
}

grpc::ServerUnaryReactor* DatabaseService::GetPoolStatus(grpc::CallbackServerContext* context,
                                                         const v1::GetPoolStatusRequest* request,
                                                         v1::GetPoolStatusResponse* response) {
  static constexpr char kRpc[] = "GetPoolStatus";
  const auto caller = Identify(gateway_, kRpc, *context);
  if (!caller.ok()) return Answer(gateway_, kRpc, *context, caller.status());
  const auto selected = Selected(gateway_, *caller, request->database());
  if (!selected.ok()) return Answer(gateway_, kRpc, *context, selected.status());
  for (Database* database : *selected) Describe(gateway_, *database, *response->add_pools());
  return Answer(gateway_, kRpc, *context, absl::OkStatus());
}

WatchReactor* DatabaseService::WatchPoolStatus(grpc::CallbackServerContext* context,
                                               const v1::WatchPoolStatusRequest* request) {
  return watches_.Start(gateway_, *context, *request);
}

grpc::ServerUnaryReactor* DatabaseService::PausePool(grpc::CallbackServerContext* context,
                                                     const v1::PausePoolRequest* request,
                                                     v1::PausePoolResponse* response) {
  static constexpr char kRpc[] = "PausePool";
  return Answer(
      gateway_, kRpc, *context,
      Operate(gateway_, kRpc, *context, request->database(), *response->mutable_pool(), &Pause));
}

grpc::ServerUnaryReactor* DatabaseService::ResumePool(grpc::CallbackServerContext* context,
                                                      const v1::ResumePoolRequest* request,
                                                      v1::ResumePoolResponse* response) {
  static constexpr char kRpc[] = "ResumePool";
  return Answer(
      gateway_, kRpc, *context,
      Operate(gateway_, kRpc, *context, request->database(), *response->mutable_pool(), &Resume));
}

grpc::ServerUnaryReactor* DatabaseService::ReconnectPool(grpc::CallbackServerContext* context,
                                                         const v1::ReconnectPoolRequest* request,
                                                         v1::ReconnectPoolResponse* response) {
  static constexpr char kRpc[] = "ReconnectPool";
  return Answer(gateway_, kRpc, *context,
                Operate(gateway_, kRpc, *context, request->database(), *response->mutable_pool(),
                        &Reconnect));
}

grpc::ServerUnaryReactor* DatabaseService::ResizePool(grpc::CallbackServerContext* context,
                                                      const v1::ResizePoolRequest* request,
                                                      v1::ResizePoolResponse* response) {
  static constexpr char kRpc[] = "ResizePool";
  return Answer(gateway_, kRpc, *context,
                Operate(gateway_, kRpc, *context, request->database(), *response->mutable_pool(),
                        [&](Database& database) { return Resize(database, *request); }));
}

}  // namespace emsdb
