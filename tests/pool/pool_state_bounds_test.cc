// Where the pool goes beyond QueuePool: classes, reserves, bounds, drain.
#include <gtest/gtest.h>

#include <vector>

#include "pool/pool_state.h"
#include "tests/pool/state_play.h"

namespace emsdb {
namespace {

using std::chrono::seconds;

const Ask kReport = {.priority = Priority::kReporting};
const Ask kBegin = {.purpose = Purpose::kLease};

TEST(PoolState, ServesAHigherClassFirst) {
  StatePlay pool(Limits(1, 0));
  const SlotId slot = pool.Take();
  pool.Arrive(kReport);
  pool.Arrive();
  const Ticket dispatch = pool.Arrive({.priority = Priority::kDispatch}).ticket;
  pool.Return(slot);
  EXPECT_EQ(pool.granted(), dispatch);
}

TEST(PoolState, LetsNoClassStarve) {
  StatePlay pool(Limits(1, 0));
  const SlotId slot = pool.Take();
  const Ticket report = pool.Arrive(kReport).ticket;
  pool.now += seconds(16);
  pool.Arrive({.priority = Priority::kDispatch});
  pool.Return(slot);
  EXPECT_EQ(pool.granted(), report) << "three classes lower, but more than 15 s earlier";
}

TEST(PoolState, KeepsTheLastConnectionsFromReporting) {
  StatePlay pool(Limits(5, 5));
  std::vector<SlotId> held;
  for (int i = 0; i < 8; ++i) held.push_back(pool.Take(kReport));
  const Ticket report = pool.Arrive(kReport).ticket;
  EXPECT_TRUE(pool.did.opens.empty()) << "2 of 10 are reserved";
  pool.Take();
  const SlotId operations = pool.Take({.priority = Priority::kDispatch});
  pool.Return(operations);
  EXPECT_TRUE(pool.did.grants.empty()) << "an idle one is reserved too";
  pool.Return(held[0]);
  EXPECT_EQ(pool.granted(), report);
}

TEST(PoolState, ReservesNothingInPoolsOfOneOrTwo) {
  StatePlay pool(Limits(1, 1));
  pool.Take(kReport);
  pool.Take(kReport);
}

TEST(PoolState, GivesTheReservedBackWhenAReportsConnectionDies) {
  StatePlay pool(Limits(3, 0));
  const SlotId one = pool.Take(kReport);
  const SlotId two = pool.Take(kReport);
  pool.Return(one, Condition::kBroken);
  pool.Closed(one);
  const Ticket back = pool.FoundStale(two);
  const SlotId opening = pool.did.opens[0];
  pool.Withdraw(back);
  pool.Closed(two);
  pool.Opened(opening);
  pool.Take(kReport);
  pool.Take(kReport);
}

TEST(PoolState, RefusesALeaseBeyondItsLimitAtOnce) {
  StatePlay pool(Limits(3, 0));
  const SlotId first = pool.Take(kBegin);
  pool.Take(kBegin);
  EXPECT_EQ(pool.Arrive(kBegin).refused, RefusalReason::kLeaseLimit);
  pool.Take();
  pool.Return(first);
  EXPECT_EQ(pool.Arrive(kBegin).refused, std::nullopt);
}

// An embedded database's writer is such a pool: its transactions queue.
TEST(PoolState, LetsALeaseWaitWhereLeasesMayHaveEveryConnection) {
  PoolLimits all = Limits(2, 0);
  all.max_leased = 2;
  for (const PoolLimits& limits : {Limits(1, 0), all}) {
    StatePlay pool(limits);
    SlotId slot = -1;
    for (int i = 0; i < limits.limit(); ++i) slot = pool.Take(kBegin);
    const auto waits = pool.Arrive(kBegin);
    EXPECT_EQ(waits.refused, std::nullopt);
    pool.Return(slot);
    EXPECT_EQ(pool.granted(), waits.ticket);
    EXPECT_EQ(pool.state.counts().leases, limits.limit());
  }
}

// However the claim to a lease ends, it is not counted for ever.
TEST(PoolState, CountsALeaseUntilItsWaiterIsRefusedOrItsConnectionReturned) {
  PoolLimits limits = Limits(1, 0);
  limits.max_waiters = 2;
  StatePlay pool(limits);
  const auto begin = [&] { return pool.Arrive(kBegin); };

  begin();
  EXPECT_EQ(pool.state.counts().leases, 1);
  pool.OpenFailed(0);
  EXPECT_EQ(pool.state.counts().leases, 0) << "failed to connect";

  SlotId slot = pool.Take(kBegin);
  const Ticket back = pool.FoundStale(slot);
  EXPECT_EQ(pool.state.counts().leases, 1) << "goes back in line";
  pool.Withdraw(back);
  EXPECT_EQ(pool.state.counts().leases, 0) << "withdrawn";
  pool.Closed(slot);

  slot = pool.Take(kBegin);
  pool.Return(slot, Condition::kDirty);
  EXPECT_EQ(pool.state.counts().leases, 0) << "returned";
  pool.Closed(slot);

  slot = pool.Take();
  begin();
  pool.now += seconds(30);
  pool.Tick();
  EXPECT_EQ(pool.state.counts().leases, 0) << "timed out";

  pool.Arrive();
  pool.Arrive();
  EXPECT_EQ(begin().refused, RefusalReason::kLineFull);
  EXPECT_EQ(pool.state.counts().leases, 0) << "the line is full";

  pool.RefuseAll();
  EXPECT_EQ(pool.state.counts().leases, 0);
}

TEST(PoolState, BoundsTheLine) {
  PoolLimits limits = Limits(1, 1);
  limits.max_waiters = 1;
  StatePlay pool(limits);
  pool.Take();
  EXPECT_EQ(pool.Arrive().refused, std::nullopt) << "one is being opened for it";
  EXPECT_EQ(pool.Arrive().refused, std::nullopt);
  EXPECT_EQ(pool.Arrive().refused, RefusalReason::kLineFull);
  EXPECT_EQ(pool.state.counts().waiting, 2);
}

TEST(PoolState, AnswersAtOnceWithATimeOutOfZero) {
  PoolLimits limits = Limits(1, 0);
  limits.timeout = Duration::zero();
  StatePlay pool(limits);
  EXPECT_EQ(pool.Arrive().refused, std::nullopt) << "its own opening takes its time";
  EXPECT_EQ(pool.Arrive().refused, RefusalReason::kTimedOut);
  pool.Opened(0);
  EXPECT_EQ(pool.did.grants.size(), 1u);
  EXPECT_EQ(pool.Arrive().refused, RefusalReason::kTimedOut);
  pool.Return(0);
  EXPECT_EQ(pool.Arrive().refused, std::nullopt);
}

// The pool is not exhausted: it is about to open another.
TEST(PoolState, WaitsForAReplacementWithATimeOutOfZeroToo) {
  PoolLimits limits = Limits(1, 0);
  limits.timeout = Duration::zero();
  StatePlay pool(limits);
  pool.Return(pool.Take());
  pool.now += seconds(1800);
  const auto arrival = pool.Arrive();
  EXPECT_EQ(pool.closed(), CloseReason::kRecycled);
  ASSERT_EQ(arrival.refused, std::nullopt);
  EXPECT_EQ(pool.Arrive().refused, RefusalReason::kTimedOut) << "one replacement, one waiter";
  pool.Closed(0);
  pool.Opened(0);
  EXPECT_EQ(pool.granted(), arrival.ticket);
}

TEST(PoolState, ClosesIdleConnectionsAndAdmitsNobodyWhenItDrains) {  // T39
  StatePlay pool(Limits(2, 0));
  const SlotId idle = pool.Take();
  const SlotId leased = pool.Take();
  pool.Return(idle);
  pool.Drain();
  EXPECT_EQ(pool.closed(), CloseReason::kShutdown);
  EXPECT_EQ(pool.Arrive().refused, RefusalReason::kShutdown);
  pool.Return(leased);
  EXPECT_EQ(pool.closed(), CloseReason::kShutdown);
}

TEST(PoolState, ServesWhoIsInLineWhileItDrains) {  // T39
  StatePlay pool(Limits(2, 0));
  const SlotId leased = pool.Take();
  const Ticket first = pool.Arrive().ticket;
  const Ticket second = pool.Arrive().ticket;
  pool.Drain();
  pool.Opened(1);
  EXPECT_EQ(pool.granted(), first) << "its opening was under way";
  pool.Return(leased);
  EXPECT_EQ(pool.granted(), second);
}

// Nothing is opened any more, so that nobody could ever serve them: they would wait for a time-out.
TEST(PoolState, RefusesThoseInLineWhenADrainLosesItsLastConnection) {  // T39
  for (const Condition condition : {Condition::kBroken, Condition::kDirty}) {
    StatePlay pool(Limits(1, 0));
    const SlotId slot = pool.Take();
    pool.Arrive();
    pool.Drain();
    EXPECT_TRUE(pool.did.refusals.empty());
    pool.Return(slot, condition);
    EXPECT_EQ(pool.refused(), RefusalReason::kShutdown);
  }
}

TEST(PoolState, RefusesThoseInLineWhenADrainBeginsDuringAReplacement) {  // T39
  StatePlay pool(Limits(1, 0));
  pool.Return(pool.Take());
  pool.now += seconds(1800);
  pool.Arrive();
  pool.Drain();
  EXPECT_EQ(pool.refused(), RefusalReason::kShutdown);
}

TEST(PoolState, RefusesWhoComesBackToALineThatWasCleared) {  // T39
  StatePlay pool(Limits(2, 0));
  const SlotId stale = pool.Take();
  pool.Take();
  pool.Drain();
  pool.RefuseAll();
  pool.FoundStale(stale);
  EXPECT_EQ(pool.refused(), RefusalReason::kShutdown);
  EXPECT_EQ(pool.state.counts().waiting, 0);
}

TEST(PoolState, NamesEveryReasonOnce) {
  EXPECT_EQ(CloseReasonName(CloseReason::kOverflow), "overflow");
  EXPECT_EQ(CloseReasonName(CloseReason::kShutdown), "shutdown");
  EXPECT_EQ(RefusalReasonName(RefusalReason::kTimedOut), "timed_out");
  EXPECT_EQ(RefusalReasonName(RefusalReason::kConnectFailed), "connect_failed");
}

}  // namespace
}  // namespace emsdb
