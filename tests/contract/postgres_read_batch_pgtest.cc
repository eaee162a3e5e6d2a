// PostgreSQL: a batch that is declared read-only and shows no function has nothing to commit. It is
// one unit, in one trip, and promises what every other batch does.
#include <gtest/gtest.h>

#include <thread>

#include "pool/errors.h"
#include "tests/contract/postgres_fixture.h"
#include "tests/support/postgres_url.h"
#include "tests/support/tcp_proxy.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Stopwatch {
 public:
  Duration Elapsed() const { return Clock::Real().Now() - start_; }

 private:
  const Instant start_ = Clock::Real().Now();
};

constexpr TransactionOptions kDeclared = {.access = Access::kReadOnly};

// Beside the table, a view that sleeps and one that writes a row into the table.
class PostgresReadBatch : public PostgresDriver {
 protected:
  void SetUp() override {
    PostgresDriver::SetUp();
    MustRun(admin(),
            Sql("CREATE FUNCTION %t_note() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN "
                "INSERT INTO %t SELECT 1000 + count(*), 'noted' FROM %t; RETURN 1; END $$"));
    MustRun(admin(), Sql("CREATE VIEW %t_noting AS SELECT %t_note() AS noted"));
    MustRun(admin(), Sql("CREATE VIEW %t_slow AS SELECT pg_sleep(30) IS NULL AS slept"));
  }
  void TearDown() override {
    if (admin_ != nullptr) {
      MustRun(admin(), Sql("DROP VIEW %t_noting, %t_slow"));
      MustRun(admin(), Sql("DROP FUNCTION %t_note()"));
    }
    PostgresDriver::TearDown();
  }

  GuardedStatement One(std::string sql, std::optional<std::int64_t> expect_rows = {}) const {
    return {{.sql = Sql(std::move(sql))}, expect_rows};
  }
  absl::Status Run(const std::vector<GuardedStatement>& batch, const Bounds& bounds = Soon(),
                   const TransactionOptions& transaction = kDeclared) {
    return RunOn(connection(), batch, bounds, transaction);
  }
  absl::Status RunOn(Connection& connection, const std::vector<GuardedStatement>& batch,
                     const Bounds& bounds = Soon(),
                     const TransactionOptions& transaction = kDeclared) {
    sink_ = CollectingBatchSink();
    return connection.ExecuteBatch(
        batch, transaction, {.access = transaction.access, .identity = "cad"}, bounds, sink_);
  }
  Value Cell(std::size_t statement) { return sink_.sinks.at(statement).rows.at(0).at(0); }

  // Idle, whole, and with nothing left in its session.
  void ExpectUsable() {
    EXPECT_EQ(connection().transaction_state(), TransactionState::kIdle);
    EXPECT_FALSE(connection().session_changed());
    EXPECT_EQ(MustGetText(connection(), "SHOW transaction_read_only"), "off");
    EXPECT_EQ(MustGetText(connection(), "SHOW application_name"),
              MustGetText(*Open(), "SHOW application_name"));
    MustRun(connection(), Sql("INSERT INTO %t VALUES (424242, 'usable')"));
    MustRun(connection(), Sql("DELETE FROM %t WHERE id = 424242"));
  }

  CollectingBatchSink sink_;
};

// T7
TEST_F(PostgresReadBatch, IsOneReadOnlyTransactionWithItsCallersNameAndTimeOut) {
  ASSERT_EQ(Run({One("SHOW transaction_read_only"), One("SHOW application_name"),
                 One("SHOW statement_timeout"), One("VALUES (CURRENT_TIMESTAMP)"),
                 One("VALUES (CURRENT_TIMESTAMP)")},
                Within(milliseconds(9500))),
            absl::OkStatus());
  EXPECT_EQ(Cell(0), Value(std::string("on")));
  EXPECT_EQ(Cell(1), Value(std::string("cad")));
  EXPECT_NE(Cell(2), Value(std::string("0")));
  EXPECT_EQ(Cell(3), Cell(4));
  EXPECT_EQ(sink_.completed.size(), 5U);
  ExpectUsable();
}

TEST_F(PostgresReadBatch, HasEveryRowOfEveryStatement) {
  MustRun(admin(), Sql("INSERT INTO %t VALUES (1, 'a'), (2, 'b'), (3, NULL)"));
  const GuardedStatement by_key = {
      {.sql = Sql("SELECT s FROM %t WHERE id = $1"), .parameters = {std::int64_t{2}}}, 1};
  for (int i = 0; i < 3; ++i) {  // as it is, prepared on the way, and prepared
    ASSERT_EQ(Run({One("SELECT id, s FROM %t ORDER BY id", 3), by_key, by_key,
                   One("SELECT id FROM %t WHERE id = 77", 0)}),
              absl::OkStatus());
    EXPECT_EQ(sink_.sinks[0].rows[2], (Row{std::int64_t{3}, Null{}}));
    EXPECT_EQ(Cell(1), Value(std::string("b")));
    EXPECT_EQ(Cell(2), Value(std::string("b")));
    EXPECT_TRUE(sink_.sinks[3].rows.empty());
    EXPECT_EQ(sink_.sinks[3].columns.size(), 1U);
    EXPECT_EQ(sink_.completed[3].second.command, "SELECT");
  }
}

// T67
TEST_F(PostgresReadBatch, CannotWriteByWhatAViewHides) {
  const absl::Status status = Run({One("SELECT id FROM %t"), One("SELECT noted FROM %t_noting")});
  EXPECT_EQ(DetailOf(status).sqlstate, "25006") << status;
  EXPECT_EQ(DetailOf(status).statement, 1);
  EXPECT_EQ(CountRows(), 0);
  ExpectUsable();
}

// Only the declaration makes it one: a text that looks like a read is no promise.
TEST_F(PostgresReadBatch, IsNoneWhereAViewMayWrite) {
  EXPECT_EQ(Run({One("SELECT noted FROM %t_noting"), One("SELECT id FROM %t", 1)}, Soon(), {}),
            absl::OkStatus());
  EXPECT_EQ(CountRows(), 1);
  const absl::Status status =
      Run({One("SELECT noted FROM %t_noting"), One("SELECT id FROM %t", 77)}, Soon(), {});
  EXPECT_EQ(DetailOf(status).reason, "ROWS_MISMATCH") << status;
  EXPECT_EQ(CountRows(), 1);
}

// A read-only transaction may write a temporary table: where a function is called there is
// something to take back.
TEST_F(PostgresReadBatch, IsNoneWhereAFunctionIsCalled) {
  MustRun(connection(), "CREATE TEMP TABLE jotted (n int)");
  MustRun(admin(), Sql("CREATE FUNCTION %t_jot() RETURNS int LANGUAGE plpgsql AS $$ BEGIN "
                       "INSERT INTO pg_temp.jotted VALUES (1); RETURN 1; END $$"));
  const absl::Status status = Run({One("SELECT %t_jot()"), One("SELECT id FROM %t", 77)});
  EXPECT_EQ(DetailOf(status).reason, "ROWS_MISMATCH") << status;
  EXPECT_EQ(MustGetInt(connection(), "SELECT count(*) FROM jotted"), 0);
  EXPECT_EQ(Run({One("SELECT %t_jot()"), One("SELECT id FROM %t", 0)}), absl::OkStatus());
  EXPECT_EQ(MustGetInt(connection(), "SELECT count(*) FROM jotted"), 1);
  MustRun(admin(), Sql("DROP FUNCTION %t_jot()"));
}

TEST_F(PostgresReadBatch, SaysWhichPromiseWasMissed) {
  MustRun(admin(), Sql("INSERT INTO %t VALUES (1, 'a')"));
  const absl::Status status =
      Run({One("SELECT id FROM %t", 1), One("SELECT id FROM %t", 2), One("SELECT id FROM %t", 1)});
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_EQ(DetailOf(status).reason, "ROWS_MISMATCH");
  EXPECT_EQ(DetailOf(status).statement, 1);
  ExpectUsable();
}

TEST_F(PostgresReadBatch, SaysWhichStatementFailed) {
  const absl::Status status =
      Run({One("SELECT id FROM %t"), One("SELECT 1 / (SELECT 0)"), One("SELECT id FROM %t")});
  EXPECT_EQ(DetailOf(status).sqlstate, "22012") << status;
  EXPECT_EQ(DetailOf(status).statement, 1);
  EXPECT_EQ(DetailOf(status).outcome, Outcome::kNothingDone);
  EXPECT_EQ(sink_.completed.size(), 1U);
  ExpectUsable();
}

TEST_F(PostgresReadBatch, EndsAtItsDeadline) {
  const Stopwatch watch;
  const absl::Status status =
      Run({One("SELECT id FROM %t"), One("SELECT slept FROM %t_slow")}, Within(milliseconds(200)));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_EQ(DetailOf(status).outcome, Outcome::kNothingDone);
  EXPECT_LT(watch.Elapsed(), seconds(5));
  ExpectUsable();
}

TEST_F(PostgresReadBatch, EndsWhenItIsToldToStop) {
  for (const auto& [reason, code] : kStopCases) {
    StopSignal stop;
    std::thread stopper([&stop, why = reason] {
      std::this_thread::sleep_for(milliseconds(50));
      stop.Raise(why);
    });
    const absl::Status status = Run({One("SELECT slept FROM %t_slow"), One("SELECT id FROM %t")},
                                    Within(seconds(20), &stop));
    stopper.join();
    EXPECT_EQ(status.code(), code) << status;
    ExpectUsable();
  }
}

// T63
TEST_F(PostgresReadBatch, EndsWithWhatTheSinkSaysOfItsRows) {
  class Refusing final : public BatchSink {
   public:
    Refusing() { second_.refuse_from_row = 2; }
    RowSink& Rows(std::size_t statement) override { return statement == 1 ? second_ : other_; }
    void Completed(std::size_t, const Completion&) override { ++completed; }
    int completed = 0;

   private:
    CollectingSink other_;
    CollectingSink second_;
  } refusing;
  MustRun(admin(), Sql("INSERT INTO %t VALUES (1, 'a'), (2, 'b')"));
  const std::vector<GuardedStatement> batch = {One("SELECT id FROM %t"), One("SELECT id FROM %t"),
                                               One("SELECT id FROM %t")};
  const absl::Status status = connection().ExecuteBatch(batch, kDeclared, {}, Soon(), refusing);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_EQ(refusing.completed, 1);
  ExpectUsable();
}

// T17
TEST_F(PostgresReadBatch, MayBeRepeatedWhenItsAnswerIsLost) {
  TcpProxy proxy(ServerPort());
  auto cut = OpenThrough(proxy.port());
  proxy.CutAnswerTo("SELECT 'cut here'");
  const absl::Status status = RunOn(*cut, {One("SELECT 'cut here'"), One("SELECT id FROM %t")});
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_EQ(DetailOf(status).reason, "CONNECTION_LOST");
  EXPECT_EQ(DetailOf(status).outcome, Outcome::kNothingDone);
  EXPECT_EQ(DetailOf(status).retry, Retry::kYes);
  EXPECT_TRUE(cut->broken());
}

TEST_F(PostgresReadBatch, SaysThatTheServerEndedItsSession) {
  const pid_t backend = BackendOf(connection());
  std::thread killer([&] {
    std::this_thread::sleep_for(milliseconds(150));
    MustRun(admin(), "SELECT pg_terminate_backend($1)", {std::int64_t{backend}});
  });
  const absl::Status status = Run({One("SELECT id FROM %t"), One("SELECT slept FROM %t_slow")});
  killer.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_EQ(DetailOf(status).sqlstate, "57P01");
  EXPECT_EQ(DetailOf(status).outcome, Outcome::kNothingDone);
  EXPECT_TRUE(connection().broken());
}

TEST_F(PostgresReadBatch, IsHeldByAStoppedBackendNoLongerThanItsDeadline) {
  const StoppedProcess stopped(BackendOf(connection()));
  const Stopwatch watch;
  const absl::Status status =
      Run({One("SELECT id FROM %t"), One("SELECT id FROM %t")}, Within(milliseconds(300)));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_EQ(DetailOf(status).outcome, Outcome::kNothingDone);
  EXPECT_LT(watch.Elapsed(), seconds(5));
  EXPECT_TRUE(connection().given_up());
}

// T46
TEST_F(PostgresReadBatch, IsToBeRunAgainWhenATableHasChanged) {
  MustRun(admin(), Sql("INSERT INTO %t VALUES (1, 'a')"));
  const std::vector<GuardedStatement> batch = {One("VALUES (1)"), One("SELECT * FROM %t")};
  for (int i = 0; i < 3; ++i) ASSERT_EQ(Run(batch), absl::OkStatus());
  // Of another process, as it were: what it changes, the others are not told of.
  auto outsider = MakeConnector(TestPostgresUrl())->Open(Soon());
  ASSERT_TRUE(outsider.ok()) << outsider.status();
  MustRun(**outsider, Sql("ALTER TABLE %t ADD COLUMN more int"));
  const absl::Status status = Run(batch);
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
  EXPECT_EQ(DetailOf(status).reason, "PLAN_CHANGED");
  EXPECT_EQ(DetailOf(status).outcome, Outcome::kNothingDone);
  EXPECT_EQ(DetailOf(status).statement, 1);
  ASSERT_EQ(Run(batch), absl::OkStatus());
  EXPECT_EQ(sink_.sinks[1].rows.at(0).size(), 3U);
  ExpectUsable();
}

TEST_F(PostgresReadBatch, HealsWhereAFunctionDroppedThePreparedSettings) {
  MustRun(admin(), Sql("CREATE FUNCTION %t_drop() RETURNS int LANGUAGE plpgsql AS $$ BEGIN "
                       "EXECUTE 'DEALLOCATE ALL'; RETURN 1; END $$"));
  MustRun(connection(), Sql("SELECT %t_drop()"));
  EXPECT_EQ(Run({One("SHOW transaction_read_only"), One("SHOW application_name")}),
            absl::OkStatus());
  EXPECT_EQ(Cell(0), Value(std::string("on")));
  EXPECT_EQ(Cell(1), Value(std::string("cad")));
  EXPECT_EQ(connection().ResetSession(Soon()), absl::OkStatus());
  ExpectUsable();
  MustRun(admin(), Sql("DROP FUNCTION %t_drop()"));
}

TEST_F(PostgresReadBatch, BeginsWithAResetWhereEveryUseDoes) {
  auto connector = PostgresConnector::Create(
      {.uri = TestPostgresUrl(), .session_reset = SessionReset::kBeforeEveryUse}, Clock::Real());
  ASSERT_TRUE(connector.ok()) << connector.status();
  auto always = (*connector)->Open(Soon());
  ASSERT_TRUE(always.ok()) << always.status();
  MustRun(**always, "SET IntervalStyle = 'iso_8601'");
  ASSERT_EQ(RunOn(**always, {One("SHOW IntervalStyle"), One("SHOW transaction_read_only")}),
            absl::OkStatus());
  EXPECT_EQ(Cell(0), Value(std::string("postgres")));
  EXPECT_EQ(Cell(1), Value(std::string("on")));
}

TEST_F(PostgresReadBatch, NamesTheTypesThatItMeets) {
  MustRun(admin(), Sql("CREATE TYPE %t_mood AS ENUM ('well', 'ill')"));
  MustRun(admin(), Sql("CREATE VIEW %t_moods AS SELECT 'ill'::%t_mood AS mood"));
  ASSERT_EQ(Run({One("SELECT id FROM %t"), One("SELECT mood FROM %t_moods")}), absl::OkStatus());
  EXPECT_EQ(sink_.sinks[1].columns.at(0).type, Sql("%t_mood"));
  EXPECT_EQ(Cell(1), Value(std::string("ill")));
  MustRun(admin(), Sql("DROP VIEW %t_moods"));
  MustRun(admin(), Sql("DROP TYPE %t_mood"));
}

// A batch larger than every buffer on the way, in both directions.
TEST_F(PostgresReadBatch, FillsEveryBuffer) {
  const std::string large(100000, 'x');
  std::vector<GuardedStatement> batch;
  for (int i = 0; i < 100; ++i) {
    batch.push_back({{.sql = "VALUES ($1)", .parameters = {large}}, 1});
  }
  ASSERT_EQ(Run(batch, Within(seconds(60))), absl::OkStatus());
  EXPECT_EQ(sink_.sinks.back().rows.at(0).at(0), Value(large));
  ExpectUsable();
}

TEST_F(PostgresReadBatch, IsAsItsIsolationSaysWhereItHasOne) {
  ASSERT_EQ(Run({One("SHOW transaction_isolation"), One("SHOW transaction_read_only")}, Soon(),
                {.isolation = Isolation::kRepeatableRead, .access = Access::kReadOnly}),
            absl::OkStatus());
  EXPECT_EQ(Cell(0), Value(std::string("repeatable read")));
  EXPECT_EQ(Cell(1), Value(std::string("on")));
  ExpectUsable();
}

}  // namespace
}  // namespace emsdb
