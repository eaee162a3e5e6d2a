// A database that cannot be reached: who is told so at once, who tries again, and how it ends.
#include <gtest/gtest.h>

#include "tests/pool/state_play.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Two openings in a row fail, each for a caller of its own.
void BringDown(StatePlay& pool) {
  for (int i = 0; i < 2; ++i) {
    pool.Arrive();
    ASSERT_EQ(pool.did.opens.size(), 1u);
    pool.OpenFailed(SlotId(pool.did.opens[0]));
  }
  ASSERT_EQ(pool.state.mode(), PoolMode::kDown);
}

TEST(PoolStateDown, RefusesWhoComesWithoutAnotherAttempt) {
  StatePlay pool(Limits(5, 10));
  BringDown(pool);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(pool.Arrive().refused, RefusalReason::kDown);
    EXPECT_TRUE(pool.did.opens.empty());
  }
  EXPECT_EQ(pool.state.counts().waiting, 0);
}

TEST(PoolStateDown, RefusesEverybodyInLineWhenTheSecondOpeningFails) {
  StatePlay pool(Limits(1, 0));
  pool.Arrive();
  const SlotId slot = pool.did.opens.at(0);
  for (int i = 0; i < 3; ++i) pool.Arrive();
  pool.OpenFailed(slot);
  EXPECT_EQ(pool.refused(), RefusalReason::kConnectFailed);  // T30: and the next one's begins
  ASSERT_EQ(pool.did.opens.size(), 1u);
  pool.OpenFailed(SlotId(pool.did.opens[0]));
  EXPECT_EQ(pool.did.refusals.size(), 3u);
  for (const auto& refusal : pool.did.refusals) EXPECT_EQ(refusal.reason, RefusalReason::kDown);
}

TEST(PoolStateDown, TriesByItselfOneAttemptAtATime) {
  StatePlay pool(Limits(5, 10));
  BringDown(pool);
  const Instant due = pool.state.NextDue();
  ASSERT_NE(due, kNever);
  pool.now = due - milliseconds(1);
  pool.Tick();
  EXPECT_TRUE(pool.did.opens.empty());
  pool.now = due;
  pool.Tick();
  ASSERT_EQ(pool.did.opens.size(), 1u);
  pool.now += seconds(1);
  pool.Arrive();
  pool.Tick();
  EXPECT_TRUE(pool.did.opens.empty()) << "one is under way";
}

TEST(PoolStateDown, RecoversWithoutAnybodyAsking) {
  StatePlay pool(Limits(5, 10));
  BringDown(pool);
  for (int i = 0; i < 3; ++i) {
    pool.now = pool.state.NextDue();
    pool.Tick();
    pool.OpenFailed(SlotId(pool.did.opens.at(0)));
  }
  pool.now = pool.state.NextDue();
  pool.Tick();
  pool.Opened(SlotId(pool.did.opens.at(0)));
  EXPECT_EQ(pool.state.mode(), PoolMode::kRunning);
  EXPECT_EQ(pool.state.NextDue(), kNever);
  EXPECT_GE(pool.Take(), 0);
}

TEST(PoolStateDown, EndsWhenAConnectionInUseComesBackWell) {
  StatePlay pool(Limits(2, 0));
  const SlotId held = pool.Take();
  pool.Arrive();
  pool.OpenFailed(SlotId(pool.did.opens.at(0)));
  EXPECT_TRUE(pool.did.refusals.empty()) << "the other one may still come back";
  pool.OpenFailed(SlotId(pool.did.opens.at(0)));
  EXPECT_EQ(pool.state.mode(), PoolMode::kDown);
  EXPECT_EQ(pool.refused(), RefusalReason::kDown);
  EXPECT_EQ(pool.Arrive().refused, RefusalReason::kDown);
  pool.Return(held);
  EXPECT_EQ(pool.state.mode(), PoolMode::kRunning);
  pool.Arrive();
  EXPECT_TRUE(pool.granted());
}

TEST(PoolStateDown, StillGivesOutAnIdleConnectionIfOneIsLeft) {
  StatePlay pool(Limits(3, 0));
  pool.Take();
  pool.Arrive();
  for (int i = 0; i < 2; ++i) pool.OpenFailed(SlotId(pool.did.opens.at(0)));
  ASSERT_EQ(pool.state.mode(), PoolMode::kDown);
  pool.now = pool.state.NextDue();
  pool.Tick();
  pool.Opened(SlotId(pool.did.opens.at(0)));  // the prober's, for nobody
  EXPECT_EQ(pool.state.counts().idle, 1);
  pool.Arrive();
  EXPECT_TRUE(pool.granted());
}

TEST(PoolStateDown, LeavesWhoWaitsInLineWhereTheServerIsOnlyFull) {
  StatePlay pool(Limits(2, 0));
  const SlotId held = pool.Take();
  const Ticket waiting = pool.Arrive().ticket;
  for (int i = 0; i < 2; ++i) pool.OpenFailed(pool.did.opens.at(0), OpenFailure::kServerFull);
  EXPECT_TRUE(pool.did.refusals.empty());
  EXPECT_EQ(pool.state.mode(), PoolMode::kRunning);
  EXPECT_TRUE(pool.did.opens.empty()) << "not without a pause";
  pool.now = pool.state.NextDue();
  pool.Tick();
  EXPECT_EQ(pool.did.opens.size(), 1u);
  pool.Return(held);
  EXPECT_EQ(pool.granted(), waiting);
}

TEST(PoolStateDown, SendsTheOneBackWhoseConnectionProvedDeadWithTheTruth) {
  StatePlay pool(Limits(2, 0));
  const SlotId first = pool.Take();
  const SlotId second = pool.Take();
  pool.Return(first);
  pool.Arrive();
  ASSERT_EQ(pool.did.grants.size(), 1u);
  pool.Return(second, Condition::kBroken);
  pool.Closed(second);
  pool.Arrive();
  for (int i = 0; i < 2; ++i) pool.OpenFailed(SlotId(pool.did.opens.at(0)));
  ASSERT_EQ(pool.state.mode(), PoolMode::kDown);
  const Ticket ticket = pool.FoundStale(first);
  EXPECT_EQ(pool.refused(), RefusalReason::kDown);
  EXPECT_EQ(pool.did.refusals[0].ticket, ticket);
}

// A server that stands still: it takes the connection and says nothing.
TEST(PoolStateSilent, LetsNobodyWaitLongForAnOpeningThatGetsNoAnswer) {
  StatePlay pool(Limits(2, 0));
  const Ticket waiting = pool.Arrive().ticket;
  ASSERT_EQ(pool.did.opens.size(), 1u);
  EXPECT_EQ(pool.state.NextDue(), pool.now + Outage::kLongestSilence);
  pool.now += Outage::kLongestSilence - milliseconds(1);
  pool.Tick();
  EXPECT_TRUE(pool.did.refusals.empty());
  pool.now += milliseconds(1);
  pool.Tick();
  EXPECT_EQ(pool.state.mode(), PoolMode::kDown);
  ASSERT_EQ(pool.refused(), RefusalReason::kDown);
  EXPECT_EQ(pool.did.refusals[0].ticket, waiting);
  EXPECT_EQ(pool.Arrive().refused, RefusalReason::kDown);
}

TEST(PoolStateSilent, MakesOneFreshAttemptAtATimeBesideThoseThatHang) {
  StatePlay pool(Limits(10, 0));
  for (int i = 0; i < 3; ++i) pool.Arrive();
  const int hanging = pool.state.counts().opening;
  int opening = hanging;
  for (int round = 0; round < 3; ++round) {
    pool.now += Outage::kLongestSilence;
    pool.Tick();
    EXPECT_EQ(pool.state.counts().opening, ++opening);
    pool.Tick();
    EXPECT_EQ(pool.state.counts().opening, opening);
    EXPECT_EQ(pool.state.NextDue(), pool.now + Outage::kLongestSilence);
  }
}

TEST(PoolStateSilent, EndsWhenAnOpeningThatHungIsAnsweredAfterAll) {
  StatePlay pool(Limits(1, 0));
  pool.Arrive();
  const SlotId slot = pool.did.opens.at(0);
  pool.now += Outage::kLongestSilence;
  pool.Tick();
  EXPECT_TRUE(pool.did.opens.empty()) << "there is no room for another";
  ASSERT_EQ(pool.state.mode(), PoolMode::kDown);
  pool.now += seconds(5);
  pool.Opened(slot);
  EXPECT_EQ(pool.state.mode(), PoolMode::kRunning);
  EXPECT_EQ(pool.state.NextDue(), kNever);
  EXPECT_GE(pool.Take(), 0);
}

TEST(PoolStateSilent, IsNoOutageWhereOthersComeBackWell) {
  StatePlay pool(Limits(3, 0));
  const SlotId held = pool.Take();
  for (int i = 0; i < 2; ++i) pool.Arrive();
  ASSERT_GT(pool.state.counts().opening, 0);
  pool.now += milliseconds(1500);
  pool.Return(held);
  pool.now += milliseconds(500);
  pool.Tick();
  EXPECT_EQ(pool.state.mode(), PoolMode::kRunning);
  EXPECT_TRUE(pool.did.refusals.empty());
  pool.now += milliseconds(1500);
  pool.Tick();
  EXPECT_EQ(pool.state.mode(), PoolMode::kDown) << "counted from then on";
}

TEST(PoolStateSilent, GivesWhatHangsAnotherChanceWhenAnOperatorReconnects) {
  StatePlay pool(Limits(1, 0));
  pool.Arrive();
  pool.now += Outage::kLongestSilence;
  pool.Tick();
  ASSERT_EQ(pool.state.mode(), PoolMode::kDown);
  pool.Reconnect();
  EXPECT_FALSE(pool.Arrive().refused);
  pool.now += Outage::kLongestSilence;
  pool.Tick();
  EXPECT_EQ(pool.refused(), RefusalReason::kDown);
}

TEST(PoolStateSilent, IsNotLookedForWhileItDrains) {
  StatePlay pool(Limits(1, 0));
  pool.Arrive();
  pool.Drain();
  pool.now += Outage::kLongestSilence;
  pool.Tick();
  EXPECT_TRUE(pool.did.refusals.empty());
  EXPECT_EQ(pool.state.mode(), PoolMode::kDraining);
}

TEST(PoolStateDown, StopsTryingWhenItDrains) {
  StatePlay pool(Limits(1, 0));
  BringDown(pool);
  pool.Drain();
  EXPECT_EQ(pool.state.NextDue(), kNever);
}

TEST(PoolStateDown, TriesAtOnceWhenAnOperatorReconnects) {
  StatePlay pool(Limits(1, 0));
  BringDown(pool);
  pool.Reconnect();
  EXPECT_EQ(pool.state.mode(), PoolMode::kRunning);
  pool.Arrive();
  EXPECT_EQ(pool.did.opens.size(), 1u);
}

}  // namespace
}  // namespace emsdb
