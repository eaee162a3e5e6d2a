// The right to use one connection, and who waits for it.
#ifndef EMSDB_POOL_LEASE_H_
#define EMSDB_POOL_LEASE_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "pool/connection.h"
#include "pool/line.h"

namespace emsdb {

class Lease;
class Waiter;
class Worker;

using LeaseTask = absl::AnyInvocable<void(Lease)>;

// Move-only; when it ends the connection goes back to its pool, which rolls back what was left
// open. Held by one thread at a time. The connection itself is only touched in its worker's thread.
class Lease {
 public:
  Lease() = default;
  explicit Lease(Worker* worker) : worker_(worker) {}
  Lease(Lease&& other) noexcept : worker_(std::exchange(other.worker_, nullptr)) {}
  Lease& operator=(Lease&& other) noexcept {
    if (this != &other) {
      End();
      worker_ = std::exchange(other.worker_, nullptr);
    }
    return *this;
  }
  ~Lease() { End(); }

  explicit operator bool() const { return worker_ != nullptr; }

  // Hands the lease to `task`, which runs in the worker's thread and there keeps it or lets it end.
  void Run(LeaseTask task) &&;

  // The worker's thread only.
  Connection& connection() const;

  // For a task, in the worker's thread: answers `waiter` when the task is over. If the lease ended
  // in it, the connection is back in the pool by then, unless it must be cleaned first.
  void AnswerAfterwards(std::shared_ptr<Waiter> waiter) const;

  // What stops the statement that runs on this lease.
  StopSignal& stop() const;

 private:
  void End();

  Worker* worker_ = nullptr;
};

// Who holds a connection, for error texts, status and log. Never a bind value.
struct Holder {
  std::string caller;
  std::string statement;  // its fingerprint
};

// Somebody who wants a connection. Exactly one of Granted, Board and Refused is called, once.
class Waiter {
 public:
  virtual ~Waiter() = default;

  // In the thread of the connection's worker, the only one that may block.
  virtual void Granted(Lease lease) = 0;

  // After Granted, in the same thread, when the connection is already back in the pool (or is known
  // to be kept): the time to answer the caller, whose next call then finds the connection free.
  virtual void Answer() = 0;

  // For one that asked with Grouping::kGroup, in place of Granted, where it is served in a group:
  // what is to run until GroupedRead::Ended, which is its answer too. Null: it is not to be run any
  // more; Answer() follows, in the worker's thread. In that thread, or in the one in which it was
  // granted a connection.
  virtual GroupedRead* Board() { return nullptr; }

  // In any thread; must not block.
  virtual void Refused(absl::Status why) = 0;

  // In any thread: it was granted a connection that proved dead, and is in line again.
  virtual void BackInLine() {}

  virtual Holder holder() const = 0;

  // It was chosen to be served in the group of another. Under the pool's lock: for those who watch
  // the pool's decisions, nothing else.
  virtual void Joined() {}

 private:
  friend class Pool;
  Ticket ticket_;  // of its place in line, if it has one; guarded by that pool's mutex
};

}  // namespace emsdb

#endif  // EMSDB_POOL_LEASE_H_
