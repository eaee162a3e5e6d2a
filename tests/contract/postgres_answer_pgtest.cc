// PostgreSQL: an answer is whole and true, or it is an error that says what is not known.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "tests/contract/postgres_fixture.h"
#include "tests/support/tcp_proxy.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;

using PostgresAnswer = PostgresDriver;

// Few enough that all of it waits in the socket's buffers while the sink still has its first row.
constexpr char kThreeHundredRows[] =
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
    "SELECT i FROM n";

// A sink that holds its first row until `hold` has passed.
void HoldFirstRow(CollectingSink& sink, Duration hold) {
  sink.on_row = [&sink, hold] {
    if (sink.rows.size() == 1) std::this_thread::sleep_for(hold);
  };
}

// T2
TEST_F(PostgresAnswer, IsNoCutResultWhenTheSinkHoldsARowBeyondTheDeadline) {
  CollectingSink sink;
  HoldFirstRow(sink, milliseconds(400));
  const auto done =
      connection().Execute({.sql = kThreeHundredRows}, {}, Within(milliseconds(200)), sink);
  EXPECT_EQ(done.status().code(), absl::StatusCode::kDeadlineExceeded) << done.status();
  EXPECT_LT(sink.rows.size(), 300U);
  EXPECT_EQ(connection().transaction_state(), TransactionState::kIdle);
  EXPECT_EQ(TryRun(connection(), "SELECT 1"), absl::OkStatus());
}

TEST_F(PostgresAnswer, IsNoCutResultWhenItIsToldToStopInTheMiddleOfTheRows) {
  for (const auto& [reason, code] : kStopCases) {
    StopSignal stop;
    CollectingSink sink;
    sink.on_row = [&stop, &sink, why = reason] {
      if (sink.rows.size() == 1) stop.Raise(why);
    };
    const auto done =
        connection().Execute({.sql = kThreeHundredRows}, {.access = Access::kReadOnly},
                             Within(std::chrono::seconds(10), &stop), sink);
    EXPECT_EQ(done.status().code(), code) << done.status();
    EXPECT_LT(sink.rows.size(), 300U);
  }
}

TEST_F(PostgresAnswer, LeavesOnlyRollingBackWhenRowsWereDroppedInATransaction) {
  ASSERT_EQ(connection().Begin({}, {}, Soon()), absl::OkStatus());
  MustRun(connection(), Sql("INSERT INTO %t VALUES (1)"));
  CollectingSink sink;
  HoldFirstRow(sink, milliseconds(400));
  const auto done =
      connection().Execute({.sql = kThreeHundredRows}, {}, Within(milliseconds(200)), sink);
  EXPECT_EQ(done.status().code(), absl::StatusCode::kDeadlineExceeded) << done.status();
  EXPECT_EQ(connection().transaction_state(), TransactionState::kFailed);
  EXPECT_EQ(connection().Commit(Soon()).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(CountRows(), 0);
}

TEST_F(PostgresAnswer, RollsBackAWriteWhoseRowsWereDropped) {
  CollectingSink sink;
  HoldFirstRow(sink, milliseconds(400));
  const auto done = connection().Execute(
      {.sql = Sql("INSERT INTO %t SELECT generate_series(1, 300) RETURNING id")}, {},
      Within(milliseconds(200)), sink);
  EXPECT_EQ(done.status().code(), absl::StatusCode::kDeadlineExceeded) << done.status();
  EXPECT_EQ(DetailOf(done.status()).outcome, Outcome::kNothingDone);
  EXPECT_EQ(CountRows(), 0);
}

// T2: nothing was dropped, so what the server said wins.
TEST_F(PostgresAnswer, StaysGoodWhenOnlyTheLastRowWasHeldBeyondTheDeadline) {
  CollectingSink sink;
  HoldFirstRow(sink, milliseconds(400));
  const auto done = connection().Execute({.sql = "SELECT 1"}, {}, Within(milliseconds(200)), sink);
  EXPECT_EQ(done.status(), absl::OkStatus());
  EXPECT_EQ(sink.rows.size(), 1U);
}

class PostgresFunction : public PostgresDriver {
 protected:
  void SetUp() override {
    PostgresDriver::SetUp();
    MustRun(admin(), Sql("CREATE FUNCTION %t_note() RETURNS SETOF bigint LANGUAGE sql AS "
                         "'INSERT INTO %t VALUES (1); SELECT generate_series(1, 300)'"));
  }
  void TearDown() override {
    MustRun(admin(), Sql("DROP FUNCTION %t_note()"));
    PostgresDriver::TearDown();
  }
};

// T16, T17, T67
TEST_F(PostgresFunction, ThatWroteBehindASelectLeavesDoubtWhenTheAnswerIsLost) {
  TcpProxy proxy(ServerPort());
  auto connection = OpenThrough(proxy.port());
  proxy.CutAnswerTo("SELECT * FROM");
  const absl::Status status = TryRun(*connection, Sql("SELECT * FROM %t_note()"));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnknown) << status;
  EXPECT_EQ(DetailOf(status).outcome, Outcome::kUnknown);
  EXPECT_EQ(DetailOf(status).retry, Retry::kNo);
  EXPECT_EQ(CountRows(), 1);
}

TEST_F(PostgresFunction, ThatWroteBehindASelectLeavesDoubtWhenItsRowsAreRefused) {
  CollectingSink sink;
  sink.refuse_from_row = 1;
  const auto done = connection().Execute({.sql = Sql("SELECT * FROM %t_note()")}, {}, Soon(), sink);
  EXPECT_EQ(done.status().code(), absl::StatusCode::kResourceExhausted) << done.status();
  EXPECT_EQ(DetailOf(done.status()).outcome, Outcome::kUnknown);
  EXPECT_EQ(CountRows(), 1);
}

TEST_F(PostgresFunction, ThatWroteBehindASelectLeavesDoubtWhenItsRowsWereDropped) {
  CollectingSink sink;
  HoldFirstRow(sink, milliseconds(400));
  const auto done = connection().Execute({.sql = Sql("SELECT * FROM %t_note()")}, {},
                                         Within(milliseconds(200)), sink);
  EXPECT_EQ(done.status().code(), absl::StatusCode::kDeadlineExceeded) << done.status();
  EXPECT_EQ(DetailOf(done.status()).outcome, Outcome::kUnknown);
  EXPECT_EQ(DetailOf(done.status()).retry, Retry::kNo);
  EXPECT_EQ(CountRows(), 1);
}

TEST_F(PostgresFunction, ThatWroteBehindASelectLeavesNoDoubtWhenTheServerSaysThatItFailed) {
  const absl::Status status = TryRun(connection(), Sql("SELECT n, pg_sleep(30) FROM %t_note() n"),
                                     Within(milliseconds(200)));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_EQ(DetailOf(status).outcome, Outcome::kNothingDone);
  EXPECT_EQ(CountRows(), 0);
}

TEST_F(PostgresFunction, CannotWriteInAStatementThatIsDeclaredReadOnly) {
  TcpProxy proxy(ServerPort());
  auto connection = OpenThrough(proxy.port());
  proxy.CutAnswerTo("SELECT * FROM");
  const absl::Status status =
      TryRun(*connection, Sql("SELECT * FROM %t_note()"), Soon(), {.access = Access::kReadOnly});
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_EQ(DetailOf(status).outcome, Outcome::kNothingDone);
  EXPECT_EQ(CountRows(), 0);
}

TEST_F(PostgresAnswer, IsInDoubtAtTheDeadlineWhenAFunctionMayRunOnAStoppedBackend) {
  const StoppedProcess stopped(BackendOf(connection()));
  const absl::Status status = TryRun(connection(), "SELECT pg_sleep(0)", Within(milliseconds(200)));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_EQ(DetailOf(status).outcome, Outcome::kUnknown);
}

}  // namespace
}  // namespace emsdb
