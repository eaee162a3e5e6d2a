// Time for everything that waits: steady, never the wall clock, and given from outside, so that a
// test moves it by hand instead of sleeping.
#ifndef EMSDB_POOL_CLOCK_H_
#define EMSDB_POOL_CLOCK_H_

#include <chrono>

#include "pool/mutex.h"

namespace emsdb {

using Duration = std::chrono::nanoseconds;
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;

inline constexpr Instant kNever = Instant::max();

// `now + wait`, without overflow: whatever lies beyond the end of time is kNever.
constexpr Instant After(Instant now, Duration wait) {
  return wait > kNever - now ? kNever : now + wait;
}

// Safe for use by any number of threads.
class Clock {
 public:
  virtual ~Clock() = default;

  virtual Instant Now() const = 0;

  // Waits until `changed` is signalled or `deadline` has come; may wake early. `mutex` is held on
  // entry and on return. Whoever waits must look again at what it waits for.
  virtual void WaitUntil(Mutex& mutex, CondVar& changed, Instant deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) = 0;

  // The clock of the machine; lives as long as the process.
  static Clock& Real();
};

}  // namespace emsdb

#endif  // EMSDB_POOL_CLOCK_H_
