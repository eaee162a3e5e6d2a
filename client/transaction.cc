#include "client/transaction.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "client/error_info.h"
#include "client/requests.h"
#include "client/text_check.h"

namespace emsdb::client {
namespace {

constexpr Duration kRollBackDeadline = std::chrono::seconds(5);

// A statement that got lost in a transaction has done nothing that lasts.
constexpr CallRules kStatement{.repeat = Repeat::kNever, .effect = Effect::kNone};
constexpr CallRules kCommit{.repeat = Repeat::kNever, .effect = Effect::kMayWrite};
constexpr CallRules kRollBack{.repeat = Repeat::kRead, .effect = Effect::kNone};

// Whether a failed commit leaves something to roll back: the gateway refused to take it, or it
// never got there.
bool StillOpen(const absl::Status& status) {
  const std::string reason = ErrorInfoOf(status).reason;
  return absl::IsFailedPrecondition(status) || reason == kGatewayUnreachable ||
         reason == "CANCELLED" || reason == "DEADLINE";
}

}  // namespace

Transaction::Transaction(std::shared_ptr<const CallRunner> runner, std::string database,
                         std::string id)
    : runner_(std::move(runner)), database_(std::move(database)), id_(std::move(id)) {}

Transaction::Transaction(Transaction&& other) noexcept
    : runner_(std::move(other.runner_)),
      database_(std::move(other.database_)),
      id_(std::move(other.id_)),
      open_(std::exchange(other.open_, false)) {}

Transaction& Transaction::operator=(Transaction&& other) noexcept {
  if (this == &other) return *this;
  RollBackIfOpen();
  runner_ = std::move(other.runner_);
  database_ = std::move(other.database_);
  id_ = std::move(other.id_);
  open_ = std::exchange(other.open_, false);
  return *this;
}

Transaction::~Transaction() { RollBackIfOpen(); }

absl::StatusOr<Result> Transaction::Query(std::string sql, std::vector<Value> parameters,
                                          const QueryOptions& options) {
  if (absl::Status status = CheckOpen(); !status.ok()) return status;
  auto request =
      MakeQuery<v1::QueryRequest>(database_, std::move(sql), std::move(parameters), options);
  request.mutable_transaction()->set_id(id_);
  return RunQuery(*runner_, options.call, kStatement, request);
}

absl::StatusOr<RowStream> Transaction::StreamQuery(std::string sql, std::vector<Value> parameters,
                                                   const QueryOptions& options) {
  if (absl::Status status = CheckOpen(); !status.ok()) return status;
  auto request =
      MakeQuery<v1::StreamQueryRequest>(database_, std::move(sql), std::move(parameters), options);
  request.mutable_transaction()->set_id(id_);
  return RunStreamQuery(*runner_, options.call, kStatement, request);
}

absl::Status Transaction::SetSavepoint(std::string name, const CallOptions& options) {
  v1::SavepointAction action;
  action.set_set(std::move(name));
  return RunSavepoint(std::move(action), options);
}

absl::Status Transaction::RollBackTo(std::string name, const CallOptions& options) {
  v1::SavepointAction action;
  action.set_rollback_to(std::move(name));
  return RunSavepoint(std::move(action), options);
}

absl::Status Transaction::ReleaseSavepoint(std::string name, const CallOptions& options) {
  v1::SavepointAction action;
  action.set_release(std::move(name));
  return RunSavepoint(std::move(action), options);
}

absl::Status Transaction::RunSavepoint(v1::SavepointAction action, const CallOptions& options) {
  if (absl::Status status = CheckOpen(); !status.ok()) return status;
  if (absl::Status status = CheckSavepoint(action); !status.ok()) return status;
  v1::SavepointRequest request;
  request.set_transaction_id(id_);
  *request.mutable_savepoint() = std::move(action);
  return runner_
      ->Run(options, kStatement,
            [&](const CallContext& context) {
              return runner_->transport().Savepoint(context, request);
            })
      .status();
}

absl::Status Transaction::Commit(const CallOptions& options) {
  if (absl::Status status = CheckOpen(); !status.ok()) return status;
  v1::CommitTransactionRequest request;
  request.set_transaction_id(id_);
  absl::Status status = runner_
                            ->Run(options, kCommit,
                                  [&](const CallContext& context) {
                                    return runner_->transport().Commit(context, request);
                                  })
                            .status();
  open_ = StillOpen(status);
  return status;
}

absl::Status Transaction::RollBack(const CallOptions& options) {
  if (!open_) return absl::OkStatus();
  v1::RollbackTransactionRequest request;
  request.set_transaction_id(id_);
  absl::Status status = runner_
                            ->Run(options, kRollBack,
                                  [&](const CallContext& context) {
                                    return runner_->transport().RollBack(context, request);
                                  })
                            .status();
  if (status.ok()) open_ = false;
  return status;
}

void Transaction::RollBackIfOpen() {
  // A failure is left to the gateway's idle time-out: a destructor has nobody to tell.
  if (open_) RollBack({.deadline = kRollBackDeadline}).IgnoreError();
}

absl::Status Transaction::CheckOpen() const {
  if (open_) return absl::OkStatus();
  return WithErrorInfo(absl::FailedPreconditionError("the transaction has ended"),
                       {.reason = "TX_ENDED"});
}

}  // namespace emsdb::client
