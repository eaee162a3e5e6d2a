// A worker without a thread: carries out each order at once, in the thread that gives it. What is
// left is what the pool itself costs and decides.
#ifndef EMSDB_TESTS_SUPPORT_INLINE_WORKER_H_
#define EMSDB_TESTS_SUPPORT_INLINE_WORKER_H_

#include <memory>
#include <optional>
#include <utility>

#include "pool/worker.h"
#include "tests/support/null_driver.h"

namespace emsdb {

// A lease may end in Granted or later. Used by one thread at a time: who ends a lease gets the
// slot's next waiter granted before the lease's end returns. An Answer that asks for a connection
// again would nest without bound; such callers ask later.
class InlineWorker final : public Worker {
 public:
  InlineWorker(WorkerHost& host, SlotId slot, Clock& clock)
      : host_(host), slot_(slot), clock_(clock) {}

  void Give(Order order) override {
    std::optional<Order> next(std::move(order));
    while (next) next = std::visit([this](auto& what) { return Carry(what); }, *next);
  }
  void Stop(StopReason) override {}

 private:
  std::optional<Order> Carry(const OpenOrder&) { return host_.Opened(slot_, Duration::zero()); }
  std::optional<Order> Carry(const CloseOrder& order) { return host_.Closed(slot_, order.reason); }
  std::optional<Order> Carry(const ExitOrder&) { return std::nullopt; }
  std::optional<Order> Carry(ServeOrder& order) {
    waiter_ = std::move(order.waiter);
    if (!connection_.LooksAlive()) return host_.FoundStale(slot_, std::move(waiter_));
    leased_ = granting_ = true;
    waiter_->Granted(Lease(this));
    granting_ = false;
    if (leased_) return std::nullopt;
    return TakeBack();
  }

  std::optional<Order> TakeBack() {
    const std::shared_ptr<Waiter> waiter = std::move(waiter_);
    std::optional<Order> next = host_.Returned(slot_, Condition::kGood, clock_.Now());
    waiter->Answer();
    return next;
  }

  void Post(LeaseTask task) override { task(Lease(this)); }
  void EndLease() override {
    leased_ = false;
    if (granting_) return;
    if (std::optional<Order> next = TakeBack()) Give(*std::move(next));
  }
  Connection& connection() override { return connection_; }
  StopSignal& stop() override { return stop_; }
  void AnswerAfterwards(std::shared_ptr<Waiter>) override {}

  WorkerHost& host_;
  const SlotId slot_;
  Clock& clock_;
  NullConnection connection_;
  StopSignal stop_;
  std::shared_ptr<Waiter> waiter_;
  bool leased_ = false;
  bool granting_ = false;
};

inline WorkerFactory InlineWorkers(Clock& clock) {
  return [&clock](WorkerHost& host, SlotId slot) {
    return std::make_unique<InlineWorker>(host, slot, clock);
  };
}

}  // namespace emsdb

#endif  // EMSDB_TESTS_SUPPORT_INLINE_WORKER_H_
