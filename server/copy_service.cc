#include "server/copy_service.h"

#include <memory>
#include <string>
#include <utility>

#include "pool/errors.h"
#include "pool/utf8.h"
#include "server/copy_call.h"
#include "server/copy_reactor.h"

namespace emsdb {
namespace {

// What the log and the holder's name say in place of a statement.
std::string Fingerprint(const v1::CopyInStart& start) {
  constexpr std::size_t kMostBytes = 200;
  std::string text = "CopyIn ";
  if (!start.schema().empty()) text += start.schema() + '.';
  text += start.table();
  return Shortened(text, kMostBytes);
}

absl::Status StartCopy(Gateway& gateway, grpc::CallbackServerContext& context, CopyReactor& reactor,
                       v1::CopyInRequest& first, v1::CopyInResponse& response) {
  const v1::CopyInStart& start = first.start();
  auto basics = Admit("CopyIn", context, gateway, start.priority(), kDefaultStreamDeadline);
  if (!basics.ok()) return std::move(basics).status();
  if (!first.has_start()) return InvalidField("start", "wanted in the first request");
  if (absl::Status allowed = CheckMayWrite(basics->caller); !allowed.ok()) return allowed;
  const auto database = FindDatabase(gateway, basics->caller, start.database());
  if (!database.ok()) return database.status();
  basics->database = (*database)->settings().name;
  basics->options.statement = Fingerprint(start);
  auto call = std::make_shared<CopyCall>(gateway, *std::move(basics), reactor, first, response);
  reactor.Attach(call);
  call->Start((*database)->PoolFor(Access::kReadWrite), Purpose::kStatement);
  return absl::OkStatus();
}

}  // namespace

grpc::ServerReadReactor<v1::CopyInRequest>* CopyService::CopyIn(
    grpc::CallbackServerContext* context, v1::CopyInResponse* response) {
  OpenCalls::Entry entry = gateway_.open_calls.Enter();
  const bool entered = static_cast<bool>(entry);
  // Deletes itself in OnDone, which follows every end.
  auto* reactor =
      new CopyReactor(std::move(entry), gateway_, *context,
                      [this, context, response](CopyReactor& started, v1::CopyInRequest& first) {
                        return StartCopy(gateway_, *context, started, first, *response);
                      });
  if (entered) {
    reactor->ReadFirst();
  } else {
    reactor->Refuse(OpenCalls::ShuttingDown());
  }
  return reactor;
}

}  // namespace emsdb
