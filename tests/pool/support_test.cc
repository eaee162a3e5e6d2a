// The clock and the driver that other tests stand on.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "tests/support/collecting_sink.h"
#include "tests/support/fake_clock.h"
#include "tests/support/scripted_connector.h"
#include "tests/support/status_matchers.h"

namespace emsdb {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Something to wait for.
struct Flag {
  void Set() {
    MutexLock lock(mutex);
    set = true;
    changed.NotifyAll();
  }
  // True if it was set before the deadline.
  bool Await(Clock& clock, Instant deadline) {
    MutexLock lock(mutex);
    while (!set && clock.Now() < deadline) clock.WaitUntil(mutex, changed, deadline);
    return set;
  }
  Mutex mutex;
  CondVar changed;
  bool set ABSL_GUARDED_BY(mutex) = false;
};

TEST(FakeClock, StandsStillUntilItIsAdvanced) {
  FakeClock clock;
  const Instant start = clock.Now();
  EXPECT_EQ(clock.Now(), start);
  clock.Advance(seconds(5));
  EXPECT_EQ(clock.Now() - start, seconds(5));
}

TEST(FakeClock, EndsAWaitWhoseDeadlineHasComeAtOnce) {
  FakeClock clock;
  Flag flag;
  EXPECT_FALSE(flag.Await(clock, clock.Now()));
}

TEST(FakeClock, WakesAWaiterWhenItsDeadlineComes) {
  FakeClock clock;
  Flag flag;
  const Instant deadline = clock.Now() + seconds(10);
  std::thread waiter([&] { EXPECT_FALSE(flag.Await(clock, deadline)); });
  clock.AwaitWaiters(1);
  EXPECT_EQ(clock.NextDeadline(), deadline);
  clock.Advance(seconds(9));
  clock.AwaitWaiters(1);  // still waits
  clock.Advance(seconds(1));
  waiter.join();
  EXPECT_EQ(clock.NextDeadline(), kNever);
}

TEST(FakeClock, WakesAWaiterThatIsSignalled) {
  FakeClock clock;
  Flag flag;
  std::thread waiter([&] { EXPECT_TRUE(flag.Await(clock, kNever)); });
  clock.AwaitWaiters(1);
  flag.Set();
  waiter.join();
}

TEST(FakeClock, LosesNoWakeUpWhenManyWaitAndTheClockMovesMeanwhile) {
  FakeClock clock;
  const Instant start = clock.Now();
  Flag flag;
  std::vector<std::thread> waiters;
  for (int i = 1; i <= 20; ++i) {
    waiters.emplace_back([&, i] { EXPECT_FALSE(flag.Await(clock, start + seconds(i))); });
  }
  for (int i = 0; i < 20; ++i) clock.Advance(seconds(1));
  for (std::thread& waiter : waiters) waiter.join();
}

class ScriptedDriver : public ::testing::Test {
 protected:
  std::unique_ptr<Connection> Open() {
    auto opened = connector_.Open({});
    EXPECT_THAT(opened, IsOk());
    return *std::move(opened);
  }
  absl::StatusOr<Completion> Run(Connection& connection, const std::string& sql,
                                 Bounds bounds = {}) {
    return connection.Execute({.sql = sql}, {}, bounds, sink_);
  }

  FakeClock clock_;
  ScriptedConnector connector_{clock_};
  CollectingSink sink_;
};

TEST_F(ScriptedDriver, SucceedsAtOnceUnlessToldOtherwise) {
  auto connection = Open();
  EXPECT_THAT(connection->Ping({}), IsOk());
  EXPECT_THAT(connection->Begin({}, {}, {}), IsOk());
  EXPECT_EQ(connection->transaction_state(), TransactionState::kOpen);
  EXPECT_THAT(Run(*connection, "SELECT 1"), IsOk());
  EXPECT_THAT(connection->Commit({}), IsOk());
  EXPECT_EQ(connection->transaction_state(), TransactionState::kIdle);
  EXPECT_TRUE(connection->LooksAlive());
  connection.reset();
  EXPECT_THAT(connector_.log(), ElementsAre("1 open", "1 ping", "1 begin", "1 execute SELECT 1",
                                            "1 commit", "1 close"));
  EXPECT_THAT(connector_.executed(), ElementsAre("SELECT 1"));
  EXPECT_EQ(connector_.opened(), 1);
  EXPECT_EQ(connector_.closed(), 1);
  EXPECT_EQ(connector_.pings(), 1);
}

TEST_F(ScriptedDriver, GivesTheRowsPutDownForTheNextCallOnly) {
  connector_.Next(Operation::kExecute, {.columns = {{.name = "n"}},
                                        .rows = {{std::int64_t{7}}, {Null{}}},
                                        .completion = {.command = "SELECT", .rows_affected = 2}});
  auto connection = Open();
  EXPECT_EQ(Run(*connection, "SELECT n")->rows_affected, 2);
  EXPECT_THAT(sink_.rows, ElementsAre(Row{std::int64_t{7}}, Row{Null{}}));
  EXPECT_EQ(Run(*connection, "SELECT n")->rows_affected, 0);
}

TEST_F(ScriptedDriver, FailsTheCallsTheScriptSays) {
  connector_.Next(Operation::kOpen, {.status = ConnectionUnavailable("down", Stage::kConnecting)});
  EXPECT_THAT(connector_.Open({}), StatusIs(absl::StatusCode::kUnavailable));
  connector_.Always(Operation::kPing,
                    {.status = absl::InternalError("no"), .aftermath = Aftermath::kBroken});
  auto connection = Open();
  EXPECT_THAT(connection->Ping({}), StatusIs(absl::StatusCode::kInternal));
  EXPECT_TRUE(connection->broken());
  EXPECT_FALSE(connection->LooksAlive());
  EXPECT_THAT(Run(*connection, "SELECT 1"), HasReason("CONNECTION_UNAVAILABLE"));
  EXPECT_THAT(connector_.executed(), IsEmpty());
  EXPECT_EQ(connector_.attempts(), 2);
}

TEST_F(ScriptedDriver, KeepsAFailedTransactionFailed) {
  connector_.Next(Operation::kExecute, {.status = absl::AlreadyExistsError("there")});
  auto connection = Open();
  ASSERT_THAT(connection->Begin({}, {}, {}), IsOk());
  EXPECT_THAT(Run(*connection, "INSERT"), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(connection->transaction_state(), TransactionState::kFailed);
  EXPECT_THAT(Run(*connection, "INSERT"), StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(connection->Commit({}), HasReason("TX_ROLLED_BACK"));
  EXPECT_EQ(connection->transaction_state(), TransactionState::kIdle);
}

TEST_F(ScriptedDriver, HangsUntilItIsReleased) {
  connector_.Next(Operation::kOpen, {.pace = Pace::kHangs});
  std::thread opener([&] { EXPECT_THAT(connector_.Open({}), IsOk()); });
  connector_.AwaitHanging(1);
  EXPECT_EQ(connector_.open_now(), 1);
  EXPECT_EQ(connector_.opened(), 0);
  connector_.Release();
  opener.join();
  EXPECT_EQ(connector_.hanging(), 0);
}

TEST_F(ScriptedDriver, HangsUntilTheDeadlineOnItsClock) {
  connector_.Next(Operation::kExecute, {.pace = Pace::kHangs});
  auto connection = Open();
  const Instant deadline = clock_.Now() + seconds(3);
  std::thread worker([&] {
    EXPECT_THAT(Run(*connection, "SELECT 1", {.deadline = deadline}), HasReason("DEADLINE"));
  });
  clock_.AwaitWaiters(1);
  clock_.Advance(seconds(3));
  worker.join();
  EXPECT_FALSE(connection->broken());
}

TEST_F(ScriptedDriver, HangsUntilItIsStopped) {
  connector_.Next(Operation::kExecute, {.pace = Pace::kHangs});
  auto connection = Open();
  StopSignal stop;
  std::thread worker([&] {
    EXPECT_THAT(Run(*connection, "SELECT 1", {.stop = &stop}), HasReason("CALLER_LEFT"));
  });
  connector_.AwaitHanging(1);
  stop.Raise(StopReason::kCallerLeft);
  worker.join();
  EXPECT_THAT(Run(*connection, "SELECT 1", {.stop = &stop}), HasReason("CALLER_LEFT"));
}

TEST_F(ScriptedDriver, LosesAKilledConnectionAndIsInDoubtAboutAWrite) {
  connector_.Always(Operation::kExecute, {.pace = Pace::kHangs});
  auto connection = Open();
  std::thread worker(
      [&] { EXPECT_THAT(Run(*connection, "UPDATE t SET a = 1"), HasReason("OUTCOME_UNKNOWN")); });
  connector_.AwaitHanging(1);
  connector_.Kill(1);
  worker.join();
  EXPECT_TRUE(connection->broken());
  EXPECT_EQ(connection->transaction_state(), TransactionState::kUnknown);
}

TEST_F(ScriptedDriver, ShowsAKilledConnectionOnlyWhenItsDeathCanBeSeen) {
  auto seen = Open();
  auto silent = Open();
  connector_.Kill(1);
  connector_.Kill(2, Death::kSilent);
  EXPECT_FALSE(seen->LooksAlive());
  EXPECT_TRUE(silent->LooksAlive());
  EXPECT_THAT(silent->Ping({}), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_FALSE(silent->LooksAlive());
}

TEST_F(ScriptedDriver, NoticesTwoThreadsOnOneConnection) {
  connector_.Next(Operation::kExecute, {.pace = Pace::kHangs});
  auto connection = Open();
  std::thread worker([&] { EXPECT_THAT(Run(*connection, "SELECT 1"), IsOk()); });
  connector_.AwaitHanging(1);
  EXPECT_TRUE(connection->LooksAlive());
  connector_.Release();
  worker.join();
  EXPECT_THAT(connector_.TakeBreaches(), ElementsAre("connection 1 LooksAlive while in use"));
}

TEST_F(ScriptedDriver, NoticesAPingInsideATransaction) {
  auto connection = Open();
  ASSERT_THAT(connection->Begin({}, {}, {}), IsOk());
  EXPECT_THAT(connection->Ping({}), IsOk());
  EXPECT_THAT(connector_.TakeBreaches(), ElementsAre("connection 1 Ping inside a transaction"));
}

TEST(ScriptedConnector, FailsTheTestForABreachThatNobodyTook) {
  EXPECT_NONFATAL_FAILURE(
      {
        FakeClock clock;
        ScriptedConnector connector(clock);
        auto connection = *connector.Open({});
        static_cast<void>(connection->Begin({}, {}, {}));
        static_cast<void>(connection->Begin({}, {}, {}));
      },
      "Begin inside a transaction");
}

TEST_F(ScriptedDriver, RefusesTransactionControlAsText) {
  auto connection = Open();
  EXPECT_THAT(Run(*connection, "COMMIT"), HasReason("TRANSACTION_CONTROL"));
}

TEST_F(ScriptedDriver, ChecksWhatABatchPromised) {
  connector_.Always(Operation::kExecute, {.completion = {.command = "UPDATE", .rows_affected = 1}});
  auto connection = Open();
  CollectingBatchSink sink;
  const GuardedStatement good = {.statement = {.sql = "UPDATE a"}, .expect_rows = 1};
  const GuardedStatement bad = {.statement = {.sql = "UPDATE b"}, .expect_rows = 2};
  EXPECT_THAT(connection->ExecuteBatch(std::vector{good, bad}, {}, {}, {}, sink),
              HasReason("ROWS_MISMATCH"));
  EXPECT_EQ(sink.completed.size(), 1U);
}

TEST(StatusMatchers, TellStatusesApart) {
  EXPECT_THAT(absl::OkStatus(), IsOk());
  EXPECT_THAT(absl::StatusOr<int>(1), IsOk());
  const absl::Status refused = InvalidField("statement.sql", "is empty");
  EXPECT_THAT(refused, Not(IsOk()));
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(refused, Not(StatusIs(absl::StatusCode::kAborted)));
  EXPECT_THAT(absl::StatusOr<int>(refused), HasReason("INVALID_FIELD"));
  EXPECT_THAT(refused, Not(HasReason("DEADLINE")));
  EXPECT_THAT(refused, HasMessage(HasSubstr("empty")));
  EXPECT_THAT(refused, HasDetail(Field(&ErrorDetail::field, "statement.sql")));
}

}  // namespace
}  // namespace emsdb
