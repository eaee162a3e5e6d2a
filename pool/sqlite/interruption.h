// How a statement ends at its deadline or when it is told to stop, without another thread touching
// its connection: SQLite calls back from within the statement's own thread, every thousand steps of
// its machine and while it waits for a lock.
#ifndef EMSDB_POOL_SQLITE_INTERRUPTION_H_
#define EMSDB_POOL_SQLITE_INTERRUPTION_H_

#include <chrono>

#include "absl/status/status.h"
#include "pool/connection.h"
#include "pool/errors.h"

struct sqlite3;

namespace emsdb::sqlite {

// Used by the connection's thread only.
class Interruption {
 public:
  // A wait for another process's lock ends after `busy_timeout` at the latest.
  Interruption(const Clock& clock, Duration busy_timeout)
      : clock_(clock), busy_timeout_(busy_timeout) {}
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  // `this` must live as long as `database`.
  void Install(sqlite3* database);

  // Whether what runs now should end; the first cause found is kept until the bounds change.
  bool Due();

  // Waits a little for a lock, the `times`th time in a row from 0; false: do not try again.
  bool Wait(int times);

  Instant Now() const { return clock_.Now(); }

  // Why it was ended; OK if it was not.
  absl::Status Cause(Stage stage) const;

  // While it lives, `bounds` hold.
  class Within {
   public:
    Within(Interruption& interruption, const Bounds& bounds) : interruption_(interruption) {
      interruption_.SetBounds(bounds);
    }
    ~Within() { interruption_.SetBounds({}); }
    Within(const Within&) = delete;
    Within& operator=(const Within&) = delete;

   private:
    Interruption& interruption_;
  };

  // While it lives, nothing is interrupted: for a roll-back and a commit, which are short and must
  // not end half way.
  class Suspended {
   public:
    explicit Suspended(Interruption& interruption) : interruption_(interruption) {
      ++interruption_.suspended_;
    }
    ~Suspended() { --interruption_.suspended_; }
    Suspended(const Suspended&) = delete;
    Suspended& operator=(const Suspended&) = delete;

   private:
    Interruption& interruption_;
  };

  // While it lives, no lock is waited for: others wait behind the statement that meets one.
  class Impatient {
   public:
    explicit Impatient(Interruption& interruption) : interruption_(interruption) {
      interruption_.impatient_ = true;
    }
    ~Impatient() { interruption_.impatient_ = false; }
    Impatient(const Impatient&) = delete;
    Impatient& operator=(const Impatient&) = delete;

   private:
    Interruption& interruption_;
  };

 private:
  enum class Why { kNothing, kDeadline, kStop };

  void SetBounds(const Bounds& bounds);
  static int OnProgress(void* self);
  static int OnBusy(void* self, int times_called);

  const Clock& clock_;
  const Duration busy_timeout_;
  Bounds bounds_;
  int suspended_ = 0;
  bool impatient_ = false;
  Why why_ = Why::kNothing;
  StopReason stop_reason_ = StopReason::kNone;
  std::chrono::milliseconds waited_{0};  // for the lock that is waited for now
};

}  // namespace emsdb::sqlite

#endif  // EMSDB_POOL_SQLITE_INTERRUPTION_H_
