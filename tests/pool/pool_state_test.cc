// SQLAlchemy's QueuePool contract, one test for each point.
#include "pool/pool_state.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "tests/pool/state_play.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(PoolState, OpensNothingBeforeItIsNeeded) {
  StatePlay pool(Limits(5, 10));
  EXPECT_EQ(pool.state.counts().opening + pool.state.counts().idle, 0);
  pool.Arrive();
  EXPECT_EQ(pool.did.opens.size(), 1u);
}

TEST(PoolState, OpensNoMoreThanSizeAndOverflow) {
  StatePlay pool(Limits(2, 1));
  for (int i = 0; i < 3; ++i) pool.Take();
  pool.Arrive();
  EXPECT_TRUE(pool.did.opens.empty());
  EXPECT_EQ(pool.state.counts().waiting, 1);
}

TEST(PoolState, ClosesOverflowWhenItIsGivenBackAndKeepsSize) {  // T32
  StatePlay pool(Limits(1, 1));
  const SlotId one = pool.Take();
  const SlotId two = pool.Take();
  pool.Return(one);
  EXPECT_EQ(pool.closed(), std::nullopt);
  pool.Return(two);
  EXPECT_EQ(pool.closed(), CloseReason::kOverflow);
  pool.Closed(two);
  EXPECT_EQ(pool.state.counts().idle, 1);
}

TEST(PoolState, KeepsOverflowWhileSomebodyWaitsForIt) {  // T32
  StatePlay pool(Limits(1, 1));
  pool.Take();
  const SlotId overflow = pool.Take();
  const Ticket waiter = pool.Arrive().ticket;
  pool.Return(overflow);
  EXPECT_EQ(pool.granted(), waiter);
  EXPECT_TRUE(pool.did.closes.empty());
}

TEST(PoolState, HandsAReturnedConnectionToTheFirstInLine) {
  StatePlay pool(Limits(1, 0));
  const SlotId slot = pool.Take();
  const Ticket first = pool.Arrive().ticket;
  const Ticket second = pool.Arrive().ticket;
  pool.Return(slot);
  EXPECT_EQ(pool.granted(), first);
  pool.Return(slot);
  EXPECT_EQ(pool.granted(), second);
}

TEST(PoolState, TimesAWaiterOutExactlyWhenItsTimeIsOver) {
  StatePlay pool(Limits(1, 0));
  pool.Take();
  const Ticket waiter = pool.Arrive().ticket;
  EXPECT_EQ(pool.state.NextDue(), pool.now + seconds(30));
  pool.now += seconds(30) - milliseconds(1);
  pool.Tick();
  EXPECT_TRUE(pool.did.refusals.empty());
  pool.now += milliseconds(1);
  pool.Tick();
  ASSERT_EQ(pool.refused(), RefusalReason::kTimedOut);
  EXPECT_EQ(pool.did.refusals[0].ticket, waiter);
  EXPECT_EQ(pool.state.NextDue(), kNever);
}

TEST(PoolState, TellsACallersShorterDeadlineFromThePools) {  // T9
  StatePlay pool(Limits(1, 0));
  pool.Take();
  pool.Arrive({.deadline = pool.now + seconds(1)});
  pool.now += seconds(1);
  pool.Tick();
  EXPECT_EQ(pool.refused(), RefusalReason::kDeadline);
}

TEST(PoolState, RefusesADeadlineThatHasPassedBeforeItArrives) {  // T5
  StatePlay pool(Limits(1, 0));
  EXPECT_EQ(pool.Arrive({.deadline = pool.now}).refused, RefusalReason::kDeadline);
  EXPECT_TRUE(pool.did.opens.empty());
}

TEST(PoolState, RecyclesAtCheckoutAndReplacesForTheWaiter) {  // T25
  StatePlay pool(Limits(1, 0));
  const SlotId slot = pool.Take();
  pool.Return(slot);
  pool.now += seconds(1800);
  pool.Tick();
  EXPECT_TRUE(pool.did.closes.empty()) << "only at checkout";
  const Ticket waiter = pool.Arrive().ticket;
  EXPECT_EQ(pool.closed(), CloseReason::kRecycled);
  pool.Closed(slot);
  ASSERT_EQ(pool.did.opens.size(), 1u);
  pool.Opened(slot);
  EXPECT_EQ(pool.granted(), waiter);
}

TEST(PoolState, NeverRecyclesAConnectionInUse) {  // T25
  StatePlay pool(Limits(1, 0));
  const SlotId slot = pool.Take();
  pool.now += seconds(3600);
  pool.Tick();
  EXPECT_TRUE(pool.did.closes.empty());
  pool.Return(slot);
  EXPECT_TRUE(pool.did.closes.empty());
  EXPECT_EQ(pool.state.counts().idle, 1);
}

TEST(PoolState, RecyclesNoneWithoutALimit) {
  PoolLimits limits = Limits(1, 0);
  limits.recycle = std::nullopt;
  StatePlay pool(limits);
  const SlotId slot = pool.Take();
  pool.Return(slot);
  pool.now += std::chrono::hours(100000);
  pool.Arrive();
  EXPECT_EQ(pool.did.grants.size(), 1u);
}

// At which age each of ten connections that were opened at once is replaced.
TEST(PoolState, RecyclesByAShareEarlierSoThatNotAllAreReplacedTogether) {  // T35
  PoolLimits limits = Limits(10, 0);
  StatePlay pool(limits);
  std::vector<SlotId> slots;
  for (int i = 0; i < 10; ++i) slots.push_back(pool.Take());
  for (const SlotId slot : slots) pool.Return(slot);
  const Instant opened = pool.now;
  std::set<Duration> ages;
  for (pool.now += seconds(1600); pool.now <= opened + seconds(1800); pool.now += seconds(1)) {
    std::vector<SlotId> taken;
    while (pool.state.counts().idle > 0) {
      const Ticket ticket = pool.Arrive().ticket;
      for (const auto& close : pool.did.closes) {
        EXPECT_EQ(close.reason, CloseReason::kRecycled);
        ages.insert(pool.now - opened);
      }
      if (pool.did.grants.empty()) {
        pool.Withdraw(ticket);  // all the others were replaced
      } else {
        taken.push_back(pool.did.grants[0].slot);
      }
    }
    for (const SlotId slot : taken) pool.Return(slot);
    if (taken.size() <= 1) break;
  }
  EXPECT_GE(ages.size(), 5u);
  EXPECT_GE(*ages.begin(), seconds(1620));
}

TEST(PoolState, PingsOutsideItsWindowAndOnlyLooksInside) {
  StatePlay pool(Limits(1, 0));
  pool.Return(pool.Take());
  pool.now += milliseconds(499);
  pool.Arrive();
  ASSERT_EQ(pool.did.grants.size(), 1u);
  EXPECT_EQ(pool.did.grants[0].check, Check::kLook);
  pool.Return(0);
  pool.now += milliseconds(500);
  pool.Arrive();
  ASSERT_EQ(pool.did.grants.size(), 1u);
  EXPECT_EQ(pool.did.grants[0].check, Check::kPing);
}

TEST(PoolState, PingsEveryTimeWithAWindowOfZero) {
  PoolLimits limits = Limits(1, 0);
  limits.pre_ping_window = Duration::zero();
  StatePlay pool(limits);
  pool.Return(pool.Take());
  pool.Arrive();
  ASSERT_EQ(pool.did.grants.size(), 1u);
  EXPECT_EQ(pool.did.grants[0].check, Check::kPing);
}

TEST(PoolState, MarksEveryOlderConnectionWhenOneDisconnects) {  // T29
  StatePlay pool(Limits(3, 0));
  const SlotId dead = pool.Take();
  const SlotId idle = pool.Take();
  const SlotId leased = pool.Take();
  pool.Return(idle);
  pool.Return(dead, Condition::kBroken);
  EXPECT_EQ(pool.closed(), CloseReason::kBroken);
  pool.Closed(dead);
  pool.Return(leased);
  EXPECT_EQ(pool.closed(), CloseReason::kInvalidated) << "it was in use when the other died";
  pool.Closed(leased);
  const Ticket waiter = pool.Arrive().ticket;
  EXPECT_EQ(pool.closed(), CloseReason::kInvalidated) << "never used again";
  ASSERT_EQ(pool.did.opens.size(), 1u);
  pool.Opened(SlotId(pool.did.opens[0]));
  EXPECT_EQ(pool.granted(), waiter) << "a newer connection is trusted";
}

TEST(PoolState, MarksOnceForAllConnectionsThatDieTogether) {  // T29
  StatePlay pool(Limits(3, 0));
  const SlotId one = pool.Take();
  const SlotId two = pool.Take();
  pool.Return(one, Condition::kBroken);
  pool.Closed(one);
  const SlotId fresh = pool.Take();
  pool.Return(two, Condition::kBroken);
  pool.Closed(two);
  pool.Return(fresh);
  EXPECT_TRUE(pool.did.closes.empty()) << "the second death says nothing about a newer one";
}

TEST(PoolState, PutsTheWaiterOfAStaleConnectionBackInFront) {  // T29
  StatePlay pool(Limits(1, 0));
  const SlotId slot = pool.Take();
  const Ticket later = pool.Arrive().ticket;
  const Ticket back = pool.FoundStale(slot);
  EXPECT_EQ(pool.closed(), CloseReason::kStale);
  pool.Closed(slot);
  pool.Opened(SlotId(pool.did.opens[0]));
  EXPECT_EQ(pool.granted(), back);
  pool.Return(slot);
  EXPECT_EQ(pool.granted(), later);
}

TEST(PoolState, ClosesAConnectionThatComesBackInADoubtfulState) {  // T26
  StatePlay pool(Limits(2, 0));
  const SlotId doubtful = pool.Take();
  const SlotId other = pool.Take();
  pool.Return(doubtful, Condition::kDirty);
  EXPECT_EQ(pool.closed(), CloseReason::kDirty);
  pool.Return(other);
  EXPECT_TRUE(pool.did.closes.empty()) << "it is no disconnect: the others stay";
}

TEST(PoolState, FreesTheSlotOfAFailedOpeningAndWakesTheNextWaiter) {  // T30
  StatePlay pool(Limits(1, 0));
  const Ticket first = pool.Arrive().ticket;
  const SlotId slot = pool.did.opens[0];
  const Ticket second = pool.Arrive().ticket;
  pool.OpenFailed(slot);
  ASSERT_EQ(pool.refused(), RefusalReason::kConnectFailed);
  EXPECT_EQ(pool.did.refusals[0].ticket, first);
  ASSERT_EQ(pool.did.opens.size(), 1u) << "at once, for the second";
  pool.Opened(slot);
  EXPECT_EQ(pool.granted(), second);
}

TEST(PoolState, LetsNobodyHearOfAFailedOpeningWhileEnoughOthersGoOn) {  // T30
  StatePlay pool(Limits(2, 0));
  const Ticket gone = pool.Arrive().ticket;
  const SlotId one = pool.did.opens[0];
  const Ticket stays = pool.Arrive().ticket;
  const SlotId two = pool.did.opens[0];
  pool.Withdraw(gone);
  pool.OpenFailed(one);
  EXPECT_TRUE(pool.did.refusals.empty());
  pool.Opened(two);
  EXPECT_EQ(pool.granted(), stays);
}

TEST(PoolState, LeaksNothingWhenAWaiterWithdraws) {  // T31
  StatePlay pool(Limits(1, 0));
  const SlotId slot = pool.Take();
  const Ticket gone = pool.Arrive({.purpose = Purpose::kLease}).ticket;
  const Ticket next = pool.Arrive().ticket;
  EXPECT_TRUE(pool.Withdraw(gone));
  EXPECT_FALSE(pool.Withdraw(gone));
  pool.Return(slot);
  EXPECT_EQ(pool.granted(), next);
  EXPECT_FALSE(pool.Withdraw(next)) << "handed over: whoever holds it gives it back";
  pool.Return(slot);
  EXPECT_EQ(pool.state.counts().idle, 1);
  EXPECT_EQ(pool.state.counts().leases, 0);
  EXPECT_EQ(pool.state.NextDue(), kNever);
}

TEST(PoolState, KeepsAConnectionThatWasOpenedForSomebodyWhoLeft) {
  StatePlay pool(Limits(1, 0));
  const Ticket gone = pool.Arrive().ticket;
  const SlotId slot = pool.did.opens[0];
  pool.Withdraw(gone);
  pool.Opened(slot);
  EXPECT_EQ(pool.state.counts().idle, 1);
  pool.Arrive();
  EXPECT_EQ(pool.did.grants.size(), 1u);
}

TEST(PoolState, UsesTheMostRecentlyUsedIdleConnectionFirst) {  // T33
  StatePlay pool(Limits(2, 0));
  const SlotId one = pool.Take();
  const SlotId two = pool.Take();
  pool.Return(one);
  pool.Return(two);
  EXPECT_EQ(pool.Take(), two);
}

TEST(PoolState, UsesTheLeastRecentlyUsedIdleConnectionFirstIfToldSo) {  // T33
  PoolLimits limits = Limits(2, 0);
  limits.idle_order = IdleOrder::kLeastRecentFirst;
  StatePlay pool(limits);
  const SlotId one = pool.Take();
  const SlotId two = pool.Take();
  pool.Return(two);
  pool.Return(one);
  EXPECT_EQ(pool.Take(), two);
}

TEST(PoolState, LetsAConnectionGivenBackServeWhoWaitsForAnOpening) {
  StatePlay pool(Limits(2, 0));
  const SlotId one = pool.Take();
  const Ticket waiter = pool.Arrive().ticket;
  const SlotId opening = pool.did.opens[0];
  pool.Return(one);
  EXPECT_EQ(pool.granted(), waiter);
  pool.Opened(opening);
  EXPECT_EQ(pool.state.counts().idle, 1) << "kept for the next";
}

TEST(PoolState, ClosesAConnectionThatHasOutgrownItsMemoryAndNoOther) {
  StatePlay pool(Limits(2, 0));
  const SlotId grown = pool.Take();
  const SlotId other = pool.Take();
  pool.Return(grown, Condition::kOutgrown);
  EXPECT_EQ(pool.closed(), CloseReason::kOutgrown);
  EXPECT_EQ(CloseReasonName(CloseReason::kOutgrown), "outgrown");
  pool.Return(other);
  EXPECT_TRUE(pool.did.closes.empty());
}

}  // namespace
}  // namespace emsdb
