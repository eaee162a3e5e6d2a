#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/errors.h"
#include "pool/sqlite/kept_statements.h"
#include "tests/contract/sqlite_fixture.h"

namespace emsdb {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Each statement runs at least twice, so that the second time it may be one that was kept.
class SqliteKeptStatements : public SqliteFixture {
 protected:
  void SetUp() override {
    ASSERT_THAT(Run(*writer_, "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)"), IsOk());
    ASSERT_THAT(Run(*writer_, "INSERT INTO t VALUES (1, 'one'), (2, 'two')"), IsOk());
  }

  std::unique_ptr<Connection> writer_ = Open(SqliteRole::kBoth);
  std::unique_ptr<Connection> reader_ = Open(SqliteRole::kReader);
};

TEST_F(SqliteKeptStatements, KnowNothingOfTheUseBefore) {
  const std::string sql = "SELECT a FROM t WHERE id = $1";
  EXPECT_THAT(Rows(*reader_, sql, {Int(1)}), ElementsAre(Row{Text("one")}));
  EXPECT_THAT(Rows(*reader_, sql, {Int(2)}), ElementsAre(Row{Text("two")}));
  EXPECT_THAT(Rows(*reader_, sql, {Null{}}), IsEmpty());
  EXPECT_THAT(Run(*reader_, sql), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Rows(*reader_, sql, {Int(1)}), ElementsAre(Row{Text("one")}));
}

TEST_F(SqliteKeptStatements, HoldNoLockAndNoViewOfOldRows) {
  const std::string sql = "SELECT count(*) FROM t";
  EXPECT_EQ(Single(*reader_, sql), Int(2));
  EXPECT_THAT(Run(*writer_, "INSERT INTO t VALUES (3, 'three')"), IsOk());
  EXPECT_EQ(Single(*reader_, sql), Int(3));
  EXPECT_EQ(Single(*writer_, "PRAGMA journal_mode"), Text("wal"));
}

// T46
TEST_F(SqliteKeptStatements, SeeWhatHasChangedInTheSchema) {
  const std::string sql = "SELECT * FROM t WHERE id = 1";
  EXPECT_THAT(Rows(*reader_, sql), ElementsAre(Row{Int(1), Text("one")}));
  ASSERT_THAT(Run(*writer_, "ALTER TABLE t ADD COLUMN b TEXT DEFAULT 'x'"), IsOk());
  EXPECT_THAT(Rows(*reader_, sql), ElementsAre(Row{Int(1), Text("one"), Text("x")}));
}

TEST_F(SqliteKeptStatements, FailAsIfTheyHadNeverBeenKept) {
  const std::string sql = "SELECT a FROM t WHERE id = $1";
  EXPECT_THAT(Rows(*reader_, sql, {Int(1)}), ElementsAre(Row{Text("one")}));
  ASSERT_THAT(Run(*writer_, "ALTER TABLE t RENAME COLUMN a TO c"), IsOk());
  const auto kept = Run(*reader_, sql, {Int(1)});
  const auto fresh = Run(*reader_, sql + " ", {Int(1)});
  EXPECT_EQ(kept.status(), fresh.status());
  ASSERT_THAT(Run(*writer_, "DROP TABLE t"), IsOk());
  EXPECT_THAT(Run(*reader_, sql, {Int(1)}), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(SqliteKeptStatements, AreStillRefusedWhereTheyMayNotRun) {
  const std::string sql = "INSERT INTO t (a) VALUES ($1)";
  CollectingSink sink;
  for (int time = 0; time < 2; ++time) {
    EXPECT_THAT(Run(*writer_, sql, {Text("x")}), IsOk());
    const auto refused = writer_->Execute({.sql = sql, .parameters = {Text("x")}},
                                          {.access = Access::kReadOnly}, {}, sink);
    EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition));
    EXPECT_TRUE(IsNeedsWriter(Run(*reader_, sql, {Text("x")}).status()));
  }
  EXPECT_EQ(Single(*reader_, "SELECT count(*) FROM t"), Int(4));
}

TEST_F(SqliteKeptStatements, CanBeUsedAgainAfterAFailure) {
  const std::string sql = "INSERT INTO t (id, a) VALUES ($1, 'again')";
  EXPECT_THAT(Run(*writer_, sql, {Int(1)}), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(Run(*writer_, sql, {Int(7)}), IsOk());
  EXPECT_THAT(Run(*writer_, sql, {Int(7)}), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(Run(*writer_, sql, {Int(8)}), IsOk());
}

TEST_F(SqliteKeptStatements, AreOnlyQueriesAndWritesOfRows) {
  using sqlite::KeptStatements;
  for (const char* sql : {"SELECT 1", "insert into t values (1)", "WITH x AS (SELECT 1) SELECT 1",
                          "/* note */ VALUES (1)", "REPLACE INTO t VALUES (1)"}) {
    EXPECT_TRUE(KeptStatements::MayKeep(sql)) << sql;
  }
  for (const char* sql : {"PRAGMA table_info(t)", "EXPLAIN SELECT 1", "CREATE TABLE x (a)", "",
                          "DROP TABLE t", "VACUUM"}) {
    EXPECT_FALSE(KeptStatements::MayKeep(sql)) << sql;
  }
  EXPECT_FALSE(
      KeptStatements::MayKeep("SELECT 1 --" + std::string(KeptStatements::kLongestText, 'x')));
}

TEST(KeptStatements, AreBoundedAndTheLeastRecentlyUsedGoesFirst) {
  using sqlite::KeptStatements;
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(":memory:", &database), SQLITE_OK);
  {
    KeptStatements kept;
    const auto text = [](std::size_t i) { return "SELECT " + std::to_string(i); };
    for (std::size_t i = 0; i <= KeptStatements::kMost; ++i) {
      sqlite3_stmt* statement = nullptr;
      ASSERT_EQ(sqlite3_prepare_v2(database, text(i).c_str(), -1, &statement, nullptr), SQLITE_OK);
      kept.GiveBack(statement);
      if (i + 1 == KeptStatements::kMost) kept.GiveBack(kept.Take(text(0)));
    }
    EXPECT_EQ(kept.size(), KeptStatements::kMost);
    EXPECT_EQ(kept.Take(text(1)), nullptr);
    sqlite3_stmt* first = kept.Take(text(0));
    EXPECT_NE(first, nullptr);
    EXPECT_EQ(kept.Take(text(0)), nullptr) << "it is in use";
    kept.GiveBack(first);
  }
  EXPECT_EQ(sqlite3_close(database), SQLITE_OK) << "none was left open";
}

}  // namespace
}  // namespace emsdb
