#include "server/transaction_service.h"

#include <google/protobuf/util/time_util.h>

#include <utility>

#include "server/outcome_call.h"
#include "server/statement_call.h"
#include "server/transact_reactor.h"
#include "server/transaction_use.h"

namespace emsdb {
namespace {

using google::protobuf::util::TimeUtil;

google::protobuf::Timestamp FromNow(Duration duration) {
  const auto at = std::chrono::system_clock::now().time_since_epoch() + duration;
  return TimeUtil::NanosecondsToTimestamp(
      std::chrono::duration_cast<std::chrono::nanoseconds>(at).count());
}

class BeginCall final : public UnaryCall<v1::BeginTransactionResponse> {
 public:
  BeginCall(Gateway& gateway, CallBasics basics, UnaryReactor& reactor,
            grpc::CallbackServerContext& context, v1::BeginTransactionResponse& response,
            Beginning beginning)
      : UnaryCall(gateway, std::move(basics), reactor, response),
        context_(context),
        beginning_(std::move(beginning)) {}

 protected:
  absl::Status Run(Connection& connection, const Bounds& bounds, Lease& lease) override {
    absl::Status begun =
        connection.Begin(beginning_.options, run_options(beginning_.options.access), bounds);
    if (!begun.ok()) return begun;
    *response().mutable_idle_expiry() = FromNow(beginning_.terms.idle_timeout);
    *response().mutable_total_expiry() = FromNow(beginning_.terms.total_timeout);
    begun_.id = gateway().pools.transactions().Add(std::move(lease), beginning_.terms);
    response().set_transaction_id(begun_.id);
    return begun;
  }

  void Finish(absl::Status status, const CallTimes& times) override {
    if (context_.IsCancelled()) begun_.Abandon(gateway());
    UnaryCall::Finish(std::move(status), times);
  }

  void LeftAfterAnswer() override { begun_.Abandon(gateway()); }

 private:
  grpc::CallbackServerContext& context_;
  const Beginning beginning_;
  BegunTransaction begun_;
};

class CommitCall final : public UnaryCall<v1::CommitTransactionResponse> {
 public:
  using UnaryCall::UnaryCall;

 protected:
  absl::Status Run(Connection& connection, const Bounds& bounds, Lease&) override {
    TokenWitness witness(basics().database, announcer());
    return witness.Marked(connection.Commit(bounds, &witness));
  }
};

class RollBackCall final : public UnaryCall<v1::RollbackTransactionResponse> {
 public:
  using UnaryCall::UnaryCall;

 protected:
  absl::Status Run(Connection& connection, const Bounds& bounds, Lease&) override {
    const absl::Status status = connection.RollBack(bounds);
    // Without its connection the transaction is undone all the same, by the server.
    return connection.broken() ? absl::OkStatus() : status;
  }
};

class SavepointCall final : public UnaryCall<v1::SavepointResponse> {
 public:
  SavepointCall(Gateway& gateway, CallBasics basics, UnaryReactor& reactor,
                v1::SavepointResponse& response, SavepointAction action)
      : UnaryCall(gateway, std::move(basics), reactor, response), action_(std::move(action)) {}

 protected:
  absl::Status Run(Connection& connection, const Bounds& bounds, Lease&) override {
    return connection.Savepoint(action_, bounds);
  }

 private:
  const SavepointAction action_;
};

// What these calls ask of their transaction.
struct Request {
  const google::protobuf::Message& message;
  const std::string& id;
  std::uint64_t sequence;
  TransactionStep step;
};

// A call inside a transaction: they differ in what they run and in nothing else.
template <typename InnerCall, typename Response, typename... Work>
absl::Status StartInside(Gateway& gateway, const char* rpc, grpc::CallbackServerContext& context,
                         const Request& request, Response& response, UnaryReactor& reactor,
                         Work... work) {
  auto basics = Admit(rpc, context, gateway, v1::PRIORITY_UNSPECIFIED, kDefaultDeadline);
  if (!basics.ok()) return std::move(basics).status();
  const std::string owner = basics->caller.owner();
  if (const auto database = gateway.pools.transactions().DatabaseOf(request.id, owner)) {
    basics->database = *database;
  }
  auto call = std::make_shared<InnerCall>(gateway, *std::move(basics), reactor, response,
                                          std::move(work)...);
  reactor.Attach(call);
  gateway.pools.transactions().Run(
      MakeUse(request.id, owner, request.step, request.sequence, request.message, *call), call);
  return absl::OkStatus();
}

}  // namespace

grpc::ServerUnaryReactor* TransactionService::BeginTransaction(
    grpc::CallbackServerContext* context, const v1::BeginTransactionRequest* request,
    v1::BeginTransactionResponse* response) {
  static constexpr char kRpc[] = "BeginTransaction";
  return ServeUnary(gateway_, kRpc, *context, [&](UnaryReactor& reactor) -> absl::Status {
    auto basics = Admit(kRpc, *context, gateway_, request->priority(), kDefaultDeadline);
    if (!basics.ok()) return std::move(basics).status();
    auto database = FindDatabase(gateway_, basics->caller, request->database());
    if (!database.ok()) return std::move(database).status();
    basics->database = (*database)->settings().name;
    basics->options.statement = "BEGIN";
    auto beginning = ToBeginning(request->options(), *basics, "options");
    if (!beginning.ok()) return std::move(beginning).status();
    Pool& pool = (*database)->PoolFor(beginning->options.access);
    auto call = std::make_shared<BeginCall>(gateway_, *std::move(basics), reactor, *context,
                                            *response, *std::move(beginning));
    reactor.Attach(call);
    call->Start(pool, Purpose::kLease);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* TransactionService::CommitTransaction(
    grpc::CallbackServerContext* context, const v1::CommitTransactionRequest* request,
    v1::CommitTransactionResponse* response) {
  static constexpr char kRpc[] = "CommitTransaction";
  return ServeUnary(gateway_, kRpc, *context, [&](UnaryReactor& reactor) {
    return StartInside<CommitCall>(
        gateway_, kRpc, *context,
        {*request, request->transaction_id(), request->sequence(), TransactionStep::kCommit},
        *response, reactor);
  });
}

grpc::ServerUnaryReactor* TransactionService::RollbackTransaction(
    grpc::CallbackServerContext* context, const v1::RollbackTransactionRequest* request,
    v1::RollbackTransactionResponse* response) {
  static constexpr char kRpc[] = "RollbackTransaction";
  return ServeUnary(gateway_, kRpc, *context, [&](UnaryReactor& reactor) {
    return StartInside<RollBackCall>(
        gateway_, kRpc, *context,
        {*request, request->transaction_id(), 0, TransactionStep::kRollBack}, *response, reactor);
  });
}

grpc::ServerUnaryReactor* TransactionService::Savepoint(grpc::CallbackServerContext* context,
                                                        const v1::SavepointRequest* request,
                                                        v1::SavepointResponse* response) {
  static constexpr char kRpc[] = "Savepoint";
  return ServeUnary(gateway_, kRpc, *context, [&](UnaryReactor& reactor) -> absl::Status {
    // Who may not call hears that, whatever else is wrong.
    auto admitted = Admit(kRpc, *context, gateway_, v1::PRIORITY_UNSPECIFIED, kDefaultDeadline);
    if (!admitted.ok()) return std::move(admitted).status();
    auto action = ToSavepoint(request->savepoint());
    if (!action.ok()) return std::move(action).status();
    return StartInside<SavepointCall>(
        gateway_, kRpc, *context,
        {*request, request->transaction_id(), request->sequence(), TransactionStep::kStatement},
        *response, reactor, *std::move(action));
  });
}

grpc::ServerBidiReactor<v1::TransactRequest, v1::TransactResponse>* TransactionService::Transact(
    grpc::CallbackServerContext* context) {
  return TransactReactor::Serve(gateway_, waiting_, *context);
}

grpc::ServerUnaryReactor* TransactionService::GetCommitOutcome(
    grpc::CallbackServerContext* context, const v1::GetCommitOutcomeRequest* request,
    v1::GetCommitOutcomeResponse* response) {
  return ServeUnary(gateway_, "GetCommitOutcome", *context, [&](UnaryReactor& reactor) {
    return StartOutcome(gateway_, *context, *request, *response, reactor);
  });
}

}  // namespace emsdb
