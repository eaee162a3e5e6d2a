#include "pool/clock.h"

namespace emsdb {
namespace {

class RealClock final : public Clock {
 public:
  Instant Now() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
  }

  void WaitUntil(Mutex& mutex, CondVar& changed, Instant deadline) override
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    // Never a longer sleep than an hour: some C libraries overflow on the end of time.
    const Instant bound = After(Now(), std::chrono::hours(1));
    changed.WaitUntil(mutex, deadline < bound ? deadline : bound);
  }
};

}  // namespace

Clock& Clock::Real() {
  // Never destroyed: a thread may look at it while the process ends.
  static RealClock& clock = *new RealClock;
  return clock;
}

}  // namespace emsdb
