// Many threads, the machine's clock, and a driver that fails now and then: what ThreadSanitizer is
// to look at. Bounded work, no sleep, nothing timed.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "pool/errors.h"
#include "pool/pool.h"
#include "pool/transactions.h"
#include "tests/pool/recorded_call.h"
#include "tests/pool/state_play.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;

constexpr int kThreads = 4;
constexpr int kCallsEach = 1500;

class Stress {
  Clock& clock_ = Clock::Real();
  UpkeepThread upkeep_{clock_};  // ends last

 public:
  Stress() {
    PoolLimits limits = Limits(3, 2);
    limits.pre_ping_window = Duration::zero();
    limits.recycle = milliseconds(5);
    auto scripted = std::make_unique<ScriptedConnector>(clock_);
    connector = scripted.get();
    pool = std::make_unique<Pool>(limits, std::move(scripted), clock_, upkeep_);
    writer = std::make_unique<Pool>(Limits(1, 0), std::make_unique<ScriptedConnector>(clock_),
                                    clock_, upkeep_);
    transactions = std::make_unique<Transactions>(clock_, upkeep_);
  }
  // As the manager does.
  ~Stress() {
    transactions->Drain();
    pool.reset();
    writer.reset();
  }

  CallRef Make(std::mt19937& random, Body body) {
    CallOptions options;
    options.priority = static_cast<Priority>(random() % kPriorities);
    if (random() % 8 == 0) options.deadline = clock_.Now() + milliseconds(random() % 3);
    return std::make_shared<RecordedCall>(options, clock_, std::move(body));
  }

  // Several at once in line, some of them cancelled at a random moment.
  void Calls(unsigned seed) {
    std::mt19937 random(seed);
    std::vector<CallRef> line;
    for (int i = 0; i < kCallsEach; ++i) {
      const unsigned kind = random() % 20;
      if (kind == 0) {
        connector->Kill(connector->opened(), Death::kSilent);
      } else if (kind == 1) {
        connector->Next(Operation::kOpen, {.status = absl::UnavailableError("scripted")});
      } else if (kind == 2) {
        Transaction(random);
      }
      line.push_back(Make(
          random, kind < 6 ? Body([](Connection&, const Bounds&, Lease&) { return NeedsWriter(); })
                           : Sql("SELECT 1")));
      line.back()->Start(*pool, Purpose::kStatement, writer.get());
      if (random() % 4 == 0) line[random() % line.size()]->Cancel(StopReason::kCallerLeft);
      if (line.size() == 8) EndAll(line);
    }
    EndAll(line);
  }

  ScriptedConnector* connector;
  std::unique_ptr<Pool> pool;
  std::unique_ptr<Pool> writer;
  std::unique_ptr<Transactions> transactions;

 private:
  static void EndAll(std::vector<CallRef>& line) {
    for (const CallRef& call : line) call->AwaitEnd();
    for (const CallRef& call : line) EXPECT_EQ(call->answers(), 1);
    line.clear();
  }

  void Transaction(std::mt19937& random) {
    std::string id;
    const CallRef begin =
        Make(random, [&](Connection& connection, const Bounds& bounds, Lease& lease) {
          absl::Status begun = connection.Begin({}, {}, bounds);
          if (begun.ok()) id = transactions->Add(std::move(lease), {.caller = "cad"});
          return begun;
        });
    begin->Start(*pool, Purpose::kLease);
    begin->AwaitEnd();
    if (id.empty()) return;
    const CallRef statement = Make(random, Sql("UPDATE t SET a = 1"));
    transactions->Run(id, "cad", TransactionStep::kStatement, statement);
    if (random() % 3 == 0) statement->Cancel(StopReason::kCallerLeft);
    if (random() % 3 == 0) return transactions->Abandon(id), statement->AwaitEnd();
    statement->AwaitEnd();
    const CallRef commit = Make(random, [](Connection& connection, const Bounds& bounds, Lease&) {
      return connection.Commit(bounds);
    });
    transactions->Run(id, "cad", TransactionStep::kCommit, commit);
    commit->AwaitEnd();
  }
};

TEST(PoolUnderStress, AnswersEveryCallOnceAndLeaksNoConnection) {
  Stress stress;
  std::vector<std::thread> threads;
  for (unsigned seed = 1; seed <= kThreads; ++seed) {
    threads.emplace_back([&stress, seed] { stress.Calls(seed); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(stress.connector->most_open(), 5);
  stress.transactions->Drain();
  EXPECT_TRUE(stress.pool->Drain(kNever));
  EXPECT_TRUE(stress.writer->Drain(kNever));
  EXPECT_EQ(stress.connector->open_now(), 0);
  EXPECT_EQ(stress.pool->numbers().counts.leases, 0);
}

// The end comes while calls are on their way.
TEST(PoolUnderStress, EndsWhileCallsWaitAndRun) {
  for (unsigned seed = 1; seed <= 50; ++seed) {
    std::mt19937 random(seed);
    std::vector<CallRef> calls;
    {
      Stress stress;
      for (int i = 0; i < 20; ++i) {
        calls.push_back(stress.Make(
            random, i % 2 == 0 ? Sql("SELECT 1") : Body([](Connection&, const Bounds&, Lease&) {
              return NeedsWriter();
            })));
        calls.back()->Start(*stress.pool, Purpose::kStatement, stress.writer.get());
      }
    }
    for (const CallRef& call : calls) {
      call->AwaitEnd();
      EXPECT_EQ(call->answers(), 1);
    }
  }
}

}  // namespace
}  // namespace emsdb
