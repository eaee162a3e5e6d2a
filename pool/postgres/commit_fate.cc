#include "pool/postgres/commit_fate.h"

#include "pool/errors.h"

namespace emsdb {
namespace {

absl::StatusOr<CommitFate> OnTheSameIncarnation(NumberStatus status) {
  switch (status) {
    case NumberStatus::kCommitted:
      return CommitFate::kCommitted;
    case NumberStatus::kAborted:
      return CommitFate::kRolledBack;
    case NumberStatus::kInProgress:
      return CommitFate::kInProgress;
    case NumberStatus::kForgotten:
      return OutcomeForgotten("it was too long ago");
    case NumberStatus::kFuture:
      break;
  }
  return OutcomeForgotten("the database server has not come so far");
}

absl::Status MayBeAnothers() {
  return OutcomeForgotten(
      "the database server has crashed or failed over since, and its number may by now stand for "
      "another transaction");
}

absl::Status MayLackIt() {
  return OutcomeForgotten(
      "the database server that serves here is not the one that took the commit, and may lack what "
      "that one has");
}

}  // namespace

NumberStatus NumberStatusOf(std::string_view text) {
  if (text == "committed") return NumberStatus::kCommitted;
  if (text == "aborted") return NumberStatus::kAborted;
  if (text == "in progress") return NumberStatus::kInProgress;
  return NumberStatus::kForgotten;
}

absl::StatusOr<CommitFate> FateOf(const CommitId& id, const ServerIdentity& server,
                                  NumberStatus status) {
  if (!server.known() || id.server.system != server.system) return OutcomeElsewhere();
  if (id.server.incarnation == server.incarnation) return OnTheSameIncarnation(status);
  const bool writes_itself = server.timeline != 0 && id.server.timeline != 0;
  switch (status) {
    case NumberStatus::kCommitted:
      return MayBeAnothers();
    case NumberStatus::kAborted:
      if (writes_itself && server.timeline >= id.server.timeline) return CommitFate::kRolledBack;
      return MayLackIt();
    case NumberStatus::kFuture:
      if (writes_itself && server.timeline == id.server.timeline) return CommitFate::kRolledBack;
      return MayLackIt();
    case NumberStatus::kInProgress:
    case NumberStatus::kForgotten:
      break;
  }
  return OnTheSameIncarnation(status);
}

}  // namespace emsdb
