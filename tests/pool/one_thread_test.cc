// A connection has one thread for all its life, whoever's calls it serves: what libpq and SQLite
// keep for a thread stays with it.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "pool/pool.h"
#include "pool/transactions.h"
#include "tests/pool/recorded_call.h"
#include "tests/pool/state_play.h"
#include "tests/support/null_driver.h"

namespace emsdb {
namespace {

using std::chrono::microseconds;

struct Uses {
  std::atomic<int> all{0};
  std::atomic<int> by_others{0};
};

// Belongs to the thread that opens it.
class OwnedConnection final : public NullConnection {
 public:
  explicit OwnedConnection(Uses& uses) : uses_(uses) {}
  ~OwnedConnection() override { Used(); }

  absl::StatusOr<Completion> Execute(const Statement& statement, const RunOptions& options,
                                     const Bounds& bounds, RowSink& sink) override {
    Used();
    return NullConnection::Execute(statement, options, bounds, sink);
  }
  absl::Status Begin(const TransactionOptions&, const RunOptions&, const Bounds&) override {
    Used();
    state_ = TransactionState::kOpen;
    return absl::OkStatus();
  }
  absl::Status Commit(const Bounds&, CommitWitness*) override { return End(); }
  absl::Status RollBack(const Bounds&) override { return End(); }
  absl::Status Ping(const Bounds&) override {
    Used();
    return absl::OkStatus();
  }
  bool LooksAlive() override {
    Used();
    return true;
  }
  TransactionState transaction_state() const override { return state_; }

 private:
  void Used() const {
    ++uses_.all;
    if (std::this_thread::get_id() != owner_) ++uses_.by_others;
  }
  absl::Status End() {
    Used();
    state_ = TransactionState::kIdle;
    return absl::OkStatus();
  }

  Uses& uses_;
  const std::thread::id owner_ = std::this_thread::get_id();
  TransactionState state_ = TransactionState::kIdle;
};

class OwnedConnector final : public Connector {
 public:
  explicit OwnedConnector(Uses& uses) : uses_(uses) {}
  absl::StatusOr<std::unique_ptr<Connection>> Open(const Bounds&) override {
    return std::make_unique<OwnedConnection>(uses_);
  }

 private:
  Uses& uses_;
};

// Statements, and transactions that end well, are given up, or are forgotten.
void Work(Pool& pool, Transactions& transactions, Clock& clock) {
  const auto make = [&](Body body) {
    return std::make_shared<RecordedCall>(CallOptions{}, clock, std::move(body));
  };
  for (int i = 0; i < 300; ++i) {
    const CallRef statement = make(Sql("SELECT 1"));
    statement->Start(pool, Purpose::kStatement);
    statement->AwaitEnd();
    if (i % 5 != 0) continue;
    std::string id;
    const CallRef begin = make([&](Connection& connection, const Bounds& bounds, Lease& lease) {
      absl::Status begun = connection.Begin({}, {}, bounds);
      if (begun.ok()) id = transactions.Add(std::move(lease), {.caller = "cad"});
      return begun;
    });
    begin->Start(pool, Purpose::kLease);
    begin->AwaitEnd();
    if (id.empty()) continue;
    const CallRef inside = make(Sql("UPDATE t SET a = 1"));
    transactions.Run(id, "cad", TransactionStep::kStatement, inside);
    inside->AwaitEnd();
    if (i % 3 == 0) {
      transactions.Abandon(id);
      continue;
    }
    const CallRef commit = make([](Connection& connection, const Bounds& bounds, Lease&) {
      return connection.Commit(bounds);
    });
    transactions.Run(id, "cad", TransactionStep::kCommit, commit);
    commit->AwaitEnd();
  }
}

// T36
TEST(Pool, UsesEachConnectionFromTheThreadThatOpenedItAlone) {
  Uses uses;
  {
    Clock& clock = Clock::Real();
    UpkeepThread upkeep(clock);
    PoolLimits limits = Limits(2, 2);
    limits.pre_ping_window = Duration::zero();
    limits.recycle = microseconds(500);
    Pool pool(limits, std::make_unique<OwnedConnector>(uses), clock, upkeep);
    Transactions transactions(clock, upkeep);
    std::vector<std::thread> callers;
    for (int i = 0; i < 4; ++i) {
      callers.emplace_back([&] { Work(pool, transactions, clock); });
    }
    for (std::thread& caller : callers) caller.join();
    transactions.Drain();
    EXPECT_TRUE(pool.Drain(kNever));
  }
  EXPECT_GT(uses.all, 4 * 300);
  EXPECT_EQ(uses.by_others, 0);
}

}  // namespace
}  // namespace emsdb
