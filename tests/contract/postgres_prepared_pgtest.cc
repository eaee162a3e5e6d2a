// PostgreSQL: statements that come again are prepared in their session, at no round trip, and are
// never answered by what was true when they were prepared.
#include <gtest/gtest.h>

#include <algorithm>
#include <climits>

#include "pool/errors.h"
#include "tests/contract/postgres_fixture.h"
#include "tests/support/postgres_url.h"
#include "tests/support/tcp_proxy.h"

namespace emsdb {
namespace {

class PostgresPrepared : public PostgresDriver {
 protected:
  static std::unique_ptr<Connector> Caching(std::size_t statements, const std::string& uri) {
    auto connector =
        PostgresConnector::Create({.uri = uri, .statement_cache = statements}, Clock::Real());
    EXPECT_TRUE(connector.ok()) << connector.status();
    return *std::move(connector);
  }
  static std::unique_ptr<Connection> OpenCaching(std::size_t statements,
                                                 const std::string& uri = TestPostgresUrl()) {
    auto opened = Caching(statements, uri)->Open(Soon());
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }

  // Of statements like `pattern`, as the connection itself has them prepared. The question must not
  // be among them.
  static std::int64_t Prepared(Connection& connection, const std::string& pattern = "%driver_%") {
    return MustGetInt(connection,
                      "/* " + std::to_string(++question_) +
                          " */ SELECT count(*) FROM pg_prepared_statements WHERE NOT from_sql AND "
                          "statement LIKE $1 AND statement NOT LIKE '%pg_prepared%'",
                      {pattern});
  }
  void RunTimes(Connection& connection, const std::string& sql, int times) {
    for (int i = 0; i < times; ++i) MustRun(connection, Sql(sql));
  }
  absl::Status RunBatch(Connection& connection, const std::vector<std::string>& texts) {
    CollectingBatchSink sink;
    std::vector<GuardedStatement> batch;
    for (const std::string& text : texts) batch.push_back({{.sql = Sql(text)}, std::nullopt});
    return connection.ExecuteBatch(batch, {}, {}, Soon(), sink);
  }
  // Changes what "SELECT * FROM %t" returns, unseen by the connection under test.
  void AddColumn() { MustRun(outsider(), Sql("ALTER TABLE %t ADD COLUMN more int")); }

  // A connection of another process, as it were: what it changes, the others are not told of.
  Connection& outsider() { return *outsider_; }

  static inline int question_ = 0;

 private:
  const std::unique_ptr<Connection> outsider_ = OpenCaching(0);
};

TEST_F(PostgresPrepared, AreThereFromTheSecondUseOn) {
  MustRun(connection(), Sql("SELECT s FROM %t WHERE id = $1"), {std::int64_t{1}});
  EXPECT_EQ(Prepared(connection()), 0);
  MustRun(connection(), Sql("SELECT s FROM %t WHERE id = $1"), {std::int64_t{1}});
  EXPECT_EQ(Prepared(connection()), 1);
  MustRun(connection(), Sql("SELECT s FROM %t WHERE id = $1"), {std::int64_t{2}});
  EXPECT_EQ(Prepared(connection()), 1);
  EXPECT_EQ(MustGetInt(connection(),
                       "SELECT generic_plans + custom_plans FROM "
                       "pg_prepared_statements WHERE statement LIKE 'SELECT s FROM%'"),
            2);
}

TEST_F(PostgresPrepared, AreMadeOfEveryKindOfCall) {
  for (int i = 0; i < 3; ++i) {
    const std::int64_t id = i;
    MustRun(connection(), Sql("INSERT INTO %t VALUES ($1, 'a')"), {id});
    MustRun(connection(), Sql("UPDATE %t SET s = 'b' WHERE id = $1 RETURNING id"), {id});
    ASSERT_EQ(connection().Begin({}, {}, Soon()), absl::OkStatus());
    MustRun(connection(), Sql("SELECT s, id FROM %t WHERE id = $1"), {id});
    ASSERT_EQ(connection().Commit(Soon()), absl::OkStatus());
    ASSERT_EQ(RunBatch(connection(), {"SELECT id, s FROM %t", "DELETE FROM %t WHERE id = 77"}),
              absl::OkStatus());
  }
  EXPECT_EQ(Prepared(connection()), 5);
  EXPECT_EQ(CountRows(), 3);
}

TEST_F(PostgresPrepared, AreMadeInTheMiddleOfABatchThatRepeatsItself) {
  const std::string insert = "INSERT INTO %t SELECT count(*) FROM %t";
  EXPECT_EQ(RunBatch(connection(), {insert, insert, insert, insert}), absl::OkStatus());
  EXPECT_EQ(Prepared(connection()), 1);
  EXPECT_EQ(CountRows(), 4);
}

// T47
TEST_F(PostgresPrepared, AreNeverMoreThanTheSettingSays) {
  const auto two = OpenCaching(2);
  for (int i = 0; i < 20; ++i) RunTimes(*two, "SELECT " + std::to_string(i) + " FROM %t", 2);
  // What was pushed out last goes with the next packet.
  EXPECT_LE(Prepared(*two), 2);
  EXPECT_GE(Prepared(*two), 1);
}

TEST_F(PostgresPrepared, AreNoneWhereTheSettingIsZero) {
  const auto off = OpenCaching(0);
  RunTimes(*off, "SELECT * FROM %t", 5);
  EXPECT_EQ(Prepared(*off), 0);
}

TEST_F(PostgresPrepared, AreNoneWhereTheTextIsWrong) {
  for (int i = 0; i < 4; ++i) {
    const absl::Status status = TryRun(connection(), Sql("SELECT nonsense FROM %t"));
    EXPECT_EQ(DetailOf(status).sqlstate, "42703") << status;
    EXPECT_EQ(DetailOf(status).position, 8);
  }
  EXPECT_EQ(Prepared(connection()), 0);
}

// T46
TEST_F(PostgresPrepared, HealUnseenWhenTheTableWasChanged) {
  RunTimes(connection(), "SELECT * FROM %t", 3);
  MustRun(admin(), Sql("INSERT INTO %t VALUES (1, 'a')"));
  AddColumn();
  const auto rows = MustRun(connection(), Sql("SELECT * FROM %t"));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].size(), 3u);
}

// T46
TEST_F(PostgresPrepared, HealUnseenInAWriteThatReturnsRows) {
  const std::string insert = Sql("INSERT INTO %t VALUES ($1, 'a') RETURNING *");
  for (std::int64_t i = 0; i < 3; ++i) MustRun(connection(), insert, {i});
  AddColumn();
  const auto rows = MustRun(connection(), insert, {std::int64_t{3}});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].size(), 3u);
  EXPECT_EQ(CountRows(), 4);
}

// T46
TEST_F(PostgresPrepared, EndATransactionWhoseTableWasChanged) {
  RunTimes(connection(), "SELECT * FROM %t", 3);
  ASSERT_EQ(connection().Begin({}, {}, Soon()), absl::OkStatus());
  AddColumn();
  const absl::Status status = TryRun(connection(), Sql("SELECT * FROM %t"));
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
  EXPECT_EQ(DetailOf(status).reason, "PLAN_CHANGED");
  EXPECT_EQ(DetailOf(status).sqlstate, "0A000");
  EXPECT_EQ(DetailOf(status).retry, Retry::kYes);
  EXPECT_EQ(connection().Commit(Soon()).code(), absl::StatusCode::kAborted);
  // Begun again it goes through.
  ASSERT_EQ(connection().Begin({}, {}, Soon()), absl::OkStatus());
  MustRun(connection(), Sql("SELECT * FROM %t"));
  EXPECT_EQ(connection().Commit(Soon()), absl::OkStatus());
}

// T46
TEST_F(PostgresPrepared, RollBackABatchWhoseTableWasChanged) {
  const std::vector<std::string> batch = {"INSERT INTO %t SELECT count(*) FROM %t",
                                          "SELECT * FROM %t"};
  for (int i = 0; i < 3; ++i) ASSERT_EQ(RunBatch(connection(), batch), absl::OkStatus());
  AddColumn();
  const absl::Status status = RunBatch(connection(), batch);
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
  EXPECT_EQ(DetailOf(status).reason, "PLAN_CHANGED");
  EXPECT_EQ(DetailOf(status).statement, 1);
  EXPECT_EQ(DetailOf(status).retry, Retry::kYes);
  EXPECT_EQ(CountRows(), 3);
  EXPECT_EQ(RunBatch(connection(), batch), absl::OkStatus());
  EXPECT_EQ(CountRows(), 4);
}

// T46: the SQLSTATE is shared. T16: it is not run a second time.
TEST_F(PostgresPrepared, AreNotToBlameForWhatTheServerDoesNotSupport) {
  MustRun(admin(), Sql("CREATE SEQUENCE %t_calls"));
  MustRun(admin(), Sql("CREATE FUNCTION %t_refuse(int) RETURNS int LANGUAGE plpgsql AS "
                       "$$ BEGIN PERFORM nextval('%t_calls'); IF $1 = 1 THEN RAISE EXCEPTION "
                       "'no' USING ERRCODE = '0A000'; END IF; RETURN 1 / ($1 - 2); END $$"));
  const auto call = [&](std::int64_t with) {
    CollectingSink sink;
    return connection()
        .Execute({.sql = Sql("SELECT %t_refuse($1) FROM %t_calls"), .parameters = {with}}, {},
                 Soon(), sink)
        .status();
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(call(0), absl::OkStatus());
  EXPECT_EQ(DetailOf(call(1)).sqlstate, "0A000");
  EXPECT_EQ(DetailOf(call(1)).reason, "SQL_ERROR");
  EXPECT_EQ(DetailOf(call(2)).sqlstate, "22012");
  EXPECT_EQ(MustGetInt(admin(), Sql("SELECT last_value FROM %t_calls")), 6);
  MustRun(admin(), Sql("DROP FUNCTION %t_refuse(int)"));
  MustRun(admin(), Sql("DROP SEQUENCE %t_calls"));
}

// Rows that were handed on must not be handed on again.
TEST_F(PostgresPrepared, AreNotRunAgainWhereTheErrorCameBehindRows) {
  MustRun(admin(), Sql("INSERT INTO %t VALUES (1, 'a'), (2, 'b'), (3, 'c')"));
  const std::string sql = Sql("SELECT 1 / (3 - id) FROM %t WHERE id < $1");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(MustRun(connection(), sql, {"3"}).size(), 2u);
  CollectingSink sink;
  const auto done = connection().Execute({.sql = sql, .parameters = {"9"}}, {}, Soon(), sink);
  EXPECT_EQ(DetailOf(done.status()).sqlstate, "22012");
  EXPECT_EQ(sink.rows.size(), 2u);
}

// A parameter's type was inferred when the statement was prepared.
TEST_F(PostgresPrepared, TakeAParameterOfTheTypeThatTheColumnHasNow) {
  MustRun(outsider(), Sql("ALTER TABLE %t ADD COLUMN code int"));
  const std::string find = Sql("SELECT id FROM %t WHERE code = $1");
  for (int i = 0; i < 3; ++i) MustRun(connection(), find, {"7"});
  MustRun(outsider(), Sql("ALTER TABLE %t ALTER COLUMN code TYPE text"));
  MustRun(outsider(), Sql("INSERT INTO %t VALUES (1, 'a', 'A-7')"));
  EXPECT_EQ(MustRun(connection(), find, {"A-7"}).size(), 1u);
  for (int i = 0; i < 3; ++i) MustRun(connection(), find, {"A-7"});
  MustRun(outsider(), Sql("ALTER TABLE %t ALTER COLUMN code TYPE int USING 7"));
  EXPECT_EQ(MustRun(connection(), find, {"7"}).size(), 1u);
}

// The function has not run when the types are looked at.
TEST_F(PostgresPrepared, TakeAParameterOfANewTypeAlsoWhereAFunctionIsCalled) {
  MustRun(outsider(), Sql("ALTER TABLE %t ADD COLUMN code int"));
  const std::string find = Sql("SELECT lower(s) FROM %t WHERE code = $1");
  for (int i = 0; i < 3; ++i) MustRun(connection(), find, {"7"});
  MustRun(outsider(), Sql("ALTER TABLE %t ALTER COLUMN code TYPE text"));
  EXPECT_EQ(MustRun(connection(), find, {"7"}).size(), 0u);
}

// Nothing would fail here: the number 7 fits a text column.
TEST_F(PostgresPrepared, WriteWhatWasGivenIntoAColumnWhoseTypeWasChangedThroughThem) {
  MustRun(connection(), Sql("ALTER TABLE %t ADD COLUMN code int"));
  const std::string insert = Sql("INSERT INTO %t (id, code) VALUES ($1, $2)");
  for (std::int64_t i = 0; i < 3; ++i) MustRun(connection(), insert, {i, "007"});
  auto other = connector_->Open(Soon());
  ASSERT_TRUE(other.ok());
  MustRun(**other, Sql("ALTER TABLE %t ALTER COLUMN code TYPE text"));
  MustRun(connection(), insert, {std::int64_t{3}, "007"});
  EXPECT_EQ(MustGetText(admin(), Sql("SELECT code FROM %t WHERE id = 3")), "007");
}

TEST_F(PostgresPrepared, AreNotUsedWhereLiteralsAreReadOtherwise) {
  const std::string sql = "SELECT timestamptz '2020-01-01 00:00' = '2020-01-01 00:00+9' AS x";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(MustRun(connection(), sql)[0][0], Value(false));
  ASSERT_EQ(connection().Begin({}, {}, Soon()), absl::OkStatus());
  MustRun(connection(), "SET LOCAL TimeZone = 'Asia/Tokyo'");
  EXPECT_EQ(MustRun(connection(), sql)[0][0], Value(true));
  EXPECT_EQ(connection().Commit(Soon()), absl::OkStatus());
  EXPECT_EQ(MustRun(connection(), sql)[0][0], Value(false));
}

TEST_F(PostgresPrepared, HealUnseenWhenSomebodyDroppedThemInAFunction) {
  MustRun(admin(), Sql("CREATE FUNCTION %t_drop() RETURNS int LANGUAGE plpgsql AS $$ DECLARE n "
                       "text; BEGIN FOR n IN SELECT name FROM pg_prepared_statements WHERE "
                       "statement LIKE '%FROM driver%' LOOP EXECUTE 'DEALLOCATE ' || n; END LOOP; "
                       "RETURN 1; END $$"));
  RunTimes(connection(), "SELECT * FROM %t", 3);
  MustRun(connection(), Sql("SELECT %t_drop()"));
  MustRun(connection(), Sql("SELECT * FROM %t"));
  EXPECT_TRUE(connection().session_changed());
  EXPECT_EQ(connection().ResetSession(Soon()), absl::OkStatus());
  RunTimes(connection(), "SELECT * FROM %t", 3);
  MustRun(connection(), Sql("SELECT %t_drop()"));
  ASSERT_EQ(connection().Begin({}, {}, Soon()), absl::OkStatus());
  const absl::Status status = TryRun(connection(), Sql("SELECT * FROM %t"));
  EXPECT_EQ(DetailOf(status).reason, "PLAN_CHANGED") << status;
  EXPECT_EQ(connection().RollBack(Soon()), absl::OkStatus());
  MustRun(admin(), Sql("DROP FUNCTION %t_drop()"));
}

// T45
TEST_F(PostgresPrepared, SurviveTheResetOfASettingAndAreGoneAfterThatOfNames) {
  RunTimes(connection(), "SELECT * FROM %t", 3);
  MustRun(connection(), "SET lock_timeout = 77");
  EXPECT_EQ(connection().ResetSession(Soon()), absl::OkStatus());
  EXPECT_EQ(Prepared(connection()), 1);
  MustRun(connection(), "DEALLOCATE ALL");
  RunTimes(connection(), "SELECT * FROM %t", 3);
  EXPECT_EQ(connection().ResetSession(Soon()), absl::OkStatus());
  EXPECT_EQ(Prepared(connection()), 0);
  RunTimes(connection(), "SELECT * FROM %t", 3);
  MustRun(connection(), "PREPARE foreign_one AS SELECT 1");
  EXPECT_EQ(connection().ResetSession(Soon()), absl::OkStatus());
  EXPECT_EQ(Prepared(connection()), 0);
  RunTimes(connection(), "SELECT * FROM %t", 3);
  EXPECT_EQ(Prepared(connection()), 1);
}

TEST_F(PostgresPrepared, DropNothingThatWouldEndATransaction) {
  const auto two = OpenCaching(2);
  ASSERT_EQ(two->Begin({}, {}, Soon()), absl::OkStatus());
  for (int i = 0; i < 5; ++i) RunTimes(*two, "SELECT " + std::to_string(i) + " FROM %t", 2);
  EXPECT_EQ(two->Commit(Soon()), absl::OkStatus());
  RunTimes(*two, "SELECT 1", 1);
  EXPECT_LE(Prepared(*two), 2);
}

TEST_F(PostgresPrepared, AreTheSameWithinReadOnlyCalls) {
  const std::string sql = Sql("INSERT INTO %t VALUES (1, 'a')");
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(DetailOf(TryRun(connection(), sql, Soon(), {.access = Access::kReadOnly})).sqlstate,
              "25006");
  }
  MustRun(connection(), sql);
  EXPECT_EQ(CountRows(), 1);
}

// Neither the preparing nor the dropping. libpq hands what is dropped and what is run to the socket
// one after the other, so that a busy machine may show an answer between them, for which nobody
// waited: the least of several counts is the one that means something.
TEST_F(PostgresPrepared, CostNoRoundTrip) {
  TcpProxy proxy(ServerPort());
  int least = INT_MAX;
  for (int attempt = 0; attempt < 10 && least > 18; ++attempt) {
    const auto two = OpenCaching(2, UrlWithPort(proxy.port()));
    const int before = proxy.trips();
    for (int i = 0; i < 6; ++i) RunTimes(*two, "SELECT " + std::to_string(i) + " FROM %t", 3);
    least = std::min(least, proxy.trips() - before);
  }
  EXPECT_EQ(least, 18);
}

}  // namespace
}  // namespace emsdb
