// How a call is given up by another thread than the one that waits for it: Ctrl-C in the command
// line client, a closed window in a program with one.
#ifndef EMSDB_CLIENT_CANCEL_H_
#define EMSDB_CLIENT_CANCEL_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace emsdb::client {

using Duration = std::chrono::nanoseconds;
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;

// One source may stand behind any number of calls; once cancelled it stays so, and calls that
// begin later with it fail at once. All methods may be called by any thread.
class CancelSource {
 public:
  // Ends the calls that run with this source, and returns when each was told.
  void Cancel();

  bool cancelled() const;

  // Waits until `until` or Cancel(), whichever is first.
  void WaitUntil(Instant until);

 private:
  friend class OnCancel;
  std::uint64_t Add(std::function<void()> action);
  void Remove(std::uint64_t id);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool cancelled_ = false;
  std::uint64_t next_id_ = 0;
  std::map<std::uint64_t, std::function<void()>> actions_;
};

// Runs `action` when the source is cancelled (at once if it was before), and never after this
// object is gone. The action must be short and must not use the source. A null source is allowed.
class OnCancel {
 public:
  OnCancel(std::shared_ptr<CancelSource> source, std::function<void()> action);
  ~OnCancel();
  OnCancel(const OnCancel&) = delete;
  OnCancel& operator=(const OnCancel&) = delete;

 private:
  std::shared_ptr<CancelSource> source_;
  std::uint64_t id_ = 0;
};

}  // namespace emsdb::client

#endif  // EMSDB_CLIENT_CANCEL_H_
