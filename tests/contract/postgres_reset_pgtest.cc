// PostgreSQL: a session that was changed is as new after its reset, and nothing is sent for one
// that was not.
#include <gtest/gtest.h>

#include "tests/contract/postgres_fixture.h"
#include "tests/contract/session_portrait.h"
#include "tests/support/tcp_proxy.h"

namespace emsdb {
namespace {

using PostgresReset = PostgresDriver;

class PostgresResetOf : public PostgresDriver, public testing::WithParamInterface<Leftover> {};

// The driver's own prepared commands: how many, and since when.
constexpr char kOwnPrepared[] =
    "SELECT count(*) || ' since ' || min(prepare_time) FROM pg_catalog.pg_prepared_statements "
    "WHERE NOT from_sql AND name LIKE 'emsdb_settings%'";

void Leave(Connection& connection, const Leftover& leftover) {
  for (const std::string& sql : leftover.statements) MustRun(connection, sql);
}

// T40, T42, T43, T44
TEST_P(PostgresResetOf, BringsTheSessionBackToWhatItWasInOneTrip) {
  TcpProxy proxy(ServerPort());
  const auto opened = OpenThrough(proxy.port());
  ASSERT_NE(opened, nullptr);
  const std::string fresh = PortraitOf(*opened);
  Leave(*opened, GetParam());
  EXPECT_TRUE(opened->session_changed());
  EXPECT_NE(PortraitOf(*opened), fresh);
  const int before = proxy.trips();
  EXPECT_EQ(opened->ResetSession(Soon()), absl::OkStatus());
  EXPECT_EQ(proxy.trips() - before, 1);
  EXPECT_FALSE(opened->session_changed());
  EXPECT_EQ(PortraitOf(*opened), fresh);
  EXPECT_FALSE(opened->session_changed());
}

TEST_P(PostgresResetOf, IsForThatWhichATransactionLeft) {
  const std::string fresh = PortraitOf(connection());
  ASSERT_EQ(connection().Begin({}, {}, Soon()), absl::OkStatus());
  Leave(connection(), GetParam());
  EXPECT_EQ(connection().Commit(Soon()), absl::OkStatus());
  EXPECT_TRUE(connection().session_changed());
  EXPECT_EQ(connection().ResetSession(Soon()), absl::OkStatus());
  EXPECT_EQ(PortraitOf(connection()), fresh);
}

// T45
TEST_P(PostgresResetOf, LeavesTheDriversOwnPreparedStatementsInUse) {
  const std::string before = MustGetText(connection(), kOwnPrepared);
  EXPECT_TRUE(before.starts_with("2 since")) << before;
  Leave(connection(), GetParam());
  EXPECT_EQ(connection().ResetSession(Soon()), absl::OkStatus());
  const std::string after = MustGetText(connection(), kOwnPrepared);
  const std::string_view name = GetParam().name;
  if (name == "Prepared" || name == "Do" || name == "Everything") {  // made anew
    EXPECT_TRUE(after.starts_with("2 since")) << after;
  } else {
    EXPECT_EQ(after, before);
  }
  MustRun(connection(), Sql("INSERT INTO %t VALUES (1)"));
  EXPECT_FALSE(
      TryRun(connection(), Sql("INSERT INTO %t VALUES (2)"), Soon(), {.access = Access::kReadOnly})
          .ok());
  EXPECT_EQ(CountRows(), 1);
}

INSTANTIATE_TEST_SUITE_P(Leftovers, PostgresResetOf, testing::ValuesIn(Leftovers()),
                         [](const auto& leftover) { return std::string(leftover.param.name); });

TEST_F(PostgresReset, SendsNothingForASessionThatIsClean) {
  TcpProxy proxy(ServerPort());
  const auto opened = OpenThrough(proxy.port());
  const int before = proxy.trips();
  MustRun(*opened, "SELECT 1");
  EXPECT_EQ(opened->ResetSession(Soon()), absl::OkStatus());
  MustRun(*opened, "SELECT 1");
  EXPECT_EQ(opened->ResetSession(Soon()), absl::OkStatus());
  EXPECT_EQ(proxy.trips() - before, 2);
}

TEST_F(PostgresReset, UndoesAnAdvisoryLockOfAStatementThatFailed) {  // T43
  EXPECT_FALSE(TryRun(connection(), "SELECT pg_advisory_lock(4712), 1 / 0").ok());
  EXPECT_EQ(connection().ResetSession(Soon()), absl::OkStatus());
  EXPECT_EQ(MustGetInt(admin(), "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), 0);
}

TEST_F(PostgresReset, UndoesASettingThatOnlyTheServerReported) {  // T40
  MustRun(admin(), Sql("CREATE FUNCTION %t_zone() RETURNS void LANGUAGE plpgsql AS "
                       "$$ BEGIN SET TimeZone = 'Asia/Tokyo'; END $$"));
  const std::string fresh = PortraitOf(connection());
  MustRun(connection(), Sql("SELECT %t_zone()"));
  EXPECT_EQ(connection().ResetSession(Soon()), absl::OkStatus());
  EXPECT_EQ(PortraitOf(connection()), fresh);
  MustRun(admin(), Sql("DROP FUNCTION %t_zone()"));
}

// The limit of what can be seen; postgres_reset_always_pgtest.cc has what helps.
TEST_F(PostgresReset, CannotSeeWhatAFunctionHides) {
  MustRun(admin(), Sql("CREATE FUNCTION %t_hide() RETURNS void LANGUAGE plpgsql AS "
                       "$$ BEGIN SET leaked.value = 'x'; END $$"));
  MustRun(connection(), Sql("SELECT %t_hide()"));
  EXPECT_FALSE(connection().session_changed());
  MustRun(admin(), Sql("DROP FUNCTION %t_hide()"));
}

TEST_F(PostgresReset, GoesBackToTheRoleThatTheUrlGives) {
  const auto connector = MakeConnector(UrlWithParameters("?options=-c%20role%3Dpg_monitor"));
  const auto opened = connector->Open(Soon());
  ASSERT_TRUE(opened.ok()) << opened.status();
  const std::string fresh = PortraitOf(**opened);
  EXPECT_TRUE(fresh.starts_with("pg_monitor|")) << fresh;
  for (const char* sql : {"SET ROLE NONE", "SET SESSION AUTHORIZATION pg_read_all_data"}) {
    MustRun(**opened, sql);
    EXPECT_NE(PortraitOf(**opened), fresh);
    EXPECT_EQ((*opened)->ResetSession(Soon()), absl::OkStatus());
    EXPECT_EQ(PortraitOf(**opened), fresh);
  }
}

TEST_F(PostgresReset, TakesTheDriversNamesBack) {  // T45
  for (const char* sql : {"DEALLOCATE ALL", "DEALLOCATE emsdb_settings_read_only",
                          "PREPARE emsdb_settings_read_only (text, text) AS SELECT $1, $2"}) {
    if (std::string_view(sql).starts_with("PREPARE")) {
      MustRun(connection(), "DEALLOCATE emsdb_settings_read_only");
    }
    MustRun(connection(), sql);
    EXPECT_EQ(connection().ResetSession(Soon()), absl::OkStatus()) << sql;
    EXPECT_TRUE(MustGetText(connection(), kOwnPrepared).starts_with("2 since")) << sql;
    EXPECT_FALSE(TryRun(connection(), Sql("INSERT INTO %t VALUES (1)"), Soon(),
                        {.access = Access::kReadOnly})
                     .ok());
  }
}

TEST_F(PostgresReset, IsRefusedWhereNoCommandUndoesTheChange) {
  for (const char* sql : {"LOAD 'plpgsql'", "SELECT setseed(0.5)", "SET seed = 0.5"}) {
    const auto opened = Open();
    MustRun(*opened, sql);
    EXPECT_FALSE(opened->ResetSession(Soon()).ok()) << sql;
    EXPECT_TRUE(opened->session_changed()) << sql;
  }
}

TEST_F(PostgresReset, IsRefusedInATransaction) {
  ASSERT_EQ(connection().Begin({}, {}, Soon()), absl::OkStatus());
  MustRun(connection(), "LISTEN leaked");
  EXPECT_FALSE(connection().ResetSession(Soon()).ok());
  EXPECT_TRUE(connection().session_changed());
  EXPECT_EQ(connection().RollBack(Soon()), absl::OkStatus());
}

TEST_F(PostgresReset, FailsWhenItsTimeIsOver) {
  MustRun(connection(), "CREATE TEMP TABLE leaked (a int)");
  const std::string schema =
      MustGetText(connection(), "SELECT pg_my_temp_schema()::regnamespace::text");
  ASSERT_EQ(admin().Begin({}, {}, Soon()), absl::OkStatus());
  MustRun(admin(), "LOCK TABLE " + schema + ".leaked");
  EXPECT_FALSE(connection().ResetSession(Within(std::chrono::milliseconds(100))).ok());
  EXPECT_TRUE(connection().broken());
  EXPECT_TRUE(connection().given_up());
  EXPECT_EQ(admin().RollBack(Soon()), absl::OkStatus());
}

TEST_F(PostgresReset, FailsWhenTheServerIsGone) {
  const pid_t backend = BackendOf(connection());
  MustRun(connection(), "LISTEN leaked");
  Kill(backend);
  EXPECT_FALSE(connection().ResetSession(Soon()).ok());
  EXPECT_TRUE(connection().broken());
  EXPECT_FALSE(connection().given_up());
}

}  // namespace
}  // namespace emsdb
