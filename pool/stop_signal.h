// How a running statement is told to stop: one signal for each worker. Whoever cancels raises it
// from any thread; the driver, in the worker's thread, polls `fd()` beside its socket or looks at
// `raised()` between steps.
#ifndef EMSDB_POOL_STOP_SIGNAL_H_
#define EMSDB_POOL_STOP_SIGNAL_H_

#include <atomic>

#include "pool/mutex.h"

namespace emsdb {

enum class StopReason : int {
  kNone = 0,
  kCallerLeft,  // the caller cancelled or its stream broke
  kExpired,     // the transaction's total time is over
  kShutdown,    // the process is ending and will wait no longer
};

class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // Any thread. The first reason wins until Clear(). The caller makes sure, by the call's own lock,
  // that the statement it means is still the one that runs.
  void Raise(StopReason reason);

  // The worker's thread, between two calls.
  void Clear();

  StopReason raised() const { return reason_.load(std::memory_order_acquire); }

  // Readable while raised. Only to be polled, never read.
  int fd() const { return fd_; }

 private:
  Mutex mutex_;  // reason and descriptor change together
  std::atomic<StopReason> reason_{StopReason::kNone};
  const int fd_;
};

}  // namespace emsdb

#endif  // EMSDB_POOL_STOP_SIGNAL_H_
