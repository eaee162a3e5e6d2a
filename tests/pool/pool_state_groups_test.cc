// Reads that may be served together: who joins whom, who waits for it, and for how long.
#include <gtest/gtest.h>

#include <vector>

#include "tests/pool/state_play.h"

namespace emsdb {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Ask kRead = {.grouping = Grouping::kGroup};
constexpr Ask kWrite = {};
constexpr Ask kUrgentRead = {.priority = Priority::kDispatch, .grouping = Grouping::kGroup};

// A pool whose connections are all open and idle.
class Groups : public ::testing::Test {
 protected:
  explicit Groups(int connections = 4) : pool(Limits(connections, 0)) {
    std::vector<SlotId> slots;
    for (int i = 0; i < connections; ++i) {
      pool.Arrive();
      slots.insert(slots.end(), pool.did.opens.begin(), pool.did.opens.end());
    }
    for (std::size_t i = 0; i < slots.size(); ++i) {
      pool.Opened(slots[i]);
      slots.insert(slots.end(), pool.did.opens.begin(), pool.did.opens.end());
    }
    for (const SlotId slot : slots) pool.Return(slot);
    EXPECT_EQ(pool.state.counts().idle, connections);
  }

  // The slot of whoever was served last.
  SlotId LastSlot() const { return pool.did.grants.at(0).slot; }
  std::size_t Served() const {
    std::size_t served = 0;
    for (const Actions::Grant& grant : pool.did.grants) served += 1 + grant.others.size();
    return served;
  }
  // Two connections serve reads, as many as do so without need.
  std::vector<SlotId> TwoReadersAtWork() {
    std::vector<SlotId> slots;
    for (int i = 0; i < PoolState::kGroups; ++i) {
      pool.Arrive(kRead);
      slots.push_back(LastSlot());
    }
    return slots;
  }

  StatePlay pool;
};

TEST_F(Groups, LetReadsWaitForTheOnesThatRunAndTakeThemTogether) {
  const auto readers = TwoReadersAtWork();
  std::vector<Ticket> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(pool.Arrive(kRead).ticket);
    EXPECT_EQ(Served(), 0U);
  }
  pool.Return(readers[0]);
  ASSERT_EQ(pool.did.grants.size(), 1U);
  EXPECT_EQ(pool.did.grants[0].ticket, waiting[0]);
  ASSERT_EQ(pool.did.grants[0].others.size(), 2U);
  EXPECT_EQ(pool.did.grants[0].others[0].ticket, waiting[1]);
  EXPECT_EQ(pool.did.grants[0].others[1].ticket, waiting[2]);
}

TEST_F(Groups, ReadAtOnceWhileFewConnectionsRead) {
  for (int i = 0; i < PoolState::kGroups; ++i) {
    pool.Arrive(kRead);
    EXPECT_EQ(Served(), 1U) << i;
  }
}

TEST_F(Groups, HoldUpNoWrite) {
  TwoReadersAtWork();
  pool.Arrive(kRead);
  pool.Arrive(kWrite);
  ASSERT_EQ(Served(), 1U) << "the read waits, the write does not";
}

TEST_F(Groups, HoldUpNoReadOfDispatch) {
  TwoReadersAtWork();
  pool.Arrive(kUrgentRead);
  EXPECT_EQ(Served(), 1U);
}

TEST_F(Groups, EndWithWhoWantsAConnectionForItself) {
  const auto readers = TwoReadersAtWork();
  while (pool.state.counts().idle > 0) pool.Arrive(kWrite);
  pool.Arrive(kRead);
  pool.Arrive(kRead);
  pool.Arrive(kWrite);
  pool.Arrive(kRead);
  pool.Return(readers[0]);
  EXPECT_EQ(Served(), 2U) << "nobody passes the write";
}

TEST_F(Groups, HaveABound) {
  const auto readers = TwoReadersAtWork();
  for (int i = 0; i < PoolState::kMostMembers + 5; ++i) pool.Arrive(kRead);
  pool.Return(readers[0]);
  EXPECT_EQ(Served(), static_cast<std::size_t>(PoolState::kMostMembers));
  EXPECT_EQ(pool.state.counts().waiting, 5);
}

TEST_F(Groups, KeepNobodyWaitingForLongWhileAConnectionIsFree) {
  TwoReadersAtWork();
  pool.Arrive(kRead);
  EXPECT_EQ(pool.state.NextDue(), pool.now + PoolState::kGroupPatience);
  pool.now += PoolState::kGroupPatience - microseconds(1);
  pool.Tick();
  EXPECT_EQ(Served(), 0U);
  pool.now += microseconds(1);
  pool.Arrive(kRead);
  EXPECT_EQ(Served(), 2U) << "who comes then goes along";
}

TEST_F(Groups, AreServedByTheUpkeepWhenNobodyElseComes) {
  TwoReadersAtWork();
  pool.Arrive(kRead);
  pool.now = pool.state.NextDue();
  pool.Tick();
  EXPECT_EQ(Served(), 1U);
}

TEST_F(Groups, LetGoOfWhoLeavesOrRunsOutOfTime) {
  const auto readers = TwoReadersAtWork();
  const Ticket leaves = pool.Arrive(kRead).ticket;
  const Ticket late =
      pool.Arrive({.deadline = pool.now + milliseconds(1), .grouping = Grouping::kGroup}).ticket;
  const Ticket stays = pool.Arrive(kRead).ticket;
  EXPECT_TRUE(pool.Withdraw(leaves));
  pool.now += milliseconds(1);
  pool.Tick();
  ASSERT_EQ(pool.did.refusals.size(), 1U);
  EXPECT_EQ(pool.did.refusals[0].ticket, late);
  pool.Return(readers[0]);
  EXPECT_EQ(pool.did.grants.at(0).ticket, stays);
  EXPECT_EQ(Served(), 1U);
}

TEST_F(Groups, TakeReadsOfEveryClassInTheOrderOfTheLine) {
  const auto readers = TwoReadersAtWork();
  const Ticket report =
      pool.Arrive({.priority = Priority::kReporting, .grouping = Grouping::kGroup}).ticket;
  const Ticket usual = pool.Arrive(kRead).ticket;
  pool.Return(readers[0]);
  EXPECT_EQ(pool.did.grants.at(0).ticket, usual);
  ASSERT_EQ(pool.did.grants[0].others.size(), 1U);
  EXPECT_EQ(pool.did.grants[0].others[0].ticket, report);
}

class GroupsToBe : public ::testing::Test {
 protected:
  StatePlay pool{Limits(10, 0)};
};

TEST_F(GroupsToBe, OpenNoConnectionForReadsThatGoTogether) {
  for (int i = 0; i < 20; ++i) pool.Arrive(kRead);
  EXPECT_LE(pool.state.counts().opening, PoolState::kGroups);
}

TEST_F(GroupsToBe, OpenOneForThoseWhoHaveWaitedLongEnough) {
  for (int i = 0; i < PoolState::kGroups; ++i) {
    pool.Arrive(kRead);
    pool.Opened(pool.did.opens.at(0));
  }
  pool.Arrive(kRead);
  EXPECT_EQ(pool.state.counts().opening, 0);
  ASSERT_LE(pool.state.NextDue(), pool.now + PoolState::kGroupPatience);
  pool.now += PoolState::kGroupPatience;
  pool.Tick();
  EXPECT_EQ(pool.state.counts().opening, 1);
}

TEST(GroupsWithoutPatience, AreNoneWhereNobodyMayWait) {
  PoolLimits limits = Limits(3, 0);
  limits.timeout = Duration::zero();
  StatePlay pool(limits);
  for (int i = 0; i < 3; ++i) {
    pool.Arrive(kRead);
    pool.Opened(pool.did.opens.at(0));
    EXPECT_EQ(pool.did.grants.size(), 1U);
  }
}

}  // namespace
}  // namespace emsdb
