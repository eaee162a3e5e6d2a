// A clock that runs a piece of the test at the moment when somebody asks it for the time: a way
// into the gap between two steps of the code under test, without a sleep.
#ifndef EMSDB_TESTS_POOL_HOOK_CLOCK_H_
#define EMSDB_TESTS_POOL_HOOK_CLOCK_H_

#include <atomic>
#include <functional>
#include <utility>

#include "pool/clock.h"

namespace emsdb {

class HookClock final : public Clock {
 public:
  explicit HookClock(Clock& clock) : clock_(clock) {}

  // The next Now() runs `hook` first. To be armed when only the thread that is meant can ask.
  void Arm(std::function<void()> hook) {
    hook_ = std::move(hook);
    armed_ = true;
  }

  Instant Now() const override {
    if (armed_.exchange(false)) hook_();
    return clock_.Now();
  }
  void WaitUntil(Mutex& mutex, CondVar& changed, Instant deadline) override
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    clock_.WaitUntil(mutex, changed, deadline);
  }

 private:
  Clock& clock_;
  std::function<void()> hook_;
  mutable std::atomic<bool> armed_{false};
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_POOL_HOOK_CLOCK_H_
