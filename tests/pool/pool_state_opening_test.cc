// When an opening is worth its price: connections that come back serve a crowd sooner.
#include <gtest/gtest.h>

#include "tests/pool/state_play.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kOpening = milliseconds(150);

// Opens `count` connections at once, which takes kOpening, and gives them back.
void Warm(StatePlay& pool, int count) {
  std::vector<SlotId> opening;
  for (int i = 0; i < count; ++i) {
    pool.Arrive();
    for (const SlotId slot : pool.did.opens) opening.push_back(slot);
  }
  ASSERT_EQ(static_cast<int>(opening.size()), count);
  pool.now += kOpening;
  for (const SlotId slot : opening) pool.Opened(slot);
  for (const SlotId slot : opening) pool.Return(slot);
}

TEST(PoolStateOpening, RunsInParallelWhereNobodyCouldComeBack) {
  StatePlay pool(Limits(10, 0));
  for (int i = 0; i < 10; ++i) {
    pool.Arrive();
    EXPECT_EQ(pool.did.opens.size(), 1u);
  }
  EXPECT_EQ(pool.state.counts().opening, 10);
}

TEST(PoolStateOpening, MakesAtMostOneForACrowdThatIsServedByWhatComesBack) {
  StatePlay pool(Limits(10, 40));
  Warm(pool, 5);
  for (int i = 0; i < 50; ++i) pool.Arrive();
  EXPECT_EQ(pool.state.counts().opening, 1);
  for (int served = 0; served < 45;) {
    pool.now += milliseconds(2);
    for (SlotId slot = 0; slot < 5 && served < 45; ++slot, ++served) {
      pool.Return(slot);
      EXPECT_EQ(pool.did.grants.size(), 1u);
      EXPECT_TRUE(pool.did.opens.empty());
    }
  }
  EXPECT_EQ(pool.state.counts().waiting, 0);
}

TEST(PoolStateOpening, MakesNoneBeyondTheSizeForAShortWait) {  // T32
  StatePlay pool(Limits(2, 10));
  Warm(pool, 2);
  pool.Take();
  pool.Take();
  pool.Arrive();
  EXPECT_TRUE(pool.did.opens.empty());
}

TEST(PoolStateOpening, ComesSoonWhereThoseExpectedDoNotComeBack) {
  StatePlay pool(Limits(2, 10));
  Warm(pool, 2);
  const Instant began = pool.now;
  for (int i = 0; i < 8; ++i) pool.Arrive();
  while (pool.state.counts().opening < 6 && pool.state.NextDue() < began + seconds(30)) {
    pool.now = pool.state.NextDue();
    pool.Tick();
  }
  EXPECT_EQ(pool.state.counts().opening, 6);
  EXPECT_LE(pool.now - began, 3 * kOpening);
}

TEST(PoolStateOpening, DoesNotCountOnLeasedTransactions) {
  StatePlay pool(Limits(2, 2));
  Warm(pool, 2);
  pool.Take({.purpose = Purpose::kLease});
  pool.Take({.purpose = Purpose::kLease});
  pool.Arrive();
  EXPECT_EQ(pool.did.opens.size(), 1u);
}

TEST(PoolStateOpening, IsAlwaysMadeForWhoMayNotWait) {
  PoolLimits limits = Limits(2, 1);
  limits.timeout = Duration::zero();
  StatePlay pool(limits);
  Warm(pool, 2);
  pool.Take();
  pool.Take();
  EXPECT_FALSE(pool.Arrive().refused);
  EXPECT_EQ(pool.did.opens.size(), 1u);
}

TEST(PoolStateOpening, NeverStartsTooManyAtOnce) {  // T29
  StatePlay pool(Limits(50, 100));
  for (int i = 0; i < 150; ++i) pool.Arrive();
  EXPECT_EQ(pool.state.counts().opening, 16);
  pool.Opened(0);
  EXPECT_LE(pool.state.counts().opening, 16);
  EXPECT_NE(pool.state.NextDue(), kNever);
}

}  // namespace
}  // namespace emsdb
