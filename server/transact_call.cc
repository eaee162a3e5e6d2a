#include "server/transact_call.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "pool/statement_facts.h"
#include "server/result_sink.h"
#include "server/transact_reactor.h"
#include "server/transaction_use.h"

namespace emsdb {
namespace {

constexpr Duration kRollBackPatience = std::chrono::seconds(5);

struct StatementWork {
  std::optional<std::int64_t> expect_rows;
  ResultBudget budget;
};

absl::Status RunStatement(const StatementWork& work, TransactCall& call, Connection& connection,
                          const Bounds& bounds) {
  TransactReactor& stream = call.stream();
  if (stream.rows_mismatched()) return FailedEarlier();
  v1::StatementResult& result = *stream.response().mutable_result();
  ResultBudget budget = work.budget;
  budget.share = &stream.result_share();
  ResultSink sink(*result.mutable_columns(), *result.mutable_rows(), budget);
  const auto done =
      connection.Execute(call.statement(), call.run_options(Access::kReadWrite), bounds, sink);
  if (!done.ok()) return done.status();
  if (work.expect_rows.value_or(done->rows_affected) != done->rows_affected) {
    stream.SetRowsMismatched(true);
    return RowsMismatch(*work.expect_rows, done->rows_affected);
  }
  result.set_rows_affected(done->rows_affected);
  result.set_command(done->command);
  return absl::OkStatus();
}

absl::Status RunSavepoint(const SavepointAction& action, TransactCall& call, Connection& connection,
                          const Bounds& bounds) {
  TransactReactor& stream = call.stream();
  const bool revives = action.verb == SavepointVerb::kRollBackTo;
  if (stream.rows_mismatched() && !revives) return FailedEarlier();
  absl::Status done = connection.Savepoint(action, bounds);
  if (!done.ok()) return done;
  if (revives) stream.SetRowsMismatched(false);
  stream.response().mutable_savepoint();
  return done;
}

absl::Status RunCommit(TransactCall& call, Connection& connection, const Bounds& bounds) {
  TransactReactor& stream = call.stream();
  if (stream.rows_mismatched()) {
    const Instant soon = After(call.gateway().pools.clock().Now(), kRollBackPatience);
    connection.RollBack({.deadline = soon}).IgnoreError();
    return CommitRolledBack();
  }
  TokenWitness witness(call.basics().database, stream);
  absl::Status committed = connection.Commit(bounds, &witness);
  if (committed.ok()) stream.response().mutable_committed();
  return witness.Marked(std::move(committed));
}

absl::Status RunRollBack(TransactCall& call, Connection& connection, const Bounds& bounds) {
  call.stream().response().mutable_rolled_back();
  const absl::Status status = connection.RollBack(bounds);
  // Without its connection the transaction is undone all the same, by the server.
  return connection.broken() ? absl::OkStatus() : status;
}

absl::StatusOr<TransactTask> StatementTask(const v1::TransactStatement& request) {
  auto statement = ToStatement(request.statement(), "statement.statement");
  if (!statement.ok()) return std::move(statement).status();
  if (request.max_rows() > ResultBudget::kMostRows) {
    return InvalidField("statement.max_rows",
                        absl::StrFormat("%d: at most %d, use StreamQuery for more",
                                        request.max_rows(), ResultBudget::kMostRows));
  }
  if (request.has_expect_rows() && request.expect_rows() < 0) {
    return InvalidField("statement.expect_rows", "a number of rows is 0 or more");
  }
  StatementWork work;
  if (request.has_expect_rows()) work.expect_rows = request.expect_rows();
  if (request.max_rows() != 0) work.budget.rows = work.budget.row_limit = request.max_rows();
  TransactTask task{.label = FactsOf(statement->sql)->fingerprint,
                    .statement = *std::move(statement)};
  task.work = [work](TransactCall& call, Connection& connection, const Bounds& bounds, Lease&) {
    return RunStatement(work, call, connection, bounds);
  };
  return task;
}

absl::StatusOr<TransactTask> SavepointTask(const v1::SavepointAction& request) {
  auto action = ToSavepoint(request);
  if (!action.ok()) return std::move(action).status();
  TransactTask task{.label = "SAVEPOINT"};
  task.work = [action = *std::move(action)](TransactCall& call, Connection& connection,
                                            const Bounds& bounds, Lease&) {
    return RunSavepoint(action, call, connection, bounds);
  };
  return task;
}

TransactTask CommitTask() {
  return {TransactKind::kEnd,
          TransactionStep::kCommit,
          "COMMIT",
          {},
          [](TransactCall& call, Connection& connection, const Bounds& bounds, Lease&) {
            return RunCommit(call, connection, bounds);
          }};
}

}  // namespace

void TransactCall::Finish(absl::Status status, const CallTimes& times) {
  Report(status, times);
  stream_->Answered(kind_, std::move(status), times.waiting + times.running);
}

TransactTask BeginTask(Beginning beginning) {
  return {TransactKind::kBegin,
          TransactionStep::kStatement,
          "BEGIN",
          {},
          [beginning = std::move(beginning)](TransactCall& call, Connection& connection,
                                             const Bounds& bounds, Lease& lease) -> absl::Status {
            absl::Status begun = connection.Begin(
                beginning.options, call.run_options(beginning.options.access), bounds);
            if (!begun.ok()) return begun;
            call.stream().Begun(
                call.gateway().pools.transactions().Add(std::move(lease), beginning.terms));
            call.stream().response().mutable_begun();
            return begun;
          }};
}

TransactTask RollBackTask(TransactKind kind) {
  return {kind,
          TransactionStep::kRollBack,
          "ROLLBACK",
          {},
          [](TransactCall& call, Connection& connection, const Bounds& bounds, Lease&) {
            return RunRollBack(call, connection, bounds);
          }};
}

absl::StatusOr<TransactTask> ToTask(const v1::TransactRequest& request) {
  switch (request.request_case()) {
    case v1::TransactRequest::kBegin:
      return InvalidField("begin", "this stream's transaction has begun already");
    case v1::TransactRequest::kStatement:
      return StatementTask(request.statement());
    case v1::TransactRequest::kSavepoint:
      return SavepointTask(request.savepoint());
    case v1::TransactRequest::kCommit:
      return CommitTask();
    case v1::TransactRequest::kRollback:
      return RollBackTask(TransactKind::kEnd);
    case v1::TransactRequest::REQUEST_NOT_SET:
      break;
  }
  return InvalidField("request",
                      "one of statement, savepoint, commit and rollback is wanted after begin");
}

}  // namespace emsdb
