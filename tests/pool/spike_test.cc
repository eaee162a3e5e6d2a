// Many callers at once, with a driver that takes its time to connect; the time is the test's own.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "pool/pool.h"
#include "tests/pool/state_play.h"
#include "tests/support/virtual_time.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;

// Remembers when it was answered.
class TimedWaiter final : public Waiter {
 public:
  explicit TimedWaiter(Clock& clock) : clock_(clock) {}

  void Granted(Lease) override {}
  void Answer() override { answered = clock_.Now(); }
  void Refused(absl::Status why) override { ADD_FAILURE() << why; }
  Holder holder() const override { return {}; }

  Instant answered = kNever;

 private:
  Clock& clock_;
};

// A pool that opens in 150 ms and keeps each caller 2 ms.
class Spike : public ::testing::Test {
 protected:
  std::unique_ptr<Pool> Make(int size, int overflow) {
    return std::make_unique<Pool>(
        Limits(size, overflow),
        [this](WorkerHost& host, SlotId slot) {
          return std::make_unique<VirtualWorker>(
              host, slot, agenda, Paces{.opening = milliseconds(150), .serving = milliseconds(2)},
              connections);
        },
        clock, upkeep);
  }

  // All at once. How long it took until the last was answered.
  Duration Send(Pool& pool, int count) {
    const Instant began = clock.Now();
    std::vector<std::shared_ptr<TimedWaiter>> waiters;
    for (int i = 0; i < count; ++i) {
      waiters.push_back(std::make_shared<TimedWaiter>(clock));
      pool.Submit(waiters.back(), {});
    }
    agenda.RunOut();
    Instant last = began;
    for (const auto& waiter : waiters) last = std::max(last, waiter->answered);
    return last - began;
  }

  FakeClock clock;
  Upkeep upkeep{clock};
  Agenda agenda{clock};
  OpenCount connections;
};

TEST_F(Spike, IsServedByWhatComesBackWhereOpeningWouldTakeLonger) {
  const auto pool = Make(5, 10);
  EXPECT_EQ(Send(*pool, 5), milliseconds(152));
  ASSERT_EQ(pool->numbers().counts.idle, 5);
  EXPECT_EQ(Send(*pool, 50), milliseconds(20));
  EXPECT_LE(connections.most(), 6);
}

TEST_F(Spike, OpensInParallelWhereThereIsNothingToWaitFor) {
  const auto pool = Make(10, 0);
  EXPECT_EQ(Send(*pool, 50), milliseconds(160));
  EXPECT_EQ(connections.most(), 10);
}

}  // namespace
}  // namespace emsdb
