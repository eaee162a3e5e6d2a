// PostgreSQL: statements that refuse to be in a transaction, with the caller's deadline and name as
// ever, and nothing of these for the next one.
#include <gtest/gtest.h>

#include <thread>

#include "pool/errors.h"
#include "tests/contract/postgres_fixture.h"
#include "tests/contract/session_portrait.h"
#include "tests/support/postgres_url.h"
#include "tests/support/tcp_proxy.h"

namespace emsdb {
namespace {

constexpr RunOptions kUnwrapped = {.wrapping = Wrapping::kNone};

class PostgresUnwrapped : public PostgresDriver {
 protected:
  absl::Status Unwrapped(const std::string& sql, const Bounds& bounds = Soon(),
                         RunOptions options = kUnwrapped) {
    return TryRun(connection(), Sql(sql), bounds, options);
  }
};

using PostgresOutgrown = PostgresDriver;

// T21
TEST_F(PostgresUnwrapped, RunsWhatRefusesTransactions) {
  EXPECT_EQ(Unwrapped("VACUUM %t"), absl::OkStatus());
  EXPECT_EQ(Unwrapped("CREATE INDEX CONCURRENTLY %t_s ON %t (s)"), absl::OkStatus());
  EXPECT_EQ(Unwrapped("DROP INDEX CONCURRENTLY %t_s"), absl::OkStatus());
  EXPECT_EQ(Unwrapped("CREATE DATABASE %t_db"), absl::OkStatus());
  EXPECT_EQ(Unwrapped("DROP DATABASE %t_db"), absl::OkStatus());
  EXPECT_EQ(Unwrapped("ALTER SYSTEM RESET log_min_duration_statement"), absl::OkStatus());
  EXPECT_FALSE(connection().session_changed());
}

// T21
TEST_F(PostgresUnwrapped, IsNamedByTheErrorOfAStatementThatNeedsIt) {
  for (const char* sql :
       {"VACUUM %t", "CREATE DATABASE %t_db", "DROP INDEX CONCURRENTLY %t_pkey"}) {
    const absl::Status status = TryRun(connection(), Sql(sql));
    EXPECT_EQ(DetailOf(status).sqlstate, "25001") << status;
    EXPECT_NE(DetailOf(status).hint.find("outside_transaction"), std::string::npos) << status;
    EXPECT_EQ(DetailOf(status).outcome, Outcome::kNothingDone);
  }
}

// T7
TEST_F(PostgresUnwrapped, LeavesNothingOfItsTimeOutAndCallerInTheSession) {
  const std::string fresh = PortraitOf(connection());
  CollectingSink sink;
  const auto done = connection().Execute(
      {.sql = "SELECT current_setting('application_name'), "
              "current_setting('statement_timeout')::interval > interval '5 s'"},
      {.identity = "cad", .wrapping = Wrapping::kNone}, Soon(), sink);
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(sink.rows.at(0).at(0), Value("cad"));
  EXPECT_EQ(sink.rows.at(0).at(1), Value(true));
  EXPECT_FALSE(connection().session_changed());
  EXPECT_EQ(PortraitOf(connection()), fresh);
  EXPECT_EQ(Unwrapped("SELECT 1 / 0").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(PortraitOf(connection()), fresh);
  EXPECT_FALSE(connection().session_changed());
}

TEST_F(PostgresUnwrapped, EndsAtTheDeadlineAndSaysThatItMayHaveDoneSomething) {
  const absl::Status status =
      Unwrapped("SELECT pg_sleep(60)", Within(std::chrono::milliseconds(100)));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_EQ(DetailOf(status).outcome, Outcome::kUnknown);
  EXPECT_FALSE(connection().broken());
  EXPECT_EQ(connection().ResetSession(Soon()), absl::OkStatus());
  EXPECT_EQ(MustGetText(connection(),
                        "SELECT reset_val FROM pg_settings WHERE name = "
                        "'statement_timeout' AND reset_val = boot_val"),
            "0");
}

TEST_F(PostgresUnwrapped, EndsWhenItsCallerLeaves) {
  StopSignal stop;
  std::thread leaver([&] {
    while (MustGetInt(admin(),
                      "SELECT count(*) FROM pg_stat_activity WHERE query LIKE "
                      "'SELECT pg_sleep(61)%' AND state = 'active'") == 0) {
    }
    stop.Raise(StopReason::kCallerLeft);
  });
  const absl::Status status =
      Unwrapped("SELECT pg_sleep(61)", Within(std::chrono::seconds(30), &stop));
  leaver.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled) << status;
  EXPECT_FALSE(connection().broken());
}

// A failed one leaves an index behind that is invalid.
TEST_F(PostgresUnwrapped, SaysThatAFailureMayHaveLeftSomething) {
  MustRun(admin(), Sql("INSERT INTO %t VALUES (1, 'a'), (2, 'a')"));
  const absl::Status status = Unwrapped("CREATE UNIQUE INDEX CONCURRENTLY %t_u ON %t (s)");
  EXPECT_EQ(DetailOf(status).sqlstate, "23505") << status;
  EXPECT_EQ(DetailOf(status).outcome, Outcome::kUnknown);
  EXPECT_EQ(MustGetInt(admin(), Sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid AND "
                                    "indexrelid = '%t_u'::regclass")),
            1);
  const absl::Status refused = Unwrapped("VACUUM no_such_table_at_all");
  EXPECT_EQ(refused.code(), absl::StatusCode::kNotFound) << refused;
  EXPECT_EQ(DetailOf(refused).outcome, Outcome::kNothingDone);
}

TEST_F(PostgresUnwrapped, IsUnknownWhenTheLinkIsLost) {
  TcpProxy proxy(ServerPort());
  const auto opened = OpenThrough(proxy.port());
  proxy.CutAnswerTo("VACUUM");
  const absl::Status status = TryRun(*opened, Sql("VACUUM %t"), Soon(), kUnwrapped);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnknown) << status;
  EXPECT_EQ(DetailOf(status).outcome, Outcome::kUnknown);
}

TEST_F(PostgresUnwrapped, IsRefusedInATransactionAndReadOnly) {
  EXPECT_EQ(Unwrapped("VACUUM", Soon(), {.access = Access::kReadOnly, .wrapping = Wrapping::kNone})
                .code(),
            absl::StatusCode::kInvalidArgument);
  ASSERT_EQ(connection().Begin({}, {}, Soon()), absl::OkStatus());
  EXPECT_EQ(Unwrapped("SELECT 1").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(connection().Commit(Soon()), absl::OkStatus());
  EXPECT_EQ(Unwrapped("BEGIN").code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(PostgresUnwrapped, MeetsNothingThatAFunctionLeftWhereEveryUseIsReset) {
  MustRun(admin(), Sql("CREATE FUNCTION %t_hide() RETURNS int LANGUAGE plpgsql AS "
                       "$$ BEGIN SET search_path = ''; RETURN 1; END $$"));
  auto connector = PostgresConnector::Create(
      {.uri = TestPostgresUrl(), .session_reset = SessionReset::kBeforeEveryUse}, Clock::Real());
  auto always = (*connector)->Open(Soon());
  ASSERT_TRUE(always.ok());
  MustRun(**always, Sql("SELECT %t_hide()"));
  EXPECT_EQ(TryRun(**always, Sql("VACUUM %t"), Soon(), kUnwrapped), absl::OkStatus());
  MustRun(admin(), Sql("DROP FUNCTION %t_hide()"));
}

// One huge value, and libpq keeps a buffer of that size.
TEST_F(PostgresOutgrown, IsAConnectionThroughWhichAHugeValueCame) {
  MustRun(connection(), "SELECT repeat('x', 10000000)");
  EXPECT_FALSE(connection().outgrown());
  MustRun(connection(), "SELECT repeat('x', 20000000)");
  EXPECT_TRUE(connection().outgrown());
  EXPECT_FALSE(connection().session_changed());
}

TEST_F(PostgresOutgrown, IsAConnectionThoughNobodyTookTheValue) {
  class Refusing final : public RowSink {
    absl::Status OnColumns(std::span<const Column>) override { return absl::OkStatus(); }
    absl::Status OnRow(std::span<const Cell>) override {
      return absl::ResourceExhaustedError("too large");
    }
  } sink;
  EXPECT_FALSE(connection()
                   .Execute({.sql = "SELECT repeat('x', 20000000)"}, {.access = Access::kReadOnly},
                            Soon(), sink)
                   .ok());
  EXPECT_TRUE(connection().outgrown());
}

}  // namespace
}  // namespace emsdb
