// gRPC's callbacks to pool/call and back. A unary call is a UnaryCall: a Call that owns what its
// RPC needs, and a reactor that passes the caller's leaving on. Nothing here blocks.
#ifndef EMSDB_SERVER_REACTORS_H_
#define EMSDB_SERVER_REACTORS_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "pool/call.h"
#include "server/admission.h"
#include "server/caller.h"
#include "server/commit_witness.h"
#include "server/convert.h"
#include "server/gateway.h"
#include "server/rpc_status.h"

namespace emsdb {

// A call that answers over gRPC: writes its line into the journal, and finishes its reactor.
class RpcCall : public Call {
 public:
  RpcCall(Gateway& gateway, CallBasics basics)
      : Call(std::move(basics.options), gateway.pools.clock()),
        gateway_(gateway),
        basics_(std::move(basics)) {}

 protected:
  Gateway& gateway() { return gateway_; }
  const CallBasics& basics() const { return basics_; }  // its options are options() now
  RunOptions run_options(Access access) const { return {access, basics_.caller.name}; }

  // What the statement has bound that `status` is about, for the log: asked for only where values
  // may be shown.
  virtual Fields BoundValues(const absl::Status& /*status*/) const { return {}; }

  void Report(const absl::Status& status, const CallTimes& times) {
    FinishedCall finished{basics_.rpc, basics_.database, basics_.caller, options().statement,
                          times};
    if (gateway_.bind_values == BindValues::kShown) {
      finished.values = [this, &status] { return BoundValues(status); };
    }
    gateway_.journal.Finished(finished, status);
  }

 private:
  Gateway& gateway_;
  const CallBasics basics_;
};

// Holds the call from its start to gRPC's OnDone, and deletes itself then.
class UnaryReactor final : public grpc::ServerUnaryReactor, public CommitAnnouncer {
 public:
  UnaryReactor(OpenCalls::Entry entry, grpc::CallbackServerContext& context, Clock& clock)
      : entry_(std::move(entry)), context_(context), clock_(clock) {}

  // Before anything of the call may run.
  void Attach(std::shared_ptr<Call> call) { call_ = std::move(call); }

  // Before Finish, at most once.
  absl::Status Announce(const std::string& token, const Bounds& bounds) override;

  void OnSendInitialMetadataDone(bool ok) override;
  // May come after Finish, when it does nothing.
  void OnCancel() override;
  void OnDone() override { delete this; }
  // gRPC's word for: OnDone and OnCancel never block, so they need no other thread. Without it each
  // call wakes gRPC's executor once more than the call itself does.
  bool InternalInlineable() override { return true; }

 private:
  enum class Token { kOnItsWay, kWritten, kLost };

  const OpenCalls::Entry entry_;
  grpc::CallbackServerContext& context_;
  Clock& clock_;
  std::shared_ptr<Call> call_;

  Mutex mutex_;
  CondVar changed_;
  Token token_ ABSL_GUARDED_BY(mutex_) = Token::kOnItsWay;
};

// A unary RPC's call. `Response` is gRPC's and lives until the reactor is finished.
template <typename Response>
class UnaryCall : public RpcCall, public Repeatable {
 public:
  UnaryCall(Gateway& gateway, CallBasics basics, UnaryReactor& reactor, Response& response)
      : RpcCall(gateway, std::move(basics)), reactor_(reactor), response_(response) {}

  std::optional<std::string> AnswerWithin(std::size_t most) const override {
    if (response_.ByteSizeLong() > most) return std::nullopt;
    return response_.SerializeAsString();
  }
  void Repeat(const std::string& answer) override { response_.ParseFromString(answer); }

 protected:
  Response& response() { return response_; }
  const Response& response() const { return response_; }
  CommitAnnouncer& announcer() { return reactor_; }

  void Finish(absl::Status status, const CallTimes& times) override {
    Report(status, times);
    if (!status.ok()) response_.Clear();
    reactor_.Finish(ToRpcStatus(status, times.waiting + times.running));
  }

 private:
  UnaryReactor& reactor_;
  Response& response_;
};

// Tells the journal of a request that was refused before any call was made of it.
void ReportRefusal(Gateway& gateway, const char* rpc, const grpc::ServerContextBase& context,
                   const absl::Status& status);

// Serves a unary RPC: `start` attaches a call to the reactor and starts it, or says why not.
template <typename Start>
grpc::ServerUnaryReactor* ServeUnary(Gateway& gateway, const char* rpc,
                                     grpc::CallbackServerContext& context, Start start) {
  OpenCalls::Entry entry = gateway.open_calls.Enter();
  const bool entered = static_cast<bool>(entry);
  // Deletes itself in OnDone, which follows every Finish.
  auto* reactor = new UnaryReactor(std::move(entry), context, gateway.pools.clock());
  const absl::Status status = entered ? start(*reactor) : OpenCalls::ShuttingDown();
  if (!status.ok()) {
    ReportRefusal(gateway, rpc, context, status);
    reactor->Finish(ToRpcStatus(status, Duration::zero()));
  }
  return reactor;
}

}  // namespace emsdb

#endif  // EMSDB_SERVER_REACTORS_H_
