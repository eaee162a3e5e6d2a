#include "pool/upkeep.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/fake_clock.h"

namespace emsdb {
namespace {

using std::chrono::seconds;

// Notes when it was asked; comes again when it was told to.
class Diary final : public Due {
 public:
  // `once` runs within the first round.
  explicit Diary(Upkeep& upkeep, std::function<void()> once = nullptr)
      : upkeep_(upkeep), once_(std::move(once)) {
    upkeep_.Add(*this);
  }
  ~Diary() override { upkeep_.Remove(*this); }

  Instant Tick(Instant now) override {
    if (once_) std::exchange(once_, nullptr)();
    MutexLock lock(mutex_);
    if (now >= due_) {
      ++done_;
      due_ = kNever;
    }
    ++ticks_;
    changed_.NotifyAll();
    return due_;
  }
  void SetDue(Instant when) {
    {
      MutexLock lock(mutex_);
      due_ = when;
    }
    upkeep_.Nudge(when);
  }
  void AwaitDone(int count) {
    MutexLock lock(mutex_);
    while (done_ < count) changed_.Wait(mutex_);
  }
  void AwaitTicks(int count) {
    MutexLock lock(mutex_);
    while (ticks_ < count) changed_.Wait(mutex_);
  }

 private:
  Upkeep& upkeep_;
  std::function<void()> once_;
  Mutex mutex_;
  CondVar changed_;
  Instant due_ ABSL_GUARDED_BY(mutex_) = kNever;
  int done_ ABSL_GUARDED_BY(mutex_) = 0;
  int ticks_ ABSL_GUARDED_BY(mutex_) = 0;
};

TEST(Upkeep, ComesWhenSomethingIsDue) {
  FakeClock clock;
  UpkeepThread upkeep(clock);
  Diary diary(upkeep);
  diary.SetDue(clock.Now() + seconds(5));
  clock.Advance(seconds(5));
  diary.AwaitDone(1);
}

TEST(Upkeep, ComesEarlierWhenItIsNudged) {
  FakeClock clock;
  UpkeepThread upkeep(clock);
  Diary later(upkeep);
  later.SetDue(clock.Now() + seconds(60));
  Diary sooner(upkeep);
  sooner.SetDue(clock.Now() + seconds(1));
  clock.Advance(seconds(1));
  sooner.AwaitDone(1);
}

TEST(Upkeep, ComesAtOnceForWhatIsDueAlready) {
  FakeClock clock;
  UpkeepThread upkeep(clock);
  Diary diary(upkeep);
  diary.SetDue(clock.Now());
  diary.AwaitDone(1);
}

TEST(Upkeep, MissesNoDeadlineThatIsSetDuringARound) {
  FakeClock clock;
  UpkeepThread upkeep(clock);
  Diary asked(upkeep);
  Diary nudges(upkeep, [&] { asked.SetDue(clock.Now() + seconds(1)); });
  // The round has asked the first, which had nothing to do, before the second gives it a deadline.
  nudges.AwaitTicks(1);
  clock.Advance(seconds(1));
  asked.AwaitDone(1);
}

// Many deadlines from many threads, while the clock moves: none is forgotten.
TEST(Upkeep, MissesNoneOfManyDeadlinesFromManyThreads) {
  FakeClock clock;
  UpkeepThread upkeep(clock);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      Diary diary(upkeep);
      for (int n = 1; n <= 200; ++n) {
        diary.SetDue(clock.Now() + std::chrono::milliseconds(n % 7));
        clock.Advance(std::chrono::milliseconds(n % 7));
        diary.AwaitDone(n);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(Upkeep, AsksNobodyWhoWasRemoved) {
  FakeClock clock;
  UpkeepThread upkeep(clock);
  Diary stays(upkeep);
  for (int i = 0; i < 100; ++i) {
    Diary passes(upkeep);
    passes.SetDue(clock.Now());
  }
  stays.SetDue(clock.Now());
  stays.AwaitDone(1);
}

TEST(Upkeep, EndsWhileItWaits) {
  FakeClock clock;
  UpkeepThread upkeep(clock);
  upkeep.Nudge(clock.Now() + seconds(1000));
}

}  // namespace
}  // namespace emsdb
