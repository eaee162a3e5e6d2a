#include "server/batch_course.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "pool/errors.h"

namespace emsdb {
namespace {

constexpr Duration kFirstPause = std::chrono::milliseconds(5);
constexpr Duration kLongestPause = std::chrono::milliseconds(250);
constexpr int kDoublings = 6;
// The caller must hear the answer before its deadline.
constexpr Duration kForTheAnswer = std::chrono::milliseconds(50);

bool IsConflict(const ErrorDetail& detail) {
  // A change of a table is one with whoever changed it.
  return (detail.sqlstate == "40001" || detail.sqlstate == "40P01" ||
          detail.reason == "PLAN_CHANGED") &&
         detail.outcome == Outcome::kNothingDone;
}

// Nobody waits for an answer any more, there will be no connection any more, or the last word is
// due.
bool IsOver(const ErrorDetail& detail) {
  return detail.reason == "CALLER_LEFT" || detail.reason == "SHUTDOWN" ||
         detail.reason == "TX_EXPIRED";
}

}  // namespace

std::optional<Instant> BatchCourse::PauseUntil(int times, Instant now, double jitter) const {
  const Duration full = std::min(kFirstPause * (1 << std::min(times, kDoublings)), kLongestPause);
  const auto pause = std::chrono::duration_cast<Duration>(full * (0.5 + jitter / 2));
  const Instant at = now + pause;
  if (at >= last_word()) return std::nullopt;
  return at;
}

Instant BatchCourse::last_word() const {
  return deadline_ == kNever ? kNever : deadline_ - kForTheAnswer;
}

BatchCourse::Next BatchCourse::After(const absl::Status& status, bool told, Instant now,
                                     double jitter) {
  if (found_ || given_up_) return {};
  const ErrorDetail detail = DetailOf(status);
  if (!asking()) {
    const bool in_doubt = detail.outcome == Outcome::kUnknown && !detail.commit_token.empty();
    if (in_doubt) {
      in_doubt_ = status;
      return {Step::kAsk, now};
    }
    if (!IsConflict(detail) || told) return {};
    const auto at = PauseUntil(attempts_ - 1, now, jitter);
    return at ? Next{Step::kRun, *at} : Next{};
  }
  if (IsOver(detail)) return {};
  const auto at = PauseUntil(asked_++, now, jitter);
  return at ? Next{Step::kAsk, *at} : Next{};
}

absl::Status BatchCourse::Asked(const absl::StatusOr<CommitFate>& fate) {
  if (!fate.ok()) {
    const std::string reason = DetailOf(fate.status()).reason;
    given_up_ = reason == "OUTCOME_ELSEWHERE" || reason == "OUTCOME_FORGOTTEN";
    return fate.status();
  }
  if (*fate == CommitFate::kInProgress) return absl::UnavailableError("the commit is in progress");
  found_ = *fate;
  return *fate == CommitFate::kCommitted ? absl::OkStatus() : CommitFoundRolledBack();
}

absl::Status BatchCourse::Answer(const absl::Status& status) const {
  return AfterAttempts(asking() && !found_ ? *in_doubt_ : status, attempts_);
}

}  // namespace emsdb
