// A world in which things take time and no test does: what is to happen stands on an agenda, and
// the clock jumps from one entry to the next.
#ifndef EMSDB_TESTS_SUPPORT_VIRTUAL_TIME_H_
#define EMSDB_TESTS_SUPPORT_VIRTUAL_TIME_H_

#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "pool/worker.h"
#include "tests/support/fake_clock.h"
#include "tests/support/null_driver.h"

namespace emsdb {

// One thread's. Entries of the same time happen in the order in which they were made.
class Agenda {
 public:
  explicit Agenda(FakeClock& clock) : clock_(clock) {}

  void In(Duration wait, std::function<void()> what) {
    entries_.emplace(clock_.Now() + wait, std::move(what));
  }

  Instant Now() const { return clock_.Now(); }

  // Lets happen whatever stands there, and what is added meanwhile, until nothing is left.
  void RunOut() {
    while (!entries_.empty()) {
      auto next = entries_.extract(entries_.begin());
      clock_.Advance(next.key() - clock_.Now());
      next.mapped()();
    }
  }

 private:
  FakeClock& clock_;
  std::multimap<Instant, std::function<void()>> entries_;
};

struct Paces {
  Duration opening{};
  Duration serving{};  // how long each call keeps its connection; its lease ends in Granted
};

// Does what a worker's thread does, and as slowly, on the agenda's time.
class VirtualWorker final : public Worker {
 public:
  // `connections` outlives the worker.
  VirtualWorker(WorkerHost& host, SlotId slot, Agenda& agenda, const Paces& paces,
                OpenCount& connections)
      : host_(host), slot_(slot), agenda_(agenda), paces_(paces), connections_(connections) {}

  void Give(Order order) override {
    std::visit([this](auto& what) { Carry(what); }, order);
  }
  void Stop(StopReason) override {}

 private:
  void Follow(std::optional<Order> next) {
    if (next) Give(*std::move(next));
  }
  void Carry(const OpenOrder&) {
    connections_.Add();
    agenda_.In(paces_.opening, [this] {
      connection_ = std::make_unique<NullConnection>(&connections_);
      Follow(host_.Opened(slot_, paces_.opening));
    });
  }
  void Carry(ServeOrder& order) {
    order.waiter->Granted(Lease(this));
    agenda_.In(paces_.serving, [this, waiter = order.waiter] {
      std::optional<Order> next = host_.Returned(slot_, Condition::kGood, agenda_.Now());
      waiter->Answer();
      Follow(std::move(next));
    });
  }
  void Carry(const CloseOrder& order) {
    connection_.reset();
    Follow(host_.Closed(slot_, order.reason));
  }
  void Carry(const ExitOrder&) {}

  void Post(LeaseTask) override {}
  void EndLease() override {}
  Connection& connection() override { return *connection_; }
  StopSignal& stop() override { return stop_; }
  void AnswerAfterwards(std::shared_ptr<Waiter>) override {}

  WorkerHost& host_;
  const SlotId slot_;
  Agenda& agenda_;
  const Paces paces_;
  OpenCount& connections_;
  std::unique_ptr<NullConnection> connection_;
  StopSignal stop_;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_SUPPORT_VIRTUAL_TIME_H_
