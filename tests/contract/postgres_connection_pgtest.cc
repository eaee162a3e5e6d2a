// PostgreSQL: statements, transactions and cancels, beyond the contract suite.
#include <gmock/gmock.h>
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
using std::chrono::seconds;
using testing::HasSubstr;

using PostgresConnection = PostgresDriver;

// Round trips, counted at the socket.

TEST_F(PostgresConnection, NeedsOneTripForAStatementAndTwoForABatch) {
  TcpProxy proxy(ServerPort());
  auto connection = OpenThrough(proxy.port());
  const auto trips_of = [&](const auto& work) {
    const int before = proxy.trips();
    work();
    return proxy.trips() - before;
  };
  const std::string insert = Sql("INSERT INTO %t VALUES ($1, $2)");
  EXPECT_EQ(trips_of([&] { MustRun(*connection, "SELECT 1"); }), 1);
  EXPECT_EQ(trips_of([&] { MustRun(*connection, Sql("SELECT * FROM %t WHERE id = $1"), {"1"}); }),
            1);
  EXPECT_EQ(trips_of([&] { MustRun(*connection, insert, {std::int64_t{1}, "x"}); }), 1);
  EXPECT_EQ(trips_of([&] {
              EXPECT_EQ(TryRun(*connection, "SELECT 1", Soon(), {.access = Access::kReadOnly}),
                        absl::OkStatus());
            }),
            1);
  EXPECT_EQ(trips_of([&] { EXPECT_EQ(connection->Ping(Soon()), absl::OkStatus()); }), 1);
  EXPECT_EQ(trips_of([&] { EXPECT_FALSE(TryRun(*connection, "SELECT 1/0").ok()); }), 1);
  // Its rows must be seen before it is committed.
  EXPECT_EQ(
      trips_of([&] { MustRun(*connection, Sql("INSERT INTO %t VALUES (2, 'y') RETURNING id")); }),
      2);
  CollectingBatchSink sink;
  const std::vector<GuardedStatement> batch = {{{.sql = Sql("INSERT INTO %t VALUES (3)")}, 1},
                                               {{.sql = Sql("SELECT * FROM %t")}, 3}};
  EXPECT_EQ(trips_of([&] {
              EXPECT_EQ(connection->ExecuteBatch(batch, {}, {}, Soon(), sink), absl::OkStatus());
            }),
            2);
  EXPECT_EQ(trips_of([&] { EXPECT_EQ(connection->Begin({}, {}, Soon()), absl::OkStatus()); }), 1);
  EXPECT_EQ(trips_of([&] { MustRun(*connection, Sql("SELECT * FROM %t")); }), 1);
  EXPECT_EQ(trips_of([&] { EXPECT_EQ(connection->Commit(Soon()), absl::OkStatus()); }), 1);
}

// T7, T40
TEST_F(PostgresConnection, LeavesNothingOfItsSettingsBehind) {
  const pid_t backend = BackendOf(connection());
  const std::string show = "SELECT application_name FROM pg_stat_activity WHERE pid = $1";
  ASSERT_EQ(TryRun(connection(), Sql("INSERT INTO %t VALUES (1)"), Within(milliseconds(200)),
                   {.identity = "dispatch-7"}),
            absl::OkStatus());
  EXPECT_EQ(MustGetText(admin(), show, {std::int64_t{backend}}), "emsdb-gateway");
  // A statement without a deadline after one with a short one is not cut off by it.
  CollectingSink sink;
  EXPECT_TRUE(connection().Execute({.sql = "SELECT pg_sleep(0.4)"}, {}, {}, sink).ok());
  EXPECT_EQ(MustGetText(connection(), "SELECT reset_val FROM pg_settings WHERE name = $1",
                        {"statement_timeout"}),
            "0");
}

TEST_F(PostgresConnection, ShowsTheCallerToTheDatabaseWhileItRuns) {
  CollectingSink sink;
  const RunOptions options = {.identity = "crew-\xc3\xa4-12"};
  ASSERT_TRUE(
      connection()
          .Execute({.sql = "SELECT current_setting('application_name')"}, options, Soon(), sink)
          .ok());
  EXPECT_EQ(sink.rows.at(0).at(0), Value(std::string("crew-?\?-12")));
}

// T5, T7
TEST_F(PostgresConnection, TellsTheServerTheTimeThatIsLeft) {
  CollectingSink sink;
  ASSERT_TRUE(connection()
                  .Execute({.sql = "SELECT setting::int8 FROM pg_settings WHERE name = "
                                   "'statement_timeout'"},
                           {}, Within(seconds(5)), sink)
                  .ok());
  const std::int64_t left = std::get<std::int64_t>(sink.rows.at(0).at(0));
  EXPECT_GT(left, 3000);
  EXPECT_LE(left, 5000);
}

// T3
TEST_F(PostgresConnection, TellsApartWhoCancelled) {
  EXPECT_EQ(TryRun(connection(), "SELECT pg_sleep(30)", Within(milliseconds(100))).code(),
            absl::StatusCode::kDeadlineExceeded);
  const pid_t backend = BackendOf(connection());
  std::thread operator_cancels([&] {
    while (MustGetInt(admin(),
                      "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE pid = $1 "
                      "AND state = 'active' AND query = 'SELECT pg_sleep(31)'",
                      {std::int64_t{backend}}) == 0) {
    }
  });
  const absl::Status status = TryRun(connection(), "SELECT pg_sleep(31)");
  operator_cancels.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
  EXPECT_EQ(DetailOf(status).sqlstate, "57014");
  EXPECT_EQ(connection().Ping(Soon()), absl::OkStatus());
}

// T1: each statement after a stopped one is whole.
TEST_F(PostgresConnection, ACancelNeverHitsTheNextStatement) {
  int stopped = 0;
  for (int i = 0; i < 300; ++i) {
    StopSignal stop;
    std::thread stopper([&stop, i] {
      std::this_thread::sleep_for(std::chrono::microseconds(i * 10));
      stop.Raise(StopReason::kCallerLeft);
    });
    const absl::Status status =
        TryRun(connection(), "SELECT pg_sleep(0.002)", Within(seconds(10), &stop));
    stopper.join();
    if (!status.ok()) {
      EXPECT_EQ(status.code(), absl::StatusCode::kCancelled) << status;
      ++stopped;
    }
    ASSERT_EQ(TryRun(connection(), "SELECT 1"), absl::OkStatus());
  }
  EXPECT_GT(stopped, 0);
}

// T2, T62: nobody waits in poll while rows keep coming, and the deadline holds all the same.
TEST_F(PostgresConnection, EndsAFloodOfRowsAtTheDeadline) {
  class Counter final : public RowSink {
   public:
    absl::Status OnColumns(std::span<const Column>) override { return absl::OkStatus(); }
    absl::Status OnRow(std::span<const Cell>) override { return absl::OkStatus(); }
  } sink;
  const Instant start = Clock::Real().Now();
  const auto done = connection().Execute({.sql = "SELECT generate_series(1, 2000000000)"}, {},
                                         Within(milliseconds(300)), sink);
  EXPECT_EQ(done.status().code(), absl::StatusCode::kDeadlineExceeded) << done.status();
  EXPECT_LT(Clock::Real().Now() - start, seconds(2));
}

// T13, T15
TEST_F(PostgresConnection, SaysWhatFailsOnlyWhenItIsCommitted) {
  const std::string child = Sql("%t_child");
  MustRun(admin(), absl::StrFormat("CREATE TABLE %s (id bigint, parent bigint REFERENCES %s "
                                   "DEFERRABLE INITIALLY DEFERRED)",
                                   child, Sql("%t")));
  const std::string orphan = absl::StrFormat("INSERT INTO %s VALUES (1, 77)", child);
  // One statement: the implicit commit fails, behind the statement's own success.
  absl::Status status = TryRun(connection(), orphan);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_EQ(DetailOf(status).sqlstate, "23503");
  status = TryRun(connection(), absl::StrFormat("%s RETURNING id", orphan));
  EXPECT_EQ(DetailOf(status).sqlstate, "23503") << status;
  // A transaction.
  ASSERT_EQ(connection().Begin({}, {}, Soon()), absl::OkStatus());
  EXPECT_EQ(TryRun(connection(), orphan), absl::OkStatus());
  status = connection().Commit(Soon());
  EXPECT_EQ(DetailOf(status).sqlstate, "23503") << status;
  EXPECT_EQ(DetailOf(status).stage, Stage::kCommitting);
  // A batch.
  CollectingBatchSink sink;
  const std::vector<GuardedStatement> batch = {{{.sql = orphan}, 1}};
  EXPECT_EQ(DetailOf(connection().ExecuteBatch(batch, {}, {}, Soon(), sink)).sqlstate, "23503");
  EXPECT_EQ(MustGetInt(connection(), absl::StrFormat("SELECT count(*) FROM %s", child)), 0);
  MustRun(admin(), absl::StrFormat("DROP TABLE %s", child));
}

// T15
TEST_F(PostgresConnection, AbortsTheLaterOfTwoTransactionsThatCannotBeSerialised) {
  MustRun(admin(), Sql("INSERT INTO %t VALUES (1, 'a'), (2, 'a')"));
  auto other = Open();
  const TransactionOptions serializable = {.isolation = Isolation::kSerializable};
  ASSERT_EQ(connection().Begin(serializable, {}, Soon()), absl::OkStatus());
  ASSERT_EQ(other->Begin(serializable, {}, Soon()), absl::OkStatus());
  MustRun(connection(), Sql("SELECT * FROM %t"));
  MustRun(*other, Sql("SELECT * FROM %t"));
  MustRun(connection(), Sql("UPDATE %t SET s = 'b' WHERE id = 1"));
  MustRun(*other, Sql("UPDATE %t SET s = 'b' WHERE id = 2"));
  EXPECT_EQ(connection().Commit(Soon()), absl::OkStatus());
  const absl::Status status = other->Commit(Soon());
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
  EXPECT_EQ(DetailOf(status).sqlstate, "40001");
  EXPECT_EQ(DetailOf(status).retry, Retry::kYes);
  EXPECT_EQ(other->transaction_state(), TransactionState::kIdle);
}

TEST_F(PostgresConnection, BeginsAsItWasTold) {
  ASSERT_EQ(connection().Begin({.isolation = Isolation::kRepeatableRead,
                                .access = Access::kReadOnly,
                                .server_idle_timeout = milliseconds(4500)},
                               {.identity = "me"}, Soon()),
            absl::OkStatus());
  EXPECT_EQ(MustGetText(connection(), "SHOW transaction_isolation"), "repeatable read");
  EXPECT_EQ(MustGetText(connection(), "SHOW transaction_read_only"), "on");
  EXPECT_EQ(MustGetText(connection(), "SHOW idle_in_transaction_session_timeout"), "4500ms");
  EXPECT_EQ(connection().Begin({}, {}, Soon()).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(connection().RollBack(Soon()), absl::OkStatus());
  EXPECT_EQ(MustGetText(connection(), "SHOW idle_in_transaction_session_timeout"), "0");
}

TEST_F(PostgresConnection, LeavesARoleReadOnlyThatIsSo) {
  auto opened = MakeConnector(UrlWithParameters("?options=-c%20default_transaction_read_only%3Don"))
                    ->Open(Soon());
  ASSERT_TRUE(opened.ok()) << opened.status();
  ASSERT_EQ((*opened)->Begin({}, {}, Soon()), absl::OkStatus());
  EXPECT_EQ(DetailOf(TryRun(**opened, Sql("INSERT INTO %t VALUES (1)"))).sqlstate, "25006");
  EXPECT_EQ((*opened)->RollBack(Soon()), absl::OkStatus());
  EXPECT_EQ(DetailOf(TryRun(**opened, Sql("INSERT INTO %t VALUES (1) RETURNING id"))).sqlstate,
            "25006");
  EXPECT_EQ(CountRows(), 0);
}

TEST_F(PostgresConnection, EndsABeginThatWaitsForItsSnapshotAtTheDeadline) {
  ASSERT_EQ(admin().Begin({.isolation = Isolation::kSerializable}, {}, Soon()), absl::OkStatus());
  MustRun(admin(), Sql("SELECT * FROM %t"));
  MustRun(admin(), Sql("INSERT INTO %t VALUES (1)"));
  const absl::Status status = connection().Begin(
      {.isolation = Isolation::kSerializable, .access = Access::kReadOnly, .deferrable = true}, {},
      Within(milliseconds(300)));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_FALSE(connection().broken());
  EXPECT_EQ(connection().transaction_state(), TransactionState::kIdle);
  EXPECT_EQ(TryRun(connection(), "SELECT 1"), absl::OkStatus());
  EXPECT_EQ(admin().RollBack(Soon()), absl::OkStatus());
}

// T20
TEST_F(PostgresConnection, AProcedureCannotCommitPartOfItself) {
  const std::string name = Sql("%t_proc");
  MustRun(admin(), absl::StrFormat("CREATE PROCEDURE %s() LANGUAGE plpgsql AS $$ BEGIN "
                                   "INSERT INTO %s VALUES (1); COMMIT; "
                                   "INSERT INTO %s VALUES (2); END $$",
                                   name, Sql("%t"), Sql("%t")));
  const absl::Status status = TryRun(connection(), absl::StrFormat("CALL %s()", name));
  EXPECT_EQ(DetailOf(status).sqlstate, "2D000") << status;
  EXPECT_FALSE(
      TryRun(connection(), Sql("DO $$ BEGIN INSERT INTO %t VALUES (3); COMMIT; END $$")).ok());
  EXPECT_EQ(CountRows(), 0);
  EXPECT_EQ(connection().Ping(Soon()), absl::OkStatus());
  MustRun(admin(), absl::StrFormat("DROP PROCEDURE %s", name));
}

// T20, T67: a commit in its middle would end what keeps it from writing.
TEST_F(PostgresConnection, ABlockThatMayOnlyReadCannotCommitAndThenWrite) {
  const std::string name = Sql("%t_proc");
  const std::string body = Sql("BEGIN COMMIT; INSERT INTO %t VALUES (1); END");
  MustRun(admin(),
          absl::StrFormat("CREATE PROCEDURE %s() LANGUAGE plpgsql AS $$ %s $$", name, body));
  for (const std::string& sql :
       {absl::StrFormat("CALL %s()", name), absl::StrFormat("DO $$ %s $$", body)}) {
    const absl::Status status = TryRun(connection(), sql, Soon(), {.access = Access::kReadOnly});
    EXPECT_EQ(DetailOf(status).sqlstate, "2D000") << status;
    CollectingBatchSink sink;
    const std::vector<GuardedStatement> batch = {{{.sql = sql}, std::nullopt}};
    EXPECT_EQ(
        DetailOf(connection().ExecuteBatch(batch, {.access = Access::kReadOnly}, {}, Soon(), sink))
            .sqlstate,
        "2D000");
  }
  EXPECT_EQ(CountRows(), 0);
  EXPECT_EQ(connection().Ping(Soon()), absl::OkStatus());
  MustRun(admin(), absl::StrFormat("DROP PROCEDURE %s", name));
}

// T65
TEST_F(PostgresConnection, RefusesCopyBeforeAnythingIsSent) {
  for (const char* sql :
       {"COPY %t TO STDOUT", "copy %t from stdin", "COPY %t FROM PROGRAM 'echo 1'",
        "COPY %t FROM '/etc/hostname'", "COPY (SELECT 1) TO PROGRAM 'cat'",
        "/* x */ COPY (SELECT 1) TO STDOUT"}) {
    const absl::Status status = TryRun(connection(), Sql(sql));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_EQ(connection().Ping(Soon()), absl::OkStatus());
  }
}

// T45
TEST_F(PostgresConnection, SurvivesThatSomebodyDropsItsPreparedStatements) {
  MustRun(admin(), Sql("CREATE FUNCTION %t_drop() RETURNS void LANGUAGE plpgsql AS "
                       "$$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$"));
  for (const std::string& sql : {std::string("DEALLOCATE ALL; "), Sql("SELECT %t_drop()")}) {
    connection_ = Open();
    for (const Access access : {Access::kReadWrite, Access::kReadOnly}) {
      MustRun(connection(), sql);
      EXPECT_EQ(TryRun(connection(), "SELECT 1", Soon(), {.access = access}), absl::OkStatus());
    }
    MustRun(connection(), sql);
    EXPECT_EQ(connection().Begin({}, {}, Soon()), absl::OkStatus());
    MustRun(connection(), "SELECT 1");
    EXPECT_EQ(connection().Commit(Soon()), absl::OkStatus());
    MustRun(connection(), sql);
    MustRun(connection(), Sql("INSERT INTO %t (id) SELECT count(*) + 1 FROM %t RETURNING id"));
  }
  EXPECT_EQ(CountRows(), 2);
  MustRun(admin(), Sql("DROP FUNCTION %t_drop()"));
}

TEST_F(PostgresConnection, SaysWhereAStatementIsWrong) {
  const absl::Status status = TryRun(connection(), "SELECT 'ä', no_such_column");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  const ErrorDetail detail = DetailOf(status);
  EXPECT_EQ(detail.reason, "SQL_ERROR");
  EXPECT_EQ(detail.sqlstate, "42703");
  EXPECT_EQ(detail.position, 13);  // in characters
  EXPECT_EQ(detail.stage, Stage::kRunning);
}

// T68
TEST_F(PostgresConnection, NeverShowsTheServersDetail) {
  MustRun(connection(), Sql("INSERT INTO %t VALUES (424242, 'x')"));
  const absl::Status status = TryRun(connection(), Sql("INSERT INTO %t VALUES (424242, 'y')"));
  EXPECT_EQ(DetailOf(status).sqlstate, "23505");
  EXPECT_EQ(status.ToString().find("424242"), std::string::npos) << status;
  EXPECT_EQ(DetailOf(status).table, Sql("%t"));
  EXPECT_EQ(DetailOf(status).schema, "public");
}

// A batch larger than every buffer on the way, in both directions.
TEST_F(PostgresConnection, CarriesABatchThatFillsEveryBuffer) {
  constexpr int kMembers = 200;
  const std::string large(100000, 'x');
  std::vector<GuardedStatement> batch;
  for (int i = 0; i < kMembers; ++i) {
    batch.push_back({{.sql = Sql("INSERT INTO %t VALUES ($1, $2) RETURNING s"),
                      .parameters = {std::int64_t{i}, large}},
                     1});
  }
  CollectingBatchSink sink;
  ASSERT_EQ(connection().ExecuteBatch(batch, {}, {}, Within(seconds(60)), sink), absl::OkStatus());
  EXPECT_EQ(sink.sinks.back().rows.at(0).at(0), Value(large));
  EXPECT_EQ(CountRows(), kMembers);
}

TEST_F(PostgresConnection, CancelsOnlyWhatItMustWhenABatchIsStopped) {
  StopSignal stop;
  std::thread stopper([&stop] {
    std::this_thread::sleep_for(milliseconds(100));
    stop.Raise(StopReason::kCallerLeft);
  });
  const std::vector<GuardedStatement> batch = {
      {{.sql = Sql("INSERT INTO %t VALUES (1)")}, std::nullopt},
      {{.sql = "SELECT pg_sleep(30)"}, std::nullopt},
      {{.sql = Sql("INSERT INTO %t VALUES (2)")}, std::nullopt}};
  CollectingBatchSink sink;
  const absl::Status status =
      connection().ExecuteBatch(batch, {}, {}, Within(seconds(20), &stop), sink);
  stopper.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled) << status;
  EXPECT_EQ(CountRows(), 0);
  EXPECT_EQ(connection().transaction_state(), TransactionState::kIdle);
  EXPECT_EQ(connection().Ping(Soon()), absl::OkStatus());
}

}  // namespace
}  // namespace emsdb
