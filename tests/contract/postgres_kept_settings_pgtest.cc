// PostgreSQL: what a session keeps from one group of reads to the next, and gives back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_format.h"
#include "tests/contract/postgres_group_fixture.h"
#include "tests/support/collecting_sink.h"
#include "tests/support/tcp_proxy.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;

// By their texts reads that call nothing, by their views something else.
class PostgresKeptSettings : public PostgresGroup {
 protected:
  void SetUp() override {
    PostgresGroup::SetUp();
    backend_ = BackendOf(connection());
    for (const char* sql :
         {"CREATE FUNCTION %t_write() RETURNS text LANGUAGE plpgsql AS "
          "$$ BEGIN INSERT INTO %t VALUES (1, 'x'); RETURN 'done'; END $$",
          "CREATE FUNCTION %t_allow() RETURNS text LANGUAGE plpgsql AS "
          "$$ BEGIN RETURN set_config('default_transaction_read_only', 'off', false); END $$",
          "CREATE VIEW %t_writing AS SELECT %t_write() AS done",
          "CREATE VIEW %t_sleeping AS SELECT pg_sleep(10)::text AS done",
          "CREATE VIEW %t_who AS SELECT current_setting('application_name') AS name",
          "CREATE VIEW %t_limit AS SELECT current_setting('statement_timeout') AS value"}) {
      MustRun(admin(), Sql(sql));
    }
  }
  void TearDown() override {
    for (const char* sql : {"DROP VIEW %t_writing, %t_sleeping, %t_who, %t_limit",
                            "DROP FUNCTION %t_write()", "DROP FUNCTION %t_allow()"}) {
      MustRun(admin(), Sql(sql));
    }
    PostgresGroup::TearDown();
  }

  Read& AddLimited(const char* sql, std::string identity = "crew-12") {
    Read& read = Add(Sql(sql), {}, std::move(identity));
    read.limit = milliseconds(50);
    return read;
  }
  // Two groups that want the same.
  void Keep() {
    for (int i = 0; i < 2; ++i) {
      AddLimited("SELECT 'a'");
      Run();
      reads_.clear();
    }
    ASSERT_EQ(SessionName(), "crew-12");
  }
  // What the idle session is called.
  std::string SessionName() {
    return MustGetText(admin(), "SELECT application_name FROM pg_stat_activity WHERE pid = $1",
                       {std::int64_t{backend_}});
  }
  void ExpectNothingKept() {
    EXPECT_EQ(SessionName(), "emsdb-gateway");
    ExpectUnharmed();
    EXPECT_EQ(MustGetText(connection(), "SHOW default_transaction_read_only"), "off");
  }

  pid_t backend_ = 0;
};

TEST_F(PostgresKeptSettings, AreKeptFromTheSecondGroupOnThatWantsThem) {
  AddLimited("SELECT 'a'");
  Run();
  EXPECT_EQ(SessionName(), "emsdb-gateway");
  reads_[0].ends = 0;
  Run();
  EXPECT_EQ(SessionName(), "crew-12");
  EXPECT_FALSE(connection().session_changed());
}

TEST_F(PostgresKeptSettings, AreNotKeptWhereEachGroupWantsOthers) {
  for (int i = 0; i < 6; ++i) {
    AddLimited("SELECT 'a'", i % 2 == 0 ? "crew-12" : "desk-3");
    Run();
    reads_.clear();
  }
  EXPECT_EQ(SessionName(), "emsdb-gateway");
}

TEST_F(PostgresKeptSettings, HoldForTheReadsOfLaterGroups) {
  Keep();
  const Read& who = AddLimited("SELECT name FROM %t_who");
  const Read& limit = AddLimited("SELECT value FROM %t_limit");
  Run();
  EXPECT_EQ(who.text(), "crew-12");
  EXPECT_EQ(limit.text(), "50ms");
}

TEST_F(PostgresKeptSettings, AreNotThoseOfAMemberThatHasItsOwn) {
  Keep();
  const Read& first = AddLimited("SELECT name FROM %t_who");
  const Read& desk = AddLimited("SELECT name FROM %t_who", "desk-3");
  Read& longer = AddLimited("SELECT value FROM %t_limit");
  longer.limit = milliseconds(200);
  const Read& last = AddLimited("SELECT name FROM %t_who");
  Run();
  EXPECT_EQ(first.text(), "crew-12");
  EXPECT_EQ(desk.text(), "desk-3");
  EXPECT_EQ(longer.text(), "200ms");
  EXPECT_EQ(last.text(), "crew-12");
}

TEST_F(PostgresKeptSettings, LetNoMemberWrite) {
  Keep();
  const Read& writes = AddLimited("SELECT done FROM %t_writing");
  const Read& reads = AddLimited("SELECT 'b'");
  Run();
  EXPECT_TRUE(IsUnfitForGroup(writes.status)) << writes.status;
  EXPECT_EQ(reads.text(), "b");
  EXPECT_EQ(CountRows(), 0);
}

TEST_F(PostgresKeptSettings, EndAMemberAtItsTimeLimitAndNoOther) {
  Keep();
  const Read& first = AddLimited("SELECT 'a'");
  const Read& slow = AddLimited("SELECT done FROM %t_sleeping");
  const Read& next = AddLimited("SELECT 'b'");
  Run();
  EXPECT_EQ(first.text(), "a");
  EXPECT_TRUE(IsUnfitForGroup(slow.status)) << slow.status;
  EXPECT_EQ(next.text(), "b");
  ExpectUnharmed();
}

TEST_F(PostgresKeptSettings, OutliveAMemberThatFails) {
  Keep();
  const Read& fails = AddLimited("SELECT 1 / 0");
  const Read& who = AddLimited("SELECT name FROM %t_who");
  const Read& writes = AddLimited("SELECT done FROM %t_writing");
  Run();
  EXPECT_EQ(DetailOf(fails.status).sqlstate, "22012");
  EXPECT_EQ(who.text(), "crew-12");
  EXPECT_TRUE(IsUnfitForGroup(writes.status)) << writes.status;
}

TEST_F(PostgresKeptSettings, AreNotReliedUponBehindAFunctionThatMayHaveChangedThem) {
  Keep();
  const Read& allows = AddLimited("SELECT %t_allow()");
  const Read& writes = AddLimited("SELECT done FROM %t_writing");
  Run();
  EXPECT_EQ(allows.status, absl::OkStatus());
  EXPECT_TRUE(IsUnfitForGroup(writes.status)) << writes.status;
  EXPECT_EQ(CountRows(), 0);
  // Set anew behind them all.
  reads_.clear();
  const Read& later = AddLimited("SELECT done FROM %t_writing");
  Run();
  EXPECT_TRUE(IsUnfitForGroup(later.status)) << later.status;
  EXPECT_EQ(CountRows(), 0);
  ExpectUnharmed();
}

TEST_F(PostgresKeptSettings, AreGivenBackByAReset) {
  Keep();
  AddLimited("SELECT set_config('work_mem', '5MB', false)");
  Run();
  EXPECT_TRUE(connection().session_changed());
  EXPECT_EQ(connection().ResetSession(Soon()), absl::OkStatus());
  ExpectNothingKept();
  EXPECT_EQ(MustGetText(connection(), "SHOW work_mem"), "4MB");
}

TEST_F(PostgresKeptSettings, AreSetAnewWhenAFunctionMayHaveChangedThem) {
  Keep();
  AddLimited("SELECT length('abc')::text");
  Run();
  const Read& who = AddLimited("SELECT name FROM %t_who");
  for (Read& read : reads_) read.ends = 0;
  Run();
  EXPECT_EQ(who.text(), "crew-12");
  EXPECT_FALSE(connection().session_changed());
}

TEST_F(PostgresKeptSettings, AreGivenBackByAStatement) {
  Keep();
  MustRun(connection(), Sql("INSERT INTO %t VALUES (1, 'x')"));
  EXPECT_EQ(CountRows(), 1);
  ExpectNothingKept();
}

TEST_F(PostgresKeptSettings, AreGivenBackInTheStatementsOwnTrip) {
  TcpProxy proxy(ServerPort());
  connection_ = OpenThrough(proxy.port());
  backend_ = BackendOf(connection());
  Keep();
  const int before = proxy.trips();
  MustRun(connection(), Sql("INSERT INTO %t VALUES (1, 'x')"));
  EXPECT_EQ(proxy.trips() - before, 1);
}

TEST_F(PostgresKeptSettings, AreGivenBackByAStatementOutsideOfTransactions) {
  Keep();
  EXPECT_EQ(TryRun(connection(), Sql("VACUUM %t"), Soon(), {.wrapping = Wrapping::kNone}),
            absl::OkStatus());
  ExpectNothingKept();
}

TEST_F(PostgresKeptSettings, AreGivenBackByABatch) {
  Keep();
  CollectingBatchSink rows;
  const std::vector<GuardedStatement> statements = {
      {{Sql("INSERT INTO %t VALUES (1, 'x')"), {}, {}}, 1}};
  EXPECT_EQ(connection().ExecuteBatch(statements, {}, {}, Soon(), rows), absl::OkStatus());
  EXPECT_EQ(CountRows(), 1);
  ExpectNothingKept();
}

TEST_F(PostgresKeptSettings, AreGivenBackByATransaction) {
  Keep();
  ASSERT_EQ(connection().Begin({}, {}, Soon()), absl::OkStatus());
  MustRun(connection(), Sql("INSERT INTO %t VALUES (1, 'x')"));
  ASSERT_EQ(connection().Commit(Soon()), absl::OkStatus());
  EXPECT_EQ(CountRows(), 1);
  ExpectNothingKept();
}

TEST_F(PostgresKeptSettings, AreNotThoseOfAPing) {
  Keep();
  EXPECT_EQ(connection().Ping(Soon()), absl::OkStatus());
  ExpectNothingKept();
}

}  // namespace
}  // namespace emsdb
