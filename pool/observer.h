// What happened in a pool, told to whoever counts. Called without any lock held, from any thread;
// must not block.
#ifndef EMSDB_POOL_OBSERVER_H_
#define EMSDB_POOL_OBSERVER_H_

#include "pool/pool_state.h"

namespace emsdb {

class PoolObserver {
 public:
  virtual ~PoolObserver() = default;
  virtual void Opened(Duration /*took*/) {}
  virtual void OpenFailed() {}
  virtual void Closed(CloseReason /*reason*/) {}
  virtual void Waited(Duration /*wait*/) {}
  virtual void Refused(RefusalReason /*reason*/) {}
  virtual void Reset(ResetResult /*result*/) {}

  // Ignores everything; lives as long as the process.
  static PoolObserver& None() {
    static PoolObserver none;
    return none;
  }
};

}  // namespace emsdb

#endif  // EMSDB_POOL_OBSERVER_H_
