// What works for one connection: the only place that blocks. It opens, proves, uses and closes the
// connection, each when it is ordered to, and reports back. As a rule it is a thread.
#ifndef EMSDB_POOL_WORKER_H_
#define EMSDB_POOL_WORKER_H_

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

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
  Grouping grouping = Grouping::kAlone;
  std::vector<std::shared_ptr<Waiter>> others = {};  // of its group

  // What was done already by who gave the order.
  enum class Ahead { kNothing, kBoarded, kSent };
  Ahead ahead = Ahead::kNothing;
  GroupedRead* read = nullptr;  // as Board() said
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
  // A session was changed by its holder and reset, or not. Before Returned.
  virtual void Reset(SlotId /*slot*/, ResetResult /*result*/) {}
};

// What does the work of one slot. A Pool knows no more of it than this, so that a simulation can
// stand in for threads.
class Worker {
 public:
  virtual ~Worker() = default;

  // Any thread. The slot's states see to it that there is one order at a time.
  virtual void Give(Order order) = 0;

  // Any thread: what runs now, or is being opened, shall end.
  virtual void Stop(StopReason reason) = 0;

 private:
  friend class Lease;

  virtual void Post(LeaseTask task) = 0;
  virtual void EndLease() = 0;
  virtual Connection& connection() = 0;
  virtual StopSignal& stop() = 0;
  virtual void AnswerAfterwards(std::shared_ptr<Waiter> waiter) = 0;
};

// Makes the worker of a slot. Throws std::system_error where the process is out of threads or
// descriptors.
using WorkerFactory = std::function<std::unique_ptr<Worker>(WorkerHost& host, SlotId slot)>;

// What every worker does, step by step; how it waits for the next order is a subclass's. The steps
// are one flow of control, Run, that nobody else enters.
class ConnectionWorker : public Worker {
 public:
  void Give(Order order) override;
  void Stop(StopReason reason) override { stop_.Raise(reason); }

 protected:
  ConnectionWorker(WorkerHost& host, SlotId slot, Connector& connector, Clock& clock)
      : host_(host), slot_(slot), connector_(connector), clock_(clock) {}

  // Carries out orders until an ExitOrder comes.
  void Run();

  // In Run: lets go of mutex_ until Changed() is called; may return early.
  virtual void AwaitChange() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) = 0;
  // Any thread: there is something new to do.
  virtual void Changed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) = 0;

  Mutex mutex_;

 private:
  Order NextOrder();
  std::optional<Order> Carry(const OpenOrder& order);
  std::optional<Order> Carry(ServeOrder& order);
  std::optional<Order> CarryGroup(ServeOrder& order);
  std::optional<Order> CarrySent(const ServeOrder& order);
  Bounds GroupBounds(std::span<GroupedRead* const> reads);
  std::optional<Order> GiveBackGroup();
  std::optional<Order> Carry(const CloseOrder& order);
  std::optional<Order> Carry(const ExitOrder&) { return std::nullopt; }

  // In the thread that gives the order, while the worker waits for it.
  void SendAhead(ServeOrder& order);
  bool IsWaiting();
  bool Proved(const ServeOrder& order);
  bool Kept();
  std::shared_ptr<Waiter> RunTask();
  bool MustBeCleaned() const;
  Condition Clean();
  void ResetSession();
  Bounds ShortBounds(Duration longest);

  void Post(LeaseTask task) override;
  void EndLease() override;
  Connection& connection() override { return *connection_; }
  StopSignal& stop() override { return stop_; }
  void AnswerAfterwards(std::shared_ptr<Waiter> waiter) override { answer_ = std::move(waiter); }

  WorkerHost& host_;
  const SlotId slot_;
  Connector& connector_;
  Clock& clock_;
  StopSignal stop_;
  // Run's own.
  std::unique_ptr<Connection> connection_;
  std::shared_ptr<Waiter> answer_;  // of the task that runs
  bool ping_cut_short_ = false;     // by the deadline of the caller for whom it was sent

  std::optional<Order> order_ ABSL_GUARDED_BY(mutex_);
  bool waits_ ABSL_GUARDED_BY(mutex_) = false;  // for an order
  std::optional<LeaseTask> task_ ABSL_GUARDED_BY(mutex_);
  bool leased_ ABSL_GUARDED_BY(mutex_) = false;
};

// The real one: a thread.
class ThreadWorker final : public ConnectionWorker {
 public:
  ThreadWorker(WorkerHost& host, SlotId slot, Connector& connector, Clock& clock)
      : ConnectionWorker(host, slot, connector, clock), thread_([this] { Run(); }) {}

  // Waits for the thread to end: it must have been given an ExitOrder.
  ~ThreadWorker() override { thread_.join(); }

 private:
  void AwaitChange() override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { changed_.Wait(mutex_); }
  void Changed() override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { changed_.NotifyOne(); }

  CondVar changed_;
  std::thread thread_;  // last: it starts when everything else stands
};

}  // namespace emsdb

#endif  // EMSDB_POOL_WORKER_H_
