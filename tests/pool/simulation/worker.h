// The real worker without its thread: its flow of control is a task of the scheduler. What it
// reports passes the witness first.
#ifndef EMSDB_TESTS_POOL_SIMULATION_WORKER_H_
#define EMSDB_TESTS_POOL_SIMULATION_WORKER_H_

#include <memory>
#include <optional>

#include "pool/worker.h"
#include "tests/pool/simulation/defect.h"
#include "tests/pool/simulation/scheduler.h"
#include "tests/pool/simulation/witness.h"

namespace emsdb {

// Between a worker and its pool: lets others come in between, sees who gets which slot, and that a
// worker has one order at a time.
class WatchedHost final : public WorkerHost {
 public:
  WatchedHost(WorkerHost& pool, SlotId slot, Scheduler& scheduler, Witness& witness, Defect defect);

  std::optional<Order> Opened(SlotId slot, Duration took) override;
  std::optional<Order> OpenFailed(SlotId slot, const absl::Status& why) override;
  std::optional<Order> Closed(SlotId slot, CloseReason reason) override;
  std::optional<Order> FoundStale(SlotId slot, std::shared_ptr<Waiter> waiter) override;
  std::optional<Order> Returned(SlotId slot, Condition condition, Instant answered) override;

  void Reset(SlotId slot, ResetResult result) override;

  void Ordered(const Order& order);

 private:
  static constexpr int kUnknown = Witness::kUnknown;
  void Reports(const char* what);
  bool IsTrue(CloseReason reason) const;
  std::optional<Order> Answered(std::optional<Order> order);

  WorkerHost& pool_;
  const SlotId slot_;
  Scheduler& scheduler_;
  Witness& witness_;
  const Defect defect_;
  bool busy_ = false;          // with an order
  int generation_ = kUnknown;  // of the connection; kUnknown while the pool is being told
  Instant opened_{};
  std::optional<Condition> returned_;  // if that was its last report
  bool stale_ = false;                 // likewise
  Person* holder_ = nullptr;           // whom the present order serves, or the first of its group
  bool group_ = false;
  bool group_reports_ = false;
};

class SimulatedWorker final : public ConnectionWorker {
 public:
  SimulatedWorker(std::unique_ptr<WatchedHost> host, SlotId slot, Connector& connector,
                  Scheduler& scheduler);
  ~SimulatedWorker() override { scheduler_.Join(task_); }

  void Give(Order order) override;

 private:
  void AwaitChange() override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Changed() override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { scheduler_.Wake(task_); }

  const std::unique_ptr<WatchedHost> host_;
  Scheduler& scheduler_;
  const Scheduler::TaskId task_;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_POOL_SIMULATION_WORKER_H_
