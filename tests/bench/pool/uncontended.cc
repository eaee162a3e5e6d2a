// One caller, a connection always free: what it costs to get one and to give it back.
#include <benchmark/benchmark.h>

#include <memory>
#include <utility>

#include "pool/call.h"
#include "pool/pool.h"
#include "tests/bench/pool/setting.h"
#include "tests/support/inline_worker.h"

namespace emsdb {
namespace {

constexpr Duration kPatience = std::chrono::seconds(5);  // every call carries a deadline

class InAndOut final : public Waiter {
 public:
  void Granted(Lease lease) override { benchmark::DoNotOptimize(lease.connection().broken()); }
  void Answer() override {}
  void Refused(absl::Status why) override { Unexpected(why); }
  Holder holder() const override { return SomeHolder(); }
};

// The decisions alone: no lock, no clock, nobody called.
void StateAlone(benchmark::State& state) {
  PoolState pool(Limits(5, 10));
  Instant now = Clock::Real().Now();
  Actions opening;
  pool.Arrive(now, {}, opening);
  Actions opened;
  pool.Opened(now, opening.opens[0], opened);
  SlotId slot = opened.grants[0].slot;
  for (auto _ : state) {
    now += std::chrono::microseconds(1);
    Actions back;
    pool.Returned(now, slot, Condition::kGood, now, back);
    Actions out;
    pool.Arrive(now, {.deadline = now + kPatience}, out);
    slot = out.grants[0].slot;
  }
}
BENCHMARK(StateAlone);

// The pool with its lock, its clock and its orders, the work done in the caller's thread.
void PoolInline(benchmark::State& state) {
  Clock& clock = Clock::Real();
  UpkeepThread upkeep(clock);
  Pool pool(Limits(5, 10), InlineWorkers(clock), clock, upkeep);
  const auto caller = std::make_shared<InAndOut>();
  Checkout checkout;
  for (auto _ : state) {
    checkout.deadline = clock.Now() + kPatience;
    pool.Submit(caller, checkout);
  }
}
BENCHMARK(PoolInline);

class EmptyCall final : public Call {
 public:
  using Call::Call;

 private:
  absl::Status Run(Connection& connection, const Bounds&, Lease&) override {
    benchmark::DoNotOptimize(connection.broken());
    return absl::OkStatus();
  }
  void Finish(absl::Status status, const CallTimes&) override {
    if (!status.ok()) Unexpected(status);
  }
};

// A whole call, made, started and answered: what an RPC pays for its connection.
void CallInline(benchmark::State& state) {
  Clock& clock = Clock::Real();
  UpkeepThread upkeep(clock);
  Pool pool(Limits(5, 10), InlineWorkers(clock), clock, upkeep);
  for (auto _ : state) {
    Holder holder = SomeHolder();
    const auto call =
        std::make_shared<EmptyCall>(CallOptions{.deadline = clock.Now() + kPatience,
                                                .caller = std::move(holder.caller),
                                                .statement = std::move(holder.statement)},
                                    clock);
    call->Start(pool, Purpose::kStatement);
  }
}
BENCHMARK(CallInline);

class Awaited final : public Waiter {
 public:
  void Granted(Lease lease) override { benchmark::DoNotOptimize(lease.connection().broken()); }
  void Answer() override {
    MutexLock lock(mutex_);
    answered_ = true;
    changed_.NotifyOne();
  }
  void Refused(absl::Status why) override { Unexpected(why); }
  Holder holder() const override { return SomeHolder(); }

  void Await() {
    MutexLock lock(mutex_);
    while (!answered_) changed_.Wait(mutex_);
    answered_ = false;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool answered_ ABSL_GUARDED_BY(mutex_) = false;
};

// The same with a real worker, for a caller that blocks: to the worker's thread and back.
void PoolThread(benchmark::State& state) {
  Clock& clock = Clock::Real();
  UpkeepThread upkeep(clock);
  Pool pool(Limits(5, 10), std::make_unique<NullConnector>(), clock, upkeep);
  const auto caller = std::make_shared<Awaited>();
  Checkout checkout;
  for (auto _ : state) {
    checkout.deadline = clock.Now() + kPatience;
    pool.Submit(caller, checkout);
    caller->Await();
  }
}
BENCHMARK(PoolThread)->UseRealTime();

// For scale: the pool reads the clock more than once for each call.
void ReadingTheClock(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Clock::Real().Now());
}
BENCHMARK(ReadingTheClock);

}  // namespace
}  // namespace emsdb
