// What a pool told its observer, in the order in which it was told.
#ifndef EMSDB_TESTS_POOL_RECORDING_OBSERVER_H_
#define EMSDB_TESTS_POOL_RECORDING_OBSERVER_H_

#include <vector>

#include "pool/mutex.h"
#include "pool/observer.h"

namespace emsdb {

// Safe for use by any number of threads.
class RecordingObserver final : public PoolObserver {
 public:
  void Closed(CloseReason reason) override {
    MutexLock lock(mutex_);
    closed_.push_back(reason);
  }
  void Reset(ResetResult result) override {
    MutexLock lock(mutex_);
    resets_.push_back(result);
  }

  std::vector<CloseReason> closed() const {
    MutexLock lock(mutex_);
    return closed_;
  }
  std::vector<ResetResult> resets() const {
    MutexLock lock(mutex_);
    return resets_;
  }

 private:
  mutable Mutex mutex_;
  std::vector<CloseReason> closed_ ABSL_GUARDED_BY(mutex_);
  std::vector<ResetResult> resets_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_POOL_RECORDING_OBSERVER_H_
