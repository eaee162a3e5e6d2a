#include "client/stream_transaction.h"

#include <utility>

#include "client/convert.h"
#include "client/error_info.h"
#include "client/outcome.h"
#include "client/text_check.h"

namespace emsdb::client {
namespace {

// What has begun and was lost is rolled back: it can do no harm to begin again.
constexpr CallRules kBegin{.repeat = Repeat::kIfNothingWasSent, .effect = Effect::kNone};

absl::Status FromWire(const v1::TransactError& error) {
  return WithErrorInfo(
      absl::Status(static_cast<absl::StatusCode>(error.code()), error.message()),
      {.reason = error.reason(), .metadata = {error.metadata().begin(), error.metadata().end()}});
}

absl::Status UnexpectedAnswer(Effect effect) {
  ErrorInfo info{.reason = kIncompleteStream};
  if (effect == Effect::kMayWrite) info.metadata["outcome"] = "unknown";
  return WithErrorInfo(absl::DataLossError("the gateway's answer is none to this request"), info);
}

}  // namespace

absl::StatusOr<StreamTransaction> StreamTransaction::Begin(std::shared_ptr<const CallRunner> runner,
                                                           const std::string& database,
                                                           const TransactionOptions& options) {
  if (absl::Status status = CheckDatabaseName(database); !status.ok()) return status;
  v1::TransactRequest request;
  v1::TransactBegin& begin = *request.mutable_begin();
  begin.set_database(database);
  *begin.mutable_options() = ToWire(options);
  begin.set_priority(ToWire(options.priority));
  CallOptions call = options.call;
  if (!call.deadline) call.deadline = kDefaultDeadline;
  return runner->Run(call, kBegin,
                     [&](const CallContext& context) -> absl::StatusOr<StreamTransaction> {
                       auto stream = runner->transport().Transact(context);
                       if (!stream.ok()) return stream.status();
                       StreamTransaction transaction(*std::move(stream));
                       auto answer = transaction.Ask(request);
                       if (!answer.ok()) return answer.status();
                       if (!answer->has_begun()) return UnexpectedAnswer(Effect::kNone);
                       return transaction;
                     });
}

absl::StatusOr<Result> StreamTransaction::Query(std::string sql, std::vector<Value> parameters) {
  return Run({.sql = std::move(sql), .parameters = std::move(parameters)});
}

absl::StatusOr<Result> StreamTransaction::Run(BatchStatement statement, std::uint32_t max_rows) {
  v1::TransactRequest request;
  v1::TransactStatement& wire = *request.mutable_statement();
  *wire.mutable_statement() = ToWire(std::move(statement.sql), std::move(statement.parameters),
                                     std::move(statement.parameter_types));
  if (statement.expect_rows) wire.set_expect_rows(*statement.expect_rows);
  wire.set_max_rows(max_rows);
  if (absl::Status status = CheckTexts("", wire.statement()); !status.ok()) return status;
  auto answer = Ask(request);
  if (!answer.ok()) return answer.status();
  if (!answer->has_result()) return UnexpectedAnswer(Effect::kNone);
  return ResultFromWire(std::move(*answer->mutable_result()));
}

absl::Status StreamTransaction::SetSavepoint(std::string name) {
  v1::TransactRequest request;
  request.mutable_savepoint()->set_set(std::move(name));
  return AskForSavepoint(request);
}

absl::Status StreamTransaction::RollBackTo(std::string name) {
  v1::TransactRequest request;
  request.mutable_savepoint()->set_rollback_to(std::move(name));
  return AskForSavepoint(request);
}

absl::Status StreamTransaction::ReleaseSavepoint(std::string name) {
  v1::TransactRequest request;
  request.mutable_savepoint()->set_release(std::move(name));
  return AskForSavepoint(request);
}

absl::Status StreamTransaction::AskForSavepoint(const v1::TransactRequest& request) {
  if (absl::Status status = CheckSavepoint(request.savepoint()); !status.ok()) return status;
  const auto answer = Ask(request);
  if (!answer.ok()) return answer.status();
  return answer->has_savepoint() ? absl::OkStatus() : UnexpectedAnswer(Effect::kNone);
}

absl::Status StreamTransaction::Commit() {
  v1::TransactRequest request;
  request.mutable_commit();
  auto answer = Ask(request, Effect::kMayWrite);
  if (answer.ok() && answer->has_committing()) {
    commit_token_ = answer->committing().commit_token();
    if (absl::Status status = Read(*answer, Effect::kMayWrite); !status.ok()) answer = status;
  }
  stream_.reset();
  if (!answer.ok()) {
    return WithOutcome(WithCommitToken(answer.status(), commit_token_), Effect::kMayWrite);
  }
  return answer->has_committed() ? absl::OkStatus() : UnexpectedAnswer(Effect::kMayWrite);
}

absl::Status StreamTransaction::RollBack() {
  if (stream_ == nullptr) return absl::OkStatus();
  v1::TransactRequest request;
  request.mutable_rollback();
  // Whatever the answer is: without its stream it is rolled back.
  Ask(request).status().IgnoreError();
  stream_.reset();
  return absl::OkStatus();
}

absl::StatusOr<v1::TransactResponse> StreamTransaction::Ask(const v1::TransactRequest& request,
                                                            Effect effect) {
  if (absl::Status status = CheckOpen(); !status.ok()) return status;
  // A stream that has ended takes nothing more, and says why when it is read.
  stream_->Write(request);
  v1::TransactResponse response;
  if (absl::Status status = Read(response, effect); !status.ok()) return status;
  if (response.has_error()) return FromWire(response.error());
  return response;
}

absl::Status StreamTransaction::Read(v1::TransactResponse& response, Effect effect) {
  if (stream_->Read(response)) return absl::OkStatus();
  absl::Status status = stream_->Finish();
  stream_.reset();
  return status.ok() ? UnexpectedAnswer(effect) : status;
}

absl::Status StreamTransaction::CheckOpen() const {
  if (stream_ != nullptr) return absl::OkStatus();
  return WithErrorInfo(absl::FailedPreconditionError("the transaction has ended"),
                       {.reason = "TX_ENDED"});
}

}  // namespace emsdb::client
