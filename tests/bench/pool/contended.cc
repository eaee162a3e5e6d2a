// 32 asynchronous callers for 16 connections: each asks again as soon as it has given back, so that
// half of them always stand in line.
#include <benchmark/benchmark.h>
#include <time.h>

#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "pool/pool.h"
#include "tests/bench/pool/setting.h"
#include "tests/support/inline_worker.h"
#include "tests/support/passages.h"

namespace emsdb {
namespace {

constexpr int kCallers = 32;
constexpr int kSlots = 16;
constexpr int kCyclesEach = 20'000;
constexpr Duration kPatience = std::chrono::seconds(30);

// A caller's passages, one after another. Each of their fields is written once, by whichever thread
// has the caller at that moment; none is read before the end.
class Caller : public Waiter {
 public:
  Caller() : passages_(kCyclesEach) {}

  bool at_end() const { return cycles_ == kCyclesEach; }
  int cycles() const { return cycles_; }

  void Ask(Pool& pool, std::shared_ptr<Waiter> self, Instant now) {
    Passage& passage = passages_[cycles_];
    passage.asked = now;
    pool.Submit(std::move(self), {.deadline = now + kPatience});
  }
  // The passage for which the caller asked last.
  Passage& passage() { return passages_[cycles_]; }
  void Got(Instant not_before, Instant now) {
    passage().not_before = not_before;
    passage().granted = now;
    ++cycles_;
  }
  // Of what was finished.
  void AddTo(std::vector<Passage>& all) const {
    all.insert(all.end(), passages_.begin(), passages_.begin() + cycles_);
  }

  void Refused(absl::Status why) override { Unexpected(why); }
  Holder holder() const override { return SomeHolder(); }

 private:
  std::vector<Passage> passages_;
  int cycles_ = 0;
};

// Of all threads of the process; what the machine gave to others is not in it.
Duration CpuTime() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + Duration(time.tv_nsec);
}

template <typename C>
void Report(benchmark::State& state, const std::vector<std::shared_ptr<C>>& callers, Duration took,
            Duration cpu) {
  std::vector<Passage> passages;
  for (const auto& caller : callers) caller->AddTo(passages);
  std::vector<Duration> waits;
  for (const Passage& passage : passages) waits.push_back(passage.wait());
  state.counters["cycles_per_second"] = static_cast<double>(passages.size()) / Seconds(took);
  state.counters["cpu_ns_per_cycle"] = Nanoseconds(cpu) / static_cast<double>(passages.size());
  ReportWaits(state, std::move(waits));
  state.counters["inversions"] = Overtaken(std::move(passages));
  state.SetIterationTime(Seconds(took));
}

// Who has which connection, of those that one thread takes care of.
class HoldingCaller;
struct Share {
  std::vector<HoldingCaller*> holding;
  std::size_t turn = 0;
};
thread_local Share* share = nullptr;  // that of this thread

// Keeps its connection until it is its turn to give it back.
class HoldingCaller final : public Caller, public std::enable_shared_from_this<HoldingCaller> {
 public:
  explicit HoldingCaller(Pool& pool) : pool_(pool) {}

  void Granted(Lease lease) override {
    lease_ = std::move(lease);
    share->holding[share->turn] = this;
  }
  void Answer() override {}
  void AskNow(Instant now) { Ask(pool_, shared_from_this(), now); }
  void GiveBack() { const Lease gone = std::move(lease_); }

 private:
  Pool& pool_;
  Lease lease_;
};

// One connection after another is given back, goes to the first in line, and who gave it back asks
// again. The line is never empty, so that each thread keeps its share of the connections.
void Turn(Share& mine) {
  share = &mine;
  Clock& clock = Clock::Real();
  Instant* in_line = nullptr;
  for (;;) {
    mine.turn = (mine.turn + 1) % mine.holding.size();
    HoldingCaller* const before = mine.holding[mine.turn];
    const Instant began = clock.Now();
    if (in_line != nullptr) *in_line = began;
    before->GiveBack();
    const Instant now = clock.Now();
    mine.holding[mine.turn]->Got(began, now);
    if (before->at_end() || mine.holding[mine.turn]->at_end()) return;
    in_line = &before->passage().in_line;
    before->AskNow(now);
  }
}

// The pool's own work on as many threads as `state` says, each with its share of the connections.
void ContendedInline(benchmark::State& state) {
  Clock& clock = Clock::Real();
  UpkeepThread upkeep(clock);
  for (auto _ : state) {
    Pool pool(Limits(kSlots, 0), InlineWorkers(clock), clock, upkeep);
    std::vector<std::shared_ptr<HoldingCaller>> callers;
    std::vector<Share> shares(state.range(0));
    const Instant start = clock.Now();
    for (int i = 0; i < kCallers; ++i) {
      callers.push_back(std::make_shared<HoldingCaller>(pool));
      if (i < kSlots) {
        share = &shares[i % shares.size()];
        share->turn = share->holding.size();
        share->holding.push_back(nullptr);
      }
      callers.back()->AskNow(start);
      callers.back()->passage().in_line = clock.Now();
      if (i < kSlots) callers.back()->Got(start, start);
    }
    const Duration cpu = CpuTime();
    const Instant began = clock.Now();
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < shares.size(); ++i) {
      threads.emplace_back([&shares, i] { Turn(shares[i]); });
    }
    Turn(shares[0]);
    for (std::thread& thread : threads) thread.join();
    Report(state, callers, clock.Now() - began, CpuTime() - cpu);
    // Whoever still stands in line comes to a turn as well; nobody asks again.
    Share rest{.holding = {nullptr}};
    share = &rest;
    for (const auto& caller : callers) caller->GiveBack();
    for (const auto& caller : callers) caller->GiveBack();
  }
}
BENCHMARK(ContendedInline)
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

// Counts down to the end of everybody.
class Finish {
 public:
  explicit Finish(int count) : left_(count) {}
  void Reached() {
    MutexLock lock(mutex_);
    if (--left_ == 0) changed_.NotifyAll();
  }
  void Await() {
    MutexLock lock(mutex_);
    while (left_ > 0) changed_.Wait(mutex_);
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  int left_ ABSL_GUARDED_BY(mutex_);
};

// Asks again when it is answered, in the worker's thread.
class AskingCaller final : public Caller, public std::enable_shared_from_this<AskingCaller> {
 public:
  AskingCaller(Pool& pool, Finish& finish) : pool_(pool), finish_(finish) {}

  void Granted(Lease lease) override {
    thread_local Instant last{};  // a worker has one connection: here it was another's
    const Instant now = Clock::Real().Now();
    Got(std::exchange(last, now), now);
    benchmark::DoNotOptimize(lease.connection().broken());
  }
  void Answer() override {
    if (at_end()) return finish_.Reached();
    AskNow();
  }
  void AskNow() {
    Instant& in_line = passage().in_line;
    Ask(pool_, shared_from_this(), Clock::Real().Now());
    in_line = Clock::Real().Now();
  }

 private:
  Pool& pool_;
  Finish& finish_;
};

void ContendedThreads(benchmark::State& state) {
  Clock& clock = Clock::Real();
  UpkeepThread upkeep(clock);
  for (auto _ : state) {
    Finish finish(kCallers);
    std::vector<std::shared_ptr<AskingCaller>> callers;
    Pool pool(Limits(kSlots, 0), std::make_unique<NullConnector>(), clock, upkeep);
    for (int i = 0; i < kCallers; ++i) {
      callers.push_back(std::make_shared<AskingCaller>(pool, finish));
    }
    const Duration cpu = CpuTime();
    const Instant began = clock.Now();
    for (const auto& caller : callers) caller->AskNow();
    finish.Await();
    const Duration took = clock.Now() - began;
    const Duration used = CpuTime() - cpu;
    pool.Drain(kNever);  // the last Answer has returned, and with it the last in_line is written
    Report(state, callers, took, used);
  }
}
BENCHMARK(ContendedThreads)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace emsdb
