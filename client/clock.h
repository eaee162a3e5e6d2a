// Time for deadlines and for the waits between repeats: steady, and given from outside, so that a
// test moves it by hand instead of sleeping.
#ifndef EMSDB_CLIENT_CLOCK_H_
#define EMSDB_CLIENT_CLOCK_H_

#include <chrono>

#include "client/cancel.h"

namespace emsdb::client {

// Safe for use by any number of threads.
class Clock {
 public:
  virtual ~Clock() = default;

  virtual Instant Now() const = 0;

  // Waits until `until` has come or `cancel`, which may be null, was cancelled.
  virtual void WaitUntil(Instant until, CancelSource* cancel) = 0;

  // The clock of the machine; lives as long as the process.
  static Clock& Real();
};

}  // namespace emsdb::client

#endif  // EMSDB_CLIENT_CLOCK_H_
