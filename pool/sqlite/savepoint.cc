// Savepoints on SQLite, to the contract that PostgreSQL sets.
#include <algorithm>
#include <iterator>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "pool/sqlite/connection.h"
#include "pool/sqlite/refusals.h"

namespace emsdb::sqlite {
namespace {

absl::Status NoSuchSavepoint(const std::string& name) {
  return WithDetail(
      absl::NotFoundError(absl::StrFormat("savepoint \"%s\" does not exist", name)),
      {.reason = "SQL_ERROR", .sqlstate = "3B001", .stage = Stage::kRunning, .retry = Retry::kNo});
}

}  // namespace

void SqliteConnection::FailTransaction() {
  // SQLite may have rolled back by itself, the savepoints with the rest.
  if (savepoints_.empty() || !session_->InTransaction()) return UndoNow(TransactionState::kFailed);
  state_ = TransactionState::kFailed;
}

absl::Status SqliteConnection::Savepoint(const SavepointAction& action, const Bounds& bounds) {
  const Interruption::Within within(session_->interruption(), bounds);
  if (absl::Status name = CheckSavepointName(action); !name.ok()) return name;
  if (absl::Status ready = Ready(Stage::kRunning); !ready.ok()) return ready;
  if (state_ == TransactionState::kIdle) {
    return absl::FailedPreconditionError("there is no transaction for a savepoint");
  }
  const bool sets = action.verb == SavepointVerb::kSet;
  const bool revives = action.verb == SavepointVerb::kRollBackTo && !savepoints_.empty();
  if (state_ == TransactionState::kFailed && !revives) return TransactionFailed();
  std::size_t index = savepoints_.size();
  if (!sets) {
    const auto newest = std::find(savepoints_.rbegin(), savepoints_.rend(), action.name);
    if (newest == savepoints_.rend()) return NoSuchSavepoint(action.name);
    index = static_cast<std::size_t>(std::distance(newest, savepoints_.rend())) - 1;
  }
  const SavepointAction numbered = {action.verb, absl::StrFormat("emsdb_%d", index)};
  {
    const Interruption::Suspended suspended(session_->interruption());
    if (session_->Run(SavepointText(numbered)) != SQLITE_OK) {
      absl::Status status = session_->Failure(Phase::kRunning, "");
      UndoNow(TransactionState::kFailed);
      return EndingItsTransaction(status);
    }
  }
  savepoints_.resize(action.verb == SavepointVerb::kRollBackTo ? index + 1 : index);
  if (sets) savepoints_.push_back(action.name);
  state_ = TransactionState::kOpen;
  return absl::OkStatus();
}

}  // namespace emsdb::sqlite
