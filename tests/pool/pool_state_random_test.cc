// PoolState against a world that does anything it may, in any order: a few thousand seeds, each
// replayed by EMSDB_SEED. After every step the promises are checked against a model of its own.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "pool/pool_state.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;

PoolLimits RandomLimits(std::mt19937_64& random) {
  const auto below = [&](int bound) { return static_cast<int>(random() % bound); };
  PoolLimits limits;
  limits.size = 1 + below(4);
  limits.overflow = below(4);
  limits.timeout = milliseconds(below(3) == 0 ? 0 : 1 + below(2000));
  limits.recycle = milliseconds(1 + below(5000));
  limits.pre_ping_window = milliseconds(below(1000));
  limits.max_waiters = below(12);
  if (below(2) == 0) limits.idle_order = IdleOrder::kLeastRecentFirst;
  return limits;
}

class World {
 public:
  explicit World(std::uint64_t seed)
      : random_(seed), limits_(RandomLimits(random_)), state_(limits_) {}

  void Play(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      Step();
      Check();
    }
    WindUp();
  }

 private:
  enum class Phase { kEmpty, kOpening, kIdle, kLeased, kClosing };
  using Key = std::pair<std::uint32_t, std::uint32_t>;
  struct Person {
    Priority priority;
    Purpose purpose;
    Instant deadline;
    int number;  // in the order of arrival
  };

  int Below(int bound) { return static_cast<int>(random_() % bound); }
  static Key KeyOf(Ticket ticket) { return {ticket.index, ticket.serial}; }

  SlotId Any(Phase phase) {
    std::vector<SlotId> found;
    for (const auto& [slot, at] : phases_) {
      if (at == phase) found.push_back(slot);
    }
    return found.empty() ? -1 : found[Below(static_cast<int>(found.size()))];
  }
  int Count(Phase phase) const {
    int count = 0;
    for (const auto& [slot, at] : phases_) count += at == phase ? 1 : 0;
    return count;
  }

  void Step() {
    Actions actions;
    switch (Below(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return Arrive();
      case 4:
        return Withdraw();
      case 5:
        return FinishOpening(Below(4) != 0);
      case 6:
        return FinishClosing();
      case 7:
      case 8:
      case 9:
        return Below(8) == 0 ? Stale() : Return();
      case 10:
        now_ += milliseconds(Below(300));
        state_.Tick(now_, actions);
        Apply(actions);
        for (const auto& [key, person] : waiting_) EXPECT_GT(person.deadline, now_);
        return;
      default:
        if (Below(60) != 0) return;
        draining_ = true;
        state_.Drain(actions);
        return Apply(actions);
    }
  }

  void Arrive() {
    Actions actions;
    const auto priority = static_cast<Priority>(Below(kPriorities));
    const auto purpose = Below(4) == 0 ? Purpose::kLease : Purpose::kStatement;
    const Instant caller = Below(3) == 0 ? now_ + milliseconds(Below(1500)) : kNever;
    const bool no_wait = limits_.timeout == Duration::zero();
    const Instant pools = now_ + (no_wait ? kConnectTimeout : limits_.timeout);
    const auto arrival =
        state_.Arrive(now_, {priority, purpose, caller, Grouping::kAlone}, actions);
    if (!arrival.refused) {
      ASSERT_TRUE(waiting_
                      .emplace(KeyOf(arrival.ticket),
                               Person{priority, purpose, std::min(pools, caller), ++arrivals_})
                      .second);
    } else if (*arrival.refused == RefusalReason::kShutdown) {
      EXPECT_TRUE(draining_);
    } else if (*arrival.refused == RefusalReason::kTimedOut) {
      EXPECT_TRUE(no_wait);
    }
    Apply(actions);
  }

  void Withdraw() {
    if (waiting_.empty()) return;
    auto person = std::next(waiting_.begin(), Below(static_cast<int>(waiting_.size())));
    const Ticket ticket{person->first.first, person->first.second};
    EXPECT_TRUE(state_.Withdraw(ticket));
    EXPECT_FALSE(state_.Withdraw(ticket));
    waiting_.erase(person);
  }

  void FinishOpening(bool well) {
    const SlotId slot = Any(Phase::kOpening);
    if (slot < 0) return;
    Actions actions;
    phases_[slot] = well ? Phase::kIdle : Phase::kEmpty;
    if (well) {
      state_.Opened(now_, slot, actions);
    } else {
      state_.OpenFailed(now_, slot, OpenFailure::kUnreachable, actions);
    }
    Apply(actions);
  }

  void FinishClosing() {
    const SlotId slot = Any(Phase::kClosing);
    if (slot < 0) return;
    Actions actions;
    phases_[slot] = Phase::kEmpty;
    state_.Closed(now_, slot, actions);
    Apply(actions);
  }

  void Return() {
    const SlotId slot = Any(Phase::kLeased);
    if (slot < 0) return;
    Actions actions;
    const int how = Below(10);
    const auto condition = how == 0   ? Condition::kBroken
                           : how == 1 ? Condition::kDirty
                                      : Condition::kGood;
    holders_.erase(slot);
    phases_[slot] = Phase::kIdle;
    state_.Returned(now_, slot, condition, now_, actions);
    Apply(actions);
  }

  void Stale() {
    const SlotId slot = Any(Phase::kLeased);
    if (slot < 0) return;
    Actions actions;
    const Person person = holders_.at(slot);
    holders_.erase(slot);
    phases_[slot] = Phase::kIdle;
    const Ticket ticket = state_.FoundStale(now_, slot, actions);
    ASSERT_TRUE(waiting_.emplace(KeyOf(ticket), person).second);
    Apply(actions);
  }

  void Apply(const Actions& actions) {
    for (const auto& refusal : actions.refusals) {
      EXPECT_EQ(waiting_.erase(KeyOf(refusal.ticket)), 1u) << "refused who does not wait";
    }
    for (const auto& grant : actions.grants) Grant(grant);
    for (const auto& close : actions.closes) {
      EXPECT_EQ(phases_[close.slot], Phase::kIdle);
      phases_[close.slot] = Phase::kClosing;
    }
    for (const SlotId slot : actions.opens) {
      EXPECT_EQ(phases_[slot], Phase::kEmpty);
      EXPECT_FALSE(draining_);
      phases_[slot] = Phase::kOpening;
    }
  }

  void Grant(const Actions::Grant& grant) {
    EXPECT_EQ(phases_[grant.slot], Phase::kIdle);
    const auto found = waiting_.find(KeyOf(grant.ticket));
    ASSERT_NE(found, waiting_.end()) << "granted who does not wait";
    const Person person = found->second;
    waiting_.erase(found);
    for (const auto& [key, other] : waiting_) {
      EXPECT_FALSE(other.priority == person.priority && other.number < person.number)
          << "overtaken within its class";
    }
    holders_[grant.slot] = person;
    phases_[grant.slot] = Phase::kLeased;
  }

  void Check() {
    const PoolState::Counts counts = state_.counts();
    EXPECT_EQ(counts.idle, Count(Phase::kIdle));
    EXPECT_EQ(counts.leased, Count(Phase::kLeased));
    EXPECT_EQ(counts.opening, Count(Phase::kOpening));
    EXPECT_EQ(counts.closing, Count(Phase::kClosing));
    EXPECT_EQ(counts.waiting, static_cast<int>(waiting_.size()));
    const int used = counts.idle + counts.leased + counts.opening + counts.closing;
    EXPECT_LE(used, limits_.limit());
    EXPECT_LE(counts.idle, limits_.size);
    if (limits_.leased_limit() < limits_.limit()) {
      EXPECT_LE(counts.leases, limits_.leased_limit());
    }

    int reporting = 0, leases = 0;
    for (const auto& [slot, holder] : holders_) {
      reporting += holder.priority == Priority::kReporting ? 1 : 0;
      leases += holder.purpose == Purpose::kLease ? 1 : 0;
    }
    const int limit = limits_.limit();
    const int may_report = limit <= 2 ? limit : limit - std::max(1, limit / 5);
    EXPECT_LE(reporting, may_report);
    int others = 0, reports = 0;
    Instant due = kNever;
    for (const auto& [key, person] : waiting_) {
      ++(person.priority == Priority::kReporting ? reports : others);
      leases += person.purpose == Purpose::kLease ? 1 : 0;
      due = std::min(due, person.deadline);
    }
    EXPECT_EQ(counts.leases, leases);
    EXPECT_LE(state_.NextDue(), due) << "somebody's deadline is not watched";
    const int eligible = others + std::min(reports, may_report - reporting);
    if (eligible == 0) return;
    EXPECT_EQ(counts.idle, 0) << "somebody waits while a connection is idle";
    if (draining_) {
      EXPECT_GT(counts.leased + counts.opening, 0) << "nobody can ever serve who waits";
    } else {
      EXPECT_TRUE(counts.opening >= eligible || used == limit || state_.NextDue() != kNever)
          << "nothing is opened for a waiter";
    }
  }

  // Everything comes to an end, and nothing is left.
  void WindUp() {
    Actions actions;
    draining_ = true;
    state_.Drain(actions);
    Apply(actions);
    for (int i = 0; i < 1000 && !::testing::Test::HasFailure(); ++i) {
      FinishOpening(true);
      FinishClosing();
      Return();
      Check();
    }
    EXPECT_TRUE(waiting_.empty());
    const PoolState::Counts counts = state_.counts();
    EXPECT_EQ(counts.idle + counts.leased + counts.opening + counts.closing + counts.leases, 0);
  }

  std::mt19937_64 random_;
  const PoolLimits limits_;
  PoolState state_;
  Instant now_{std::chrono::hours(1)};
  std::map<SlotId, Phase> phases_;
  std::map<SlotId, Person> holders_;
  std::map<Key, Person> waiting_;
  int arrivals_ = 0;
  bool draining_ = false;
};

TEST(PoolStateAtRandom, KeepsItsPromisesWhateverTheWorldDoes) {
  constexpr std::uint64_t kSeeds = 2500;
  std::uint64_t first = 1, last = kSeeds;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread
  if (const char* only = std::getenv("EMSDB_SEED")) first = last = std::strtoull(only, nullptr, 10);
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    SCOPED_TRACE("replay with EMSDB_SEED=" + std::to_string(seed));
    World(seed).Play(120);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace emsdb
