// What is to be done a little later, by nobody who sleeps: pauses of calls that go on.
#ifndef EMSDB_POOL_LATER_H_
#define EMSDB_POOL_LATER_H_

#include <map>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "pool/mutex.h"
#include "pool/upkeep.h"

namespace emsdb {

// Safe for use by any number of threads. What is still to come at the end is dropped.
class Later final : private Due {
 public:
  using Task = absl::AnyInvocable<void()>;

  // `upkeep` must outlive this.
  explicit Later(Upkeep& upkeep) : upkeep_(upkeep) { upkeep_.Add(*this); }
  ~Later() override { upkeep_.Remove(*this); }

  // Runs `task` once, in the upkeep's thread, not before `when`. It must not block.
  void At(Instant when, Task task);

 private:
  Instant Tick(Instant now) override;

  Upkeep& upkeep_;
  Mutex mutex_;
  std::multimap<Instant, Task> tasks_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace emsdb

#endif  // EMSDB_POOL_LATER_H_
