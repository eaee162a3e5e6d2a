// What comes next for a batch whose attempt, or whose question about its commit, has ended: it is
// answered, run again, or the database is asked what became of the commit. Pure: time and chance
// come from outside.
#ifndef EMSDB_SERVER_BATCH_COURSE_H_
#define EMSDB_SERVER_BATCH_COURSE_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pool/clock.h"
#include "pool/commit.h"

namespace emsdb {

// Life: running; from there, with a commit in doubt, asking. Used by one thread at a time.
class BatchCourse {
 public:
  enum class Step { kAnswer, kRun, kAsk };
  struct Next {
    Step step = Step::kAnswer;
    Instant at{};  // of kRun and kAsk
  };

  explicit BatchCourse(Instant deadline) : deadline_(deadline) {}

  void AttemptBegins() { ++attempts_; }
  int attempts() const { return attempts_; }

  // When what is still being asked for must be left, so that the caller hears an answer.
  Instant last_word() const;

  // The commit is in doubt: from now on Run means to ask.
  bool asking() const { return in_doubt_.has_value(); }

  // What an attempt or a call without a connection ended with. `told`: the caller has a token of
  // this attempt. Then it is not run again: the token would say "rolled back" of a batch that the
  // next attempt may have committed. `jitter` in [0, 1).
  Next After(const absl::Status& status, bool told, Instant now, double jitter);

  // What the database answered when asked; what that means for the call. UNAVAILABLE: ask again.
  absl::Status Asked(const absl::StatusOr<CommitFate>& fate);

  // Of a commit that was in doubt, once it is over.
  const std::optional<CommitFate>& found() const { return found_; }

  // The call's answer, once After has said so.
  absl::Status Answer(const absl::Status& status) const;

 private:
  std::optional<Instant> PauseUntil(int times, Instant now, double jitter) const;

  const Instant deadline_;
  int attempts_ = 0;
  int asked_ = 0;
  bool given_up_ = false;  // it cannot be told
  std::optional<absl::Status> in_doubt_;
  std::optional<CommitFate> found_;
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_BATCH_COURSE_H_
