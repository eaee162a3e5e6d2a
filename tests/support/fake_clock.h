// A clock that a test moves by hand, so that no test of a wait sleeps.
#ifndef EMSDB_TESTS_SUPPORT_FAKE_CLOCK_H_
#define EMSDB_TESTS_SUPPORT_FAKE_CLOCK_H_

#include <list>

#include "pool/clock.h"

namespace emsdb {

// Stands still until Advance. Any thread may wait on it or move it; a thread that calls Advance
// must not hold a mutex that somebody waits with, since waking a waiter takes that mutex.
class FakeClock final : public Clock {
 public:
  // Begins an hour after the start of time, so that a test may also look back.
  FakeClock() = default;
  ~FakeClock() override;

  Instant Now() const override;

  // Returns when `changed` is signalled or when Advance has brought the clock to `deadline`; at
  // once if that has come already.
  void WaitUntil(Mutex& mutex, CondVar& changed, Instant deadline) override
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

  // Moves the clock and wakes everyone whose deadline has come by then.
  void Advance(Duration step);

  // Blocks until at least `count` threads wait on this clock for a time that has not come. A
  // thread that was signalled but has not run since still counts.
  void AwaitWaiters(int count);

  // The earliest time that anybody waits for; kNever if nobody does.
  Instant NextDeadline() const;

 private:
  struct Waiter {
    Mutex& mutex;
    CondVar& changed;
    Instant deadline;
    bool woken = false;    // its time has come: Advance has dealt with it, or is about to
    bool visited = false;  // Advance is using `mutex` and `changed`, so the waiter must not leave
  };

  std::list<Waiter*> Wake(Instant now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int Waiting() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  CondVar waiters_changed_;
  Instant now_ ABSL_GUARDED_BY(mutex_){std::chrono::hours(1)};
  std::list<Waiter> waiters_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_SUPPORT_FAKE_CLOCK_H_
