#include "server/database_service.h"

#include "server/convert.h"
#include "server/pool_status.h"
#include "server/reactors.h"
#include "server/rpc_status.h"

namespace emsdb {
namespace {

// Answers a call that needs no connection at once: `answer` fills the response for a caller whom
// the gateway knows.
template <typename Response, typename Answer>
grpc::ServerUnaryReactor* AnswerAtOnce(Gateway& gateway, const char* rpc,
                                       grpc::CallbackServerContext& context, Response& response,
                                       Answer answer) {
  const auto basics = Admit(rpc, context, gateway, v1::PRIORITY_UNSPECIFIED, kDefaultDeadline);
  const absl::Status status = basics.ok() ? answer(basics->caller) : basics.status();
  if (!status.ok()) {
    response.Clear();
    ReportRefusal(gateway, rpc, context, status);
  }
  grpc::ServerUnaryReactor* reactor = context.DefaultReactor();
  reactor->Finish(ToRpcStatus(status, Duration::zero()));
  return reactor;
}

}  // namespace

grpc::ServerUnaryReactor* DatabaseService::ListDatabases(grpc::CallbackServerContext* context,
                                                         const v1::ListDatabasesRequest*,
                                                         v1::ListDatabasesResponse* response) {
  return AnswerAtOnce(gateway_, "ListDatabases", *context, *response, [&](const Caller& caller) {
    for (const Database* database : DatabasesOf(gateway_, caller)) {
      const DatabaseSettings& settings = database->settings();
      v1::Database& listed = *response->add_databases();
      listed.set_name(settings.name);
      listed.set_engine(ToProto(settings.engine));
      listed.set_location(settings.location);
      listed.set_tier(settings.tier);
      listed.set_reachable(reachability_.reachable(settings.name));
    }
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* DatabaseService::GetPoolStatus(grpc::CallbackServerContext* context,
                                                         const v1::GetPoolStatusRequest* request,
                                                         v1::GetPoolStatusResponse* response) {
  return AnswerAtOnce(gateway_, "GetPoolStatus", *context, *response, [&](const Caller& caller) {
    const auto selected = Selected(gateway_, caller, request->database());
    if (!selected.ok()) return selected.status();
    for (Database* database : *selected) Describe(gateway_, *database, *response->add_pools());
    return absl::OkStatus();
  });
}

WatchReactor* DatabaseService::WatchPoolStatus(grpc::CallbackServerContext* context,
                                               const v1::WatchPoolStatusRequest* request) {
  return watches_.Start(gateway_, *context, *request);
}

}  // namespace emsdb
