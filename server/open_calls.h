// How many calls are under way, and whether new ones are taken: what a drain waits for.
#ifndef EMSDB_SERVER_OPEN_CALLS_H_
#define EMSDB_SERVER_OPEN_CALLS_H_

#include <utility>

#include "absl/status/status.h"
#include "pool/clock.h"

namespace emsdb {

// Safe for use by any number of threads.
class OpenCalls {
 public:
  // One call under way, until this ends. Empty: it was refused.
  class Entry {
   public:
    Entry() = default;
    explicit Entry(OpenCalls* in) : in_(in) {}
    Entry(Entry&& other) noexcept : in_(std::exchange(other.in_, nullptr)) {}
    Entry& operator=(Entry&&) = delete;
    ~Entry() {
      if (in_ != nullptr) in_->Leave();
    }
    explicit operator bool() const { return in_ != nullptr; }

   private:
    OpenCalls* in_ = nullptr;
  };

  explicit OpenCalls(Clock& clock) : clock_(clock) {}

  // Empty once the drain has begun; then the answer is ShuttingDown().
  Entry Enter();
  static absl::Status ShuttingDown();

  void Refuse();  // from now on

  // Waits until no call is under way, at most until `deadline`; then false.
  bool AwaitNone(Instant deadline);

 private:
  void Leave();

  Clock& clock_;
  Mutex mutex_;
  CondVar changed_;
  int open_ ABSL_GUARDED_BY(mutex_) = 0;
  bool refusing_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_OPEN_CALLS_H_
