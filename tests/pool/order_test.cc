// Nobody is overtaken by one of the same class, whatever the others do.
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "pool/pool.h"
#include "tests/pool/state_play.h"
#include "tests/support/fake_clock.h"
#include "tests/support/inline_worker.h"
#include "tests/support/passages.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;

constexpr int kCallers = 32;
constexpr int kSlots = 16;

// What one class has seen: tickets are drawn at the door and called in their order.
struct Queue {
  int drawn = 0;
  int called = 0;
  int inversions = 0;
};

class OrderedCaller final : public Waiter, public std::enable_shared_from_this<OrderedCaller> {
 public:
  OrderedCaller(Pool& pool, std::array<Queue, kPriorities>& queues)
      : pool_(pool), queues_(queues) {}

  void Ask(Priority priority) {
    queue_ = &queues_[static_cast<int>(priority)];
    number_ = ++queue_->drawn;
    pool_.Submit(shared_from_this(), {.priority = priority});
  }
  bool holds() const { return static_cast<bool>(lease_); }
  void GiveBack() { const Lease gone = std::move(lease_); }

  void Granted(Lease lease) override {
    lease_ = std::move(lease);
    if (number_ != ++queue_->called) ++queue_->inversions;
  }
  void Answer() override {}
  void Refused(absl::Status why) override { ADD_FAILURE() << why; }
  Holder holder() const override { return {}; }

 private:
  Pool& pool_;
  std::array<Queue, kPriorities>& queues_;
  Queue* queue_ = nullptr;
  int number_ = 0;
  Lease lease_;
};

TEST(PoolOrder, ServesEachClassInTheOrderOfArrival) {
  FakeClock clock;
  Upkeep upkeep(clock);
  Pool pool(Limits(kSlots, 0), InlineWorkers(clock), clock, upkeep);
  std::array<Queue, kPriorities> queues;
  std::vector<std::shared_ptr<OrderedCaller>> callers;
  std::mt19937 random(1);
  const auto ask = [&](OrderedCaller& caller) {
    caller.Ask(static_cast<Priority>(random() % kPriorities));
  };
  for (int i = 0; i < kCallers; ++i) {
    callers.push_back(std::make_shared<OrderedCaller>(pool, queues));
    ask(*callers.back());
  }
  for (int i = 0; i < 20'000; ++i) {
    OrderedCaller& caller = *callers[random() % callers.size()];
    if (!caller.holds()) continue;
    clock.Advance(milliseconds(random() % 400));  // some wait long enough to have aged
    caller.GiveBack();
    ask(caller);
  }
  for (const Queue& queue : queues) {
    EXPECT_GT(queue.called, 1000);
    EXPECT_EQ(queue.inversions, 0);
  }
  while (pool.numbers().counts.leased > 0) {
    for (const auto& caller : callers) caller->GiveBack();
  }
}

// Asks again when it is answered, in the worker's thread, and notes down when.
class RestlessCaller final : public Waiter, public std::enable_shared_from_this<RestlessCaller> {
 public:
  RestlessCaller(Pool& pool, int cycles) : pool_(pool), passages_(cycles) {}

  void Ask() {
    Passage& passage = passages_[cycles_];
    passage.asked = Clock::Real().Now();
    pool_.Submit(shared_from_this(), {});
    passage.in_line = Clock::Real().Now();
  }
  void AwaitEnd() {
    MutexLock lock(mutex_);
    while (!ended_) changed_.Wait(mutex_);
  }
  const std::vector<Passage>& passages() const { return passages_; }

  void Granted(Lease) override {
    thread_local Instant last{};  // the thread has one connection: here it was another's
    const Instant now = Clock::Real().Now();
    passages_[cycles_].not_before = std::exchange(last, now);
    passages_[cycles_].granted = now;
    ++cycles_;
  }
  void Answer() override {
    if (cycles_ < static_cast<int>(passages_.size())) return Ask();
    MutexLock lock(mutex_);
    ended_ = true;
    changed_.NotifyAll();
  }
  void Refused(absl::Status why) override { ADD_FAILURE() << why; }
  Holder holder() const override { return {}; }

 private:
  Pool& pool_;
  std::vector<Passage> passages_;
  int cycles_ = 0;
  Mutex mutex_;
  CondVar changed_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

TEST(PoolOrder, OvertakesNobodyOnRealWorkers) {
  Clock& clock = Clock::Real();
  UpkeepThread upkeep(clock);
  std::vector<std::shared_ptr<RestlessCaller>> callers;
  {
    Pool pool(Limits(kSlots, 0), std::make_unique<NullConnector>(), clock, upkeep);
    for (int i = 0; i < kCallers; ++i) {
      callers.push_back(std::make_shared<RestlessCaller>(pool, 500));
      callers.back()->Ask();
    }
    for (const auto& caller : callers) caller->AwaitEnd();
  }
  std::vector<Passage> passages;
  for (const auto& caller : callers) {
    passages.insert(passages.end(), caller->passages().begin(), caller->passages().end());
  }
  EXPECT_EQ(Overtaken(std::move(passages)), 0);
}

TEST(Passages, SayWhoWasOvertaken) {
  const auto at = [](int time) { return Instant(milliseconds(time)); };
  const Passage first = {.asked = at(1), .in_line = at(2), .not_before = at(9), .granted = at(10)};
  const Passage second = {.asked = at(3), .in_line = at(4), .not_before = at(5), .granted = at(6)};
  EXPECT_EQ(Overtaken({first, second}), 1);
  EXPECT_EQ(Overtaken({second, first}), 1);
}

TEST(Passages, TakeNoHurryBeforeTheDoorOrBehindItForOvertaking) {
  const auto at = [](int time) { return Instant(milliseconds(time)); };
  const Passage slow = {.asked = at(1), .in_line = at(2), .not_before = at(3), .granted = at(10)};
  const Passage quick = {.asked = at(3), .in_line = at(4), .not_before = at(5), .granted = at(6)};
  EXPECT_EQ(Overtaken({slow, quick}), 0);  // its turn may have come before the other's
  const Passage late = {.asked = at(1), .in_line = at(4), .not_before = at(9), .granted = at(10)};
  EXPECT_EQ(Overtaken({late, quick}), 0);  // it may have come in after the other
}

}  // namespace
}  // namespace emsdb
