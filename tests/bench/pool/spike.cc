// Many callers at once on real workers, with a driver that takes its time to connect.
#include <benchmark/benchmark.h>

#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "pool/pool.h"
#include "tests/bench/pool/setting.h"
#include "tests/support/null_driver.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;

// Calls that hold a connection for a while, awaited together.
class Crowd {
 public:
  // All at once; returns when everybody was answered.
  void Send(Pool& pool, int count, Duration hold) {
    {
      MutexLock lock(mutex_);
      left_ += count;
    }
    for (int i = 0; i < count; ++i) pool.Submit(std::make_shared<Member>(*this, hold), {});
    MutexLock lock(mutex_);
    while (left_ > 0) changed_.Wait(mutex_);
  }

  std::vector<Duration> TakeWaits() {
    MutexLock lock(mutex_);
    return std::exchange(waits_, {});
  }

 private:
  class Member final : public Waiter {
   public:
    Member(Crowd& crowd, Duration hold) : crowd_(crowd), hold_(hold) {}

    void Granted(Lease) override {
      wait_ = Clock::Real().Now() - asked_;
      std::this_thread::sleep_for(hold_);
    }
    void Answer() override { crowd_.Answered(wait_); }
    void Refused(absl::Status why) override { Unexpected(why); }
    Holder holder() const override { return SomeHolder(); }

   private:
    Crowd& crowd_;
    const Duration hold_;
    const Instant asked_ = Clock::Real().Now();
    Duration wait_{};
  };

  void Answered(Duration wait) {
    MutexLock lock(mutex_);
    waits_.push_back(wait);
    if (--left_ == 0) changed_.NotifyAll();
  }

  Mutex mutex_;
  CondVar changed_;
  int left_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<Duration> waits_ ABSL_GUARDED_BY(mutex_);
};

// `callers` at once on `idle` connections, where opening another takes longer than all of them need
// together.
void Spike(benchmark::State& state, const PoolLimits& limits, int idle, int callers,
           Duration hold) {
  Clock& clock = Clock::Real();
  UpkeepThread upkeep(clock);
  for (auto _ : state) {
    OpenCount connections;
    Pool pool(limits, std::make_unique<NullConnector>(milliseconds(150), &connections), clock,
              upkeep);
    Crowd crowd;
    // Callers like those to come: the pool learns from them how long a connection is held.
    if (idle > 0) crowd.Send(pool, idle, hold);
    crowd.TakeWaits();
    const Instant began = clock.Now();
    crowd.Send(pool, callers, hold);
    state.SetIterationTime(Seconds(clock.Now() - began));
    ReportWaits(state, crowd.TakeWaits());
    pool.Drain(kNever);
    state.counters["most_connections"] = connections.most();
  }
}

void SpikeOnIdle(benchmark::State& state) { Spike(state, Limits(5, 10), 5, 50, milliseconds(2)); }
BENCHMARK(SpikeOnIdle)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);

void SpikeFromZero(benchmark::State& state) { Spike(state, Limits(10, 0), 0, 50, milliseconds(2)); }
BENCHMARK(SpikeFromZero)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace emsdb
