// One request of a Transact stream, as a call of the pool: what is run on the connection that the
// stream's transaction holds.
#ifndef EMSDB_SERVER_TRANSACT_CALL_H_
#define EMSDB_SERVER_TRANSACT_CALL_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "emsdb/v1/transaction_service.pb.h"
#include "server/bound_values.h"
#include "server/reactors.h"
#include "server/statement_call.h"

namespace emsdb {

class TransactReactor;

// What becomes of the stream when the request was done well.
enum class TransactKind {
  kBegin,
  kStep,    // a statement or a savepoint: the stream goes on, also after an error
  kEnd,     // commit or roll-back: the stream ends well
  kAborted  // the caller ended the stream without either
};

// Answers to its stream, which it keeps alive. The work is done in the worker's thread.
class TransactCall final : public RpcCall {
 public:
  using Work = std::function<absl::Status(TransactCall&, Connection&, const Bounds&, Lease&)>;

  TransactCall(Gateway& gateway, CallBasics basics, std::shared_ptr<TransactReactor> stream,
               TransactKind kind, Statement statement, Work work)
      : RpcCall(gateway, std::move(basics)),
        stream_(std::move(stream)),
        kind_(kind),
        statement_(std::move(statement)),
        work_(std::move(work)) {}

  // For the work.
  using RpcCall::basics;
  using RpcCall::gateway;
  using RpcCall::run_options;
  TransactReactor& stream() { return *stream_; }
  const Statement& statement() const { return statement_; }

 protected:
  absl::Status Run(Connection& connection, const Bounds& bounds, Lease& lease) override {
    return work_(*this, connection, bounds, lease);
  }
  void Finish(absl::Status status, const CallTimes& times) override;
  Fields BoundValues(const absl::Status&) const override {
    return ShownValues(statement_.parameters);
  }

 private:
  const std::shared_ptr<TransactReactor> stream_;
  const TransactKind kind_;
  const Statement statement_;
  const Work work_;
};

// A request as it is to be run: its way through the transaction, and its work.
struct TransactTask {
  TransactKind kind = TransactKind::kStep;
  TransactionStep step = TransactionStep::kStatement;
  std::string label;    // the statement's fingerprint, for the journal
  Statement statement;  // empty where it is none of the caller's
  TransactCall::Work work;
};

TransactTask BeginTask(Beginning beginning);
TransactTask RollBackTask(TransactKind kind);

// Every request but `begin`. INVALID_ARGUMENT: it is run not at all.
absl::StatusOr<TransactTask> ToTask(const v1::TransactRequest& request);

}  // namespace emsdb

#endif  // EMSDB_SERVER_TRANSACT_CALL_H_
