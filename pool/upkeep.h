// Asks everybody who keeps deadlines what is due, and when to ask again.
#ifndef EMSDB_POOL_UPKEEP_H_
#define EMSDB_POOL_UPKEEP_H_

#include <atomic>
#include <thread>
#include <vector>

#include "pool/clock.h"

namespace emsdb {

// Something with deadlines. Must outlive the Upkeep it is added to, or be removed from it.
class Due {
 public:
  virtual ~Due() = default;
  // Does what is due; must not block. Returns when to come again, kNever for not before a Nudge.
  virtual Instant Tick(Instant now) = 0;
};

// Who is asked, and when to ask again. Safe for use by any number of threads.
class Upkeep {
 public:
  explicit Upkeep(Clock& clock) : clock_(clock) {}

  void Add(Due& due);
  // Returns when no Tick of `due` is running any more and none will.
  void Remove(Due& due);

  // Somebody has a deadline at `when`: costs nothing but a look if the next round comes before it.
  void Nudge(Instant when);

  // Asks everybody once. Returns when to come again. One thread at a time.
  Instant Round();

 protected:
  // Waits until `next`, a Nudge for something earlier, or End. False after End.
  bool Wait(Instant next);
  void End();

 private:
  Clock& clock_;
  std::atomic<Instant> wakes_at_{kNever};

  Mutex mutex_;
  CondVar changed_;
  std::vector<Due*> dues_ ABSL_GUARDED_BY(mutex_);
  bool ticking_ ABSL_GUARDED_BY(mutex_) = false;
  bool nudged_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

// The one background thread: makes a round whenever one is due.
class UpkeepThread final : public Upkeep {
 public:
  explicit UpkeepThread(Clock& clock);
  ~UpkeepThread();

 private:
  std::thread thread_;
};

}  // namespace emsdb

#endif  // EMSDB_POOL_UPKEEP_H_
