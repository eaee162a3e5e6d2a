// What happened in a pool, told to whoever counts. Called without any lock held, from any thread;
// must not block.
#ifndef EMSDB_POOL_OBSERVER_H_
#define EMSDB_POOL_OBSERVER_H_

#include "pool/lease.h"
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
  // So many reads were sent together, two at the least.
  virtual void Grouped(int /*members*/) {}
  virtual void Reset(ResetResult /*result*/) {}
  // A connection has been in use for longer than others may wait for one.
  virtual void HeldLong(const Holder& /*who*/, Duration /*held*/) {}
  // The database cannot be reached; `why` is fit for an operator. Calls fail at once until
  // CameBack.
  virtual void WentDown(const absl::Status& /*why*/) {}
  virtual void CameBack(Duration /*after*/) {}

  // Ignores everything; lives as long as the process.
  static PoolObserver& None() {
    static PoolObserver none;
    return none;
  }
};

}  // namespace emsdb

#endif  // EMSDB_POOL_OBSERVER_H_
