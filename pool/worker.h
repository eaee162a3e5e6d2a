// The thread that belongs to one connection: the only place that blocks. It opens, proves, uses and
// closes the connection, each when it is ordered to, and reports back.
#ifndef EMSDB_POOL_WORKER_H_
#define EMSDB_POOL_WORKER_H_

#include <memory>
#include <optional>
#include <thread>
#include <variant>

#include "pool/clock.h"
#include "pool/connection.h"
#include "pool/lease.h"
#include "pool/pool_state.h"

namespace emsdb {

struct OpenOrder {};
struct ServeOrder {
  std::shared_ptr<Waiter> waiter;
  Check check = Check::kPing;
  Instant deadline = kNever;
};
struct CloseOrder {
  CloseReason reason = CloseReason::kShutdown;
};
struct ExitOrder {};
using Order = std::variant<OpenOrder, ServeOrder, CloseOrder, ExitOrder>;

// To whom a worker reports. Each report may answer with the slot's next order, which then needs no
// other thread. Called in the worker's thread without any lock held.
class WorkerHost {
 public:
  virtual ~WorkerHost() = default;
  virtual std::optional<Order> Opened(SlotId slot, Duration took) = 0;
  virtual std::optional<Order> OpenFailed(SlotId slot, const absl::Status& why) = 0;
  virtual std::optional<Order> Closed(SlotId slot, CloseReason reason) = 0;
  virtual std::optional<Order> FoundStale(SlotId slot, std::shared_ptr<Waiter> waiter) = 0;
  virtual std::optional<Order> Returned(SlotId slot, Condition condition, Instant answered) = 0;
};

class Worker {
 public:
  Worker(WorkerHost& host, SlotId slot, Connector& connector, Clock& clock);

  // Waits for the thread to end: it must have been given an ExitOrder.
  ~Worker();

  // Any thread. The slot's states see to it that there is one order at a time.
  void Give(Order order);

  // Any thread: what runs now, or is being opened, shall end.
  void Stop(StopReason reason) { stop_.Raise(reason); }

 private:
  friend class Lease;

  void Run();
  Order NextOrder();
  std::optional<Order> Carry(const OpenOrder& order);
  std::optional<Order> Carry(ServeOrder& order);
  std::optional<Order> Carry(const CloseOrder& order);
  std::optional<Order> Carry(const ExitOrder&) { return std::nullopt; }

  bool Proved(const ServeOrder& order);
  bool Kept();
  std::shared_ptr<Waiter> RunTask();
  bool MustBeCleaned() const;
  Condition Clean();
  Bounds ShortBounds(Duration longest);

  // For Lease.
  void Post(LeaseTask task);
  void EndLease();

  WorkerHost& host_;
  const SlotId slot_;
  Connector& connector_;
  Clock& clock_;
  StopSignal stop_;
  // The thread's own.
  std::unique_ptr<Connection> connection_;
  std::shared_ptr<Waiter> answer_;  // of the task that runs
  bool ping_cut_short_ = false;     // by the deadline of the caller for whom it was sent

  Mutex mutex_;
  CondVar changed_;
  std::optional<Order> order_ ABSL_GUARDED_BY(mutex_);
  std::optional<LeaseTask> task_ ABSL_GUARDED_BY(mutex_);
  bool leased_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;  // last: it starts when everything else stands
};

}  // namespace emsdb

#endif  // EMSDB_POOL_WORKER_H_
