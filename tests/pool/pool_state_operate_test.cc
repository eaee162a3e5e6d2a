// What operators do to a living pool, and what it tells them.
#include <gtest/gtest.h>

#include "tests/pool/state_play.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(PoolStatePaused, LetsWhoComesWaitAndWhoHoldsGoOn) {
  StatePlay pool(Limits(2, 0));
  const SlotId held = pool.Take();
  pool.state.Pause();
  EXPECT_EQ(pool.state.mode(), PoolMode::kPaused);
  const Ticket waiting = pool.Arrive().ticket;
  EXPECT_TRUE(pool.did.opens.empty());
  pool.Return(held);
  EXPECT_TRUE(pool.did.grants.empty());
  EXPECT_EQ(pool.state.counts().idle, 1);
  pool.Resume();
  EXPECT_EQ(pool.granted(), waiting);
}

TEST(PoolStatePaused, NamesThePauseToWhoWaitedTooLong) {
  StatePlay pool(Limits(2, 0));
  pool.state.Pause();
  pool.Arrive();
  pool.Arrive({.deadline = pool.now + seconds(30)});
  pool.now += seconds(30);
  pool.Tick();
  ASSERT_EQ(pool.did.refusals.size(), 2u);
  EXPECT_EQ(pool.did.refusals[0].reason, RefusalReason::kPaused);
  EXPECT_EQ(pool.did.refusals[1].reason, RefusalReason::kDeadline);
}

TEST(PoolStatePaused, RefusesAtOnceWithATimeOutOfZero) {
  PoolLimits limits = Limits(2, 0);
  limits.timeout = Duration::zero();
  StatePlay pool(limits);
  pool.state.Pause();
  EXPECT_EQ(pool.Arrive().refused, RefusalReason::kPaused);
}

TEST(PoolStatePaused, DrainsAllTheSame) {
  StatePlay pool(Limits(1, 0));
  pool.state.Pause();
  pool.Arrive();
  pool.Drain();
  EXPECT_EQ(pool.refused(), RefusalReason::kShutdown);
}

TEST(PoolStateReconnected, ReplacesIdleConnectionsNowAndOthersWhenTheyComeBack) {
  StatePlay pool(Limits(2, 0));
  const SlotId held = pool.Take();
  const SlotId idle = pool.Take();
  pool.Return(idle);
  pool.Reconnect();
  EXPECT_EQ(pool.closed(), CloseReason::kInvalidated);
  pool.Closed(idle);
  pool.Return(held);
  EXPECT_EQ(pool.closed(), CloseReason::kInvalidated);
}

TEST(PoolStateResized, OpensUpToItsNewLimits) {
  StatePlay pool(Limits(1, 0));
  pool.Take();
  const Ticket waiting = pool.Arrive().ticket;
  EXPECT_TRUE(pool.did.opens.empty());
  pool.Resize(1, 1);
  ASSERT_EQ(pool.did.opens.size(), 1u);
  pool.Opened(SlotId(pool.did.opens[0]));
  EXPECT_EQ(pool.granted(), waiting);
}

TEST(PoolStateResized, ClosesWhatIsBeyondItsNewLimits) {
  StatePlay pool(Limits(3, 1));
  const SlotId a = pool.Take();
  const SlotId b = pool.Take();
  const SlotId c = pool.Take();
  const SlotId d = pool.Take();
  pool.Return(a);
  pool.Return(b);
  pool.Resize(1, 0);
  EXPECT_EQ(pool.did.closes.size(), 2u) << "both idle ones: two are in use";
  pool.Closed(a);
  pool.Closed(b);
  const Ticket waiting = pool.Arrive().ticket;
  pool.Return(c);
  EXPECT_EQ(pool.closed(), CloseReason::kResized) << "one more than there may be";
  EXPECT_TRUE(pool.did.grants.empty());
  pool.Return(d);
  EXPECT_EQ(pool.granted(), waiting);
}

TEST(PoolStateResized, KeepsWhatComesBackWhileOthersOfItAreClosing) {
  StatePlay pool(Limits(4, 0));
  for (int i = 0; i < 4; ++i) pool.Take();
  pool.Resize(2, 0);
  int closed = 0;
  for (SlotId slot = 0; slot < 4; ++slot) {
    pool.Return(slot);
    closed += static_cast<int>(pool.did.closes.size());
  }
  EXPECT_EQ(closed, 2);
  EXPECT_EQ(pool.state.counts().idle, 2);
}

TEST(PoolStateResized, ClosesIdleConnectionsBeyondItsNewSize) {
  StatePlay pool(Limits(4, 0));
  for (int i = 0; i < 4; ++i) pool.Take();
  for (SlotId slot = 0; slot < 4; ++slot) pool.Return(slot);
  pool.Resize(1, 3);
  EXPECT_EQ(pool.did.closes.size(), 3u);
  for (const auto& close : pool.did.closes) EXPECT_EQ(close.reason, CloseReason::kResized);
}

TEST(PoolStateHeldLong, TellsOnceOfAConnectionHeldLongerThanOthersMayWait) {
  StatePlay pool(Limits(2, 0));
  const SlotId slot = pool.Take();
  EXPECT_EQ(pool.state.NextDue(), pool.now + seconds(30));
  pool.now += seconds(29);
  const SlotId later = pool.Take();
  pool.now += seconds(1);
  pool.Tick();
  ASSERT_EQ(pool.did.held_long.size(), 1u);
  EXPECT_EQ(pool.did.held_long[0], slot);
  pool.now += seconds(29);
  pool.Tick();
  ASSERT_EQ(pool.did.held_long.size(), 1u);
  EXPECT_EQ(pool.did.held_long[0], later);
  pool.now += seconds(60);
  pool.Tick();
  EXPECT_TRUE(pool.did.held_long.empty());
}

// A pool in which one connection is known to be held for `holding` each time, all of them in use.
void Occupy(StatePlay& pool, Duration holding) {
  const SlotId slot = pool.Take();
  pool.now += holding;
  pool.Return(slot);
  while (pool.state.counts().leased < pool.state.limits().limit()) pool.Take();
}

TEST(PoolStateHopeless, RefusesWhoseDeadlineWouldPassInLine) {
  PoolLimits limits = Limits(2, 0);
  limits.refuse_hopeless = true;
  StatePlay pool(limits);
  Occupy(pool, milliseconds(100));
  for (int i = 0; i < 4; ++i) pool.Arrive();  // two rounds of two
  const Instant too_short = pool.now + milliseconds(150);
  EXPECT_EQ(pool.Arrive({.deadline = too_short}).refused, RefusalReason::kHopeless);
  EXPECT_FALSE(pool.Arrive({.deadline = pool.now + milliseconds(250)}).refused);
}

TEST(PoolStateHopeless, NeverRefusesDispatchNorCountsWhoStandsBehind) {
  PoolLimits limits = Limits(1, 0);
  limits.refuse_hopeless = true;
  StatePlay pool(limits);
  Occupy(pool, milliseconds(100));
  for (int i = 0; i < 9; ++i) pool.Arrive();
  const Instant deadline = pool.now + milliseconds(150);
  EXPECT_FALSE(pool.Arrive({.priority = Priority::kDispatch, .deadline = deadline}).refused);
  EXPECT_FALSE(pool.Arrive({.priority = Priority::kClinical, .deadline = deadline}).refused);
  EXPECT_EQ(pool.Arrive({.deadline = deadline}).refused, RefusalReason::kHopeless);
}

TEST(PoolStateHopeless, RefusesNobodyUnlessToldTo) {
  StatePlay pool(Limits(1, 0));
  Occupy(pool, seconds(10));
  for (int i = 0; i < 9; ++i) pool.Arrive();
  EXPECT_FALSE(pool.Arrive({.deadline = pool.now + milliseconds(1)}).refused);
}

}  // namespace
}  // namespace emsdb
