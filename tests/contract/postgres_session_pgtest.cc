// PostgreSQL: what of a session would reach its next user, and that it is seen.
#include <gtest/gtest.h>

#include "tests/contract/postgres_fixture.h"
#include "tests/support/tcp_proxy.h"

namespace emsdb {
namespace {

using PostgresSession = PostgresDriver;

// T40, T42, T43, T44
TEST_F(PostgresSession, IsSeenToBeChangedByWhatOutlivesItsStatement) {
  for (const char* sql :
       {"SET search_path = pg_catalog", "SET ROLE pg_monitor", "PREPARE p AS SELECT 1",
        "CREATE TEMP TABLE leaked (a int)", "LISTEN leaked", "SELECT pg_advisory_lock(4711)",
        "DEALLOCATE ALL; ", "DEALLOCATE emsdb_settings_read_only", "RESET ALL",
        "SELECT set_config('TimeZone', 'Asia/Tokyo', false)"}) {
    auto connection = Open();
    EXPECT_FALSE(connection->session_changed());
    EXPECT_EQ(TryRun(*connection, sql), absl::OkStatus()) << sql;
    EXPECT_TRUE(connection->session_changed()) << sql;
    EXPECT_FALSE(connection->broken());
  }
}

TEST_F(PostgresSession, IsSeenToBeChangedByASettingThatIsReportedOnly) {
  MustRun(admin(), Sql("CREATE FUNCTION %t_zone() RETURNS void LANGUAGE plpgsql AS "
                       "$$ BEGIN SET TimeZone = 'Asia/Tokyo'; END $$"));
  MustRun(connection(), Sql("SELECT %t_zone()"));
  EXPECT_TRUE(connection().session_changed());
  MustRun(admin(), Sql("DROP FUNCTION %t_zone()"));
}

TEST_F(PostgresSession, CountsAsChangedWhenSuchAStatementFailed) {
  EXPECT_FALSE(TryRun(connection(), "SELECT pg_advisory_lock(4712), 1 / 0").ok());
  EXPECT_TRUE(connection().session_changed());
}

TEST_F(PostgresSession, CountsAsChangedByAStatementOfABatch) {
  CollectingBatchSink sink;
  const std::vector<GuardedStatement> batch = {{{.sql = "SELECT 1"}, std::nullopt},
                                               {{.sql = "LISTEN leaked"}, std::nullopt}};
  EXPECT_EQ(connection().ExecuteBatch(batch, {}, {}, Soon(), sink), absl::OkStatus());
  EXPECT_TRUE(connection().session_changed());
}

TEST_F(PostgresSession, StaysAsItIsUnderOrdinaryStatements) {
  MustRun(connection(), Sql("INSERT INTO %t VALUES (1, 'a')"));
  MustRun(connection(), Sql("SELECT * FROM %t"));
  EXPECT_FALSE(TryRun(connection(), Sql("INSERT INTO %t VALUES (1, 'b')")).ok());
  ASSERT_EQ(connection().Begin({}, {.identity = "cad"}, Soon()), absl::OkStatus());
  MustRun(connection(), "SET LOCAL search_path = pg_catalog");
  MustRun(connection(), "SET LOCAL TimeZone = 'Asia/Tokyo'");
  MustRun(connection(), "SELECT pg_advisory_xact_lock(1)");
  EXPECT_EQ(connection().Commit(Soon()), absl::OkStatus());
  EXPECT_EQ(connection().Ping(Soon()), absl::OkStatus());
  EXPECT_FALSE(connection().session_changed());
}

TEST_F(PostgresSession, KnowsTheDatabasesOwnTypesFromTheStart) {
  MustRun(admin(), Sql("CREATE TYPE %t_mood AS ENUM ('calm')"));
  auto opened = MakeConnector(UrlWithParameters(""))->Open(Soon());
  ASSERT_TRUE(opened.ok()) << opened.status();
  class Names final : public RowSink {
   public:
    absl::Status OnColumns(std::span<const Column> columns) override {
      for (const Column& column : columns) first.push_back(column.type);
      return absl::OkStatus();
    }
    absl::Status OnRow(std::span<const Cell>) override { return absl::OkStatus(); }
    std::vector<std::string> first;
  } sink;
  EXPECT_TRUE(
      (*opened)
          ->Execute({.sql = Sql("SELECT 'calm'::%t_mood, '{}'::%t_mood[]")}, {}, Soon(), sink)
          .ok());
  EXPECT_EQ(sink.first, (std::vector<std::string>{Sql("%t_mood"), Sql("_%t_mood")}));
  opened->reset();
  MustRun(admin(), Sql("DROP TYPE %t_mood"));
}

// The question for a name would be one more statement in the caller's transaction.
TEST_F(PostgresSession, AsksForNoNameInATransaction) {
  MustRun(admin(), Sql("CREATE TYPE %t_late AS ENUM ('calm')"));
  TcpProxy proxy(ServerPort());
  auto connector = MakeConnector(UrlWithPort(proxy.port()));
  auto opened = connector->Open(Soon());
  ASSERT_TRUE(opened.ok()) << opened.status();
  MustRun(admin(), Sql("CREATE TYPE %t_later AS ENUM ('calm')"));
  ASSERT_EQ((*opened)->Begin({}, {}, Soon()), absl::OkStatus());
  const int before = proxy.trips();
  CollectingSink sink;
  EXPECT_TRUE((*opened)->Execute({.sql = Sql("SELECT 'calm'::%t_later")}, {}, Soon(), sink).ok());
  EXPECT_EQ(proxy.trips() - before, 1);
  EXPECT_EQ(sink.columns.at(0).type, "");
  EXPECT_EQ((*opened)->Commit(Soon()), absl::OkStatus());
  EXPECT_TRUE((*opened)->Execute({.sql = Sql("SELECT 'calm'::%t_later")}, {}, Soon(), sink).ok());
  EXPECT_EQ(sink.columns.at(0).type, Sql("%t_later"));
  opened->reset();
  MustRun(admin(), Sql("DROP TYPE %t_late, %t_later"));
}

// A name that the driver prepared may stand for anything once somebody has dropped it.
TEST_F(PostgresSession, StaysReadOnlyWhenSomebodyTakesThePreparedNameForHimself) {
  MustRun(connection(), "DEALLOCATE emsdb_settings_read_only");
  MustRun(connection(), "PREPARE emsdb_settings_read_only (text, text) AS SELECT $1, $2");
  EXPECT_FALSE(
      TryRun(connection(), Sql("INSERT INTO %t VALUES (1)"), Soon(), {.access = Access::kReadOnly})
          .ok());
  EXPECT_EQ(CountRows(), 0);
}

}  // namespace
}  // namespace emsdb
