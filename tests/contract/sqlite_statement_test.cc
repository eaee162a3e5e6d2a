// What SQLite's driver takes and refuses, and how values come back.
#include <limits>

#include "tests/contract/sqlite_fixture.h"

namespace emsdb {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Not;

class SqliteStatement : public SqliteFixture {
 protected:
  SqliteStatement() {
    EXPECT_THAT(Run(*db_, "CREATE TABLE t (a INTEGER PRIMARY KEY, b VARCHAR(10), c)"), IsOk());
  }
  Value Count() { return Single(*db_, "SELECT count(*) FROM t"); }
  static auto InvalidIn(const std::string& field) {
    return AllOf(StatusIs(absl::StatusCode::kInvalidArgument),
                 HasDetail(Field(&ErrorDetail::field, field)));
  }

  std::unique_ptr<Connection> db_ = Open(SqliteRole::kBoth);
};

// T70
TEST_F(SqliteStatement, IsOneAndNoMore) {
  for (const char* sql : {"", " \n", ";", "-- none", "/* none */", "SELECT 1; SELECT 2",
                          "INSERT INTO t (a) VALUES (1); x", "SELECT 1;; -- a\n SELECT 2"}) {
    EXPECT_THAT(Run(*db_, sql), InvalidIn("statement.sql")) << sql;
  }
  for (const char* sql : {"SELECT 1;", "SELECT 1 ; ; -- a", "; SELECT 1", "SELECT 1; /* open"}) {
    EXPECT_THAT(Run(*db_, sql), IsOk()) << sql;
  }
  EXPECT_EQ(Count(), Int(0));
}

TEST_F(SqliteStatement, IsTextOfABoundedLength) {
  EXPECT_THAT(Run(*db_, std::string("SELECT 1\0; DROP TABLE t", 23)), InvalidIn("statement.sql"));
  EXPECT_THAT(Run(*db_, "SELECT '\xff'"), InvalidIn("statement.sql"));
  const std::string longest = "SELECT 1 --" + std::string((1 << 20) - 11, 'x');
  EXPECT_THAT(Run(*db_, longest), IsOk());
  EXPECT_THAT(Run(*db_, longest + "x"), InvalidIn("statement.sql"));
}

// T20: the second comment hides COMMIT from whoever reads comments as PostgreSQL does.
TEST_F(SqliteStatement, IsNoTransactionControl) {
  for (const char* sql : {"BEGIN", "begin immediate", "/* /* */ COMMIT", "END", "ROLLBACK",
                          "SAVEPOINT s", "/* /* */ SAVEPOINT s", "RELEASE s"}) {
    EXPECT_THAT(Run(*db_, sql), HasReason("TRANSACTION_CONTROL")) << sql;
    EXPECT_EQ(db_->transaction_state(), TransactionState::kIdle);
  }
  ASSERT_THAT(db_->Begin({}, {}, {}), IsOk());
  EXPECT_THAT(Run(*db_, "COMMIT"), HasReason("TRANSACTION_CONTROL"));
  EXPECT_EQ(db_->transaction_state(), TransactionState::kOpen);
}

// T72, T42
TEST_F(SqliteStatement, ReachesNothingOutsideTheDatabaseAndLeavesNothingOnTheConnection) {
  for (const char* sql :
       {"ATTACH 'x.db' AS x", "DETACH x", "VACUUM", "VACUUM INTO 'x.db'",
        "SELECT load_extension('x')", "PRAGMA journal_mode = DELETE", "PRAGMA user_version = 5",
        "PRAGMA writable_schema = 1", "PRAGMA foreign_keys = 0", "PRAGMA query_only(0)",
        "PRAGMA database_list", "PRAGMA temp_store_directory = '/tmp'", "CREATE TEMP TABLE u (a)",
        "CREATE TABLE temp.u (a)", "CREATE TEMP VIEW v AS SELECT 1",
        "CREATE VIRTUAL TABLE temp.f USING fts5(a)", "CREATE VIEW temp.v AS SELECT 1",
        "CREATE TEMP TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END"}) {
    EXPECT_THAT(Run(*db_, sql),
                AllOf(StatusIs(absl::StatusCode::kPermissionDenied), HasReason("NOT_ALLOWED")))
        << sql;
  }
  EXPECT_THAT(Run(*db_, "UPDATE sqlite_schema SET sql = ''"), Not(IsOk()));
}

// T40: what is not refused is forgotten.
TEST_F(SqliteStatement, AnswersWithNobodyElsesRowid) {
  const char* const ask = "SELECT last_insert_rowid()";
  ASSERT_THAT(Run(*db_, "INSERT INTO t (a) VALUES (41)"), IsOk());
  EXPECT_EQ(Single(*db_, ask), Int(0));
  ASSERT_THAT(Run(*db_, "INSERT INTO t (a) VALUES (42)"), IsOk());
  ASSERT_THAT(db_->Begin({}, {}, {}), IsOk());
  EXPECT_EQ(Single(*db_, ask), Int(0));
  ASSERT_THAT(Run(*db_, "INSERT INTO t (a) VALUES (43)"), IsOk());
  EXPECT_EQ(Single(*db_, ask), Int(43));
  ASSERT_THAT(db_->Commit({}), IsOk());
  EXPECT_EQ(Single(*db_, ask), Int(0));
}

// T40
TEST_F(SqliteStatement, ChangesNoSettingOfTheConnection) {
  for (const char* sql :
       {"PRAGMA case_sensitive_like = 1", "PRAGMA recursive_triggers = 1",
        "PRAGMA ignore_check_constraints = 1", "PRAGMA busy_timeout = 1", "PRAGMA cache_size = 1",
        "PRAGMA temp_store = 2", "PRAGMA defer_foreign_keys = 1", "PRAGMA trusted_schema = 1",
        "PRAGMA reverse_unordered_selects = 1", "PRAGMA locking_mode = EXCLUSIVE",
        "PRAGMA synchronous = OFF", "PRAGMA count_changes = 1", "PRAGMA full_column_names = 1"}) {
    EXPECT_THAT(Run(*db_, sql), HasReason("NOT_ALLOWED")) << sql;
  }
}

TEST_F(SqliteStatement, MayAskForTheSchema) {
  const auto reader = Open(SqliteRole::kReader);
  EXPECT_EQ(Rows(*reader, "PRAGMA table_info(t)").size(), 3U);
  EXPECT_EQ(Single(*reader, "PRAGMA integrity_check"), Text("ok"));
  EXPECT_EQ(Single(*reader, "PRAGMA user_version"), Int(0));
  EXPECT_EQ(Rows(*reader, "SELECT name FROM pragma_table_info('t')").size(), 3U);
}

TEST_F(SqliteStatement, TakesParametersByTheirNumber) {
  EXPECT_THAT(Rows(*db_, "SELECT $2, $1, $2", {Int(1), Int(2)}),
              ElementsAre(Row{Int(2), Int(1), Int(2)}));
  EXPECT_THAT(Rows(*db_, "SELECT ?2, ?1", {Int(1), Int(2)}), ElementsAre(Row{Int(2), Int(1)}));
  EXPECT_EQ(Single(*db_, "SELECT ?3", {Int(1), Int(2), Int(3)}), Int(3));
}

TEST_F(SqliteStatement, RefusesPlaceholdersOfOtherKinds) {
  for (const char* sql : {"SELECT ?", "SELECT $1, ?", "SELECT :a", "SELECT @a", "SELECT $a",
                          "SELECT $0", "SELECT $1a"}) {
    EXPECT_THAT(Run(*db_, sql, {Int(1)}), InvalidIn("statement.sql")) << sql;
  }
  EXPECT_THAT(Run(*db_, "SELECT $1::text", {Int(1)}), HasMessage(HasSubstr("CAST($1 AS")));
}

TEST_F(SqliteStatement, NeedsAsManyValuesAsPlaceholders) {
  EXPECT_THAT(Run(*db_, "SELECT $1, $3", {Int(1)}),
              AllOf(InvalidIn("statement.parameters"), HasMessage(HasSubstr("3 placeholders")),
                    HasMessage(HasSubstr("1 values"))));
  EXPECT_THAT(Run(*db_, "SELECT 1", {Int(1)}), InvalidIn("statement.parameters"));
  EXPECT_THAT(Run(*db_, "SELECT ?32766", std::vector<Value>(32766, Int(1))), IsOk());
  EXPECT_THAT(Run(*db_, "SELECT ?32767", std::vector<Value>(32767, Int(1))),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(SqliteStatement, RefusesValuesThatWouldBeStoredAsSomethingElse) {
  const std::string insert = "INSERT INTO t (a, c) VALUES (1, $1)";
  EXPECT_THAT(Run(*db_, insert, {std::numeric_limits<double>::quiet_NaN()}),
              AllOf(InvalidIn("statement.parameters[0]"), HasMessage(HasSubstr("NaN"))));
  EXPECT_THAT(Run(*db_, insert, {std::string("a\0b", 3)}),
              AllOf(InvalidIn("statement.parameters[0]"), HasMessage(HasSubstr("U+0000"))));
  EXPECT_THAT(Run(*db_, insert, {std::string("\xed\xa0\x80")}),
              AllOf(InvalidIn("statement.parameters[0]"), HasMessage(HasSubstr("UTF-8"))));
  CollectingSink sink;
  EXPECT_THAT(db_->Execute({.sql = "SELECT $1", .parameters = {Int(1)}, .parameter_types = {""}},
                           {}, {}, sink),
              InvalidIn("statement.parameter_types"));
  EXPECT_EQ(Count(), Int(0));
}

// T60
TEST_F(SqliteStatement, ReturnsTheStorageClassOfEachCell) {
  EXPECT_THAT(Rows(*db_, "SELECT $1, $2, $3, $4, $5, $6, $7",
                   {true, false, 1.0, std::string(), Bytes{}, Null{}, Bytes{std::string(2, '\0')}}),
              ElementsAre(Row{Int(1), Int(0), 1.0, Text(""), Bytes{}, Null{},
                              Bytes{std::string(2, '\0')}}));
  ASSERT_THAT(Run(*db_, "INSERT INTO t (c) VALUES (1), ('x'), (1.5), (NULL)"), IsOk());
  EXPECT_THAT(Rows(*db_, "SELECT c FROM t ORDER BY a"),
              ElementsAre(Row{Int(1)}, Row{Text("x")}, Row{1.5}, Row{Null{}}));
}

// T60
TEST_F(SqliteStatement, NamesTheDeclaredTypeOfEachColumn) {
  CollectingSink sink;
  ASSERT_THAT(db_->Execute({.sql = "SELECT a, b, c, a + 1 AS n, b FROM t"}, {}, {}, sink), IsOk());
  EXPECT_THAT(sink.columns,
              ElementsAre(Column{"a", "INTEGER"}, Column{"b", "VARCHAR(10)"}, Column{"c", ""},
                          Column{"n", ""}, Column{"b", "VARCHAR(10)"}));
  EXPECT_EQ(sink.times_columns_given, 1);
}

TEST_F(SqliteStatement, NeverReturnsPartOfAStoredTextThatIsNone) {
  ASSERT_THAT(Run(*db_, "INSERT INTO t (c) VALUES ('fine'), (CAST(x'610062' AS TEXT))"), IsOk());
  ASSERT_THAT(Run(*db_, "INSERT INTO t (b) VALUES (CAST(x'ff' AS TEXT))"), IsOk());
  EXPECT_THAT(Run(*db_, "SELECT a, c FROM t"),
              AllOf(HasReason("TEXT_NOT_UTF8"), HasDetail(Field(&ErrorDetail::column, "c")),
                    HasMessage(HasSubstr("row 2")), HasMessage(HasSubstr("U+0000"))));
  EXPECT_THAT(Run(*db_, "SELECT b FROM t WHERE a = 3"), HasReason("TEXT_NOT_UTF8"));
  EXPECT_EQ(Single(*db_, "SELECT CAST(c AS BLOB) FROM t WHERE a = 2"),
            Value(Bytes{std::string("a\0b", 3)}));
}

TEST_F(SqliteStatement, SaysHowManyRowsItTouchedOrReturned) {
  const struct {
    const char* sql;
    const char* command;
    std::int64_t rows;
  } cases[] = {
      {"INSERT INTO t (a) VALUES (1), (2), (3)", "INSERT", 3},
      {"CREATE TABLE u (a)", "CREATE", 0},
      {"SELECT a FROM t WHERE a > 1", "SELECT", 2},
      {"WITH x AS (SELECT 1) UPDATE t SET c = 1 WHERE a < 3", "WITH", 2},
      {"WITH x(n) AS (SELECT 1) SELECT n FROM x", "WITH", 1},
      {"REPLACE INTO t (a) VALUES (1)", "REPLACE", 1},
      {"UPDATE t SET c = 1 WHERE a > 77", "UPDATE", 0},
      {"DELETE FROM t WHERE a < 3 RETURNING a", "DELETE", 2},
      {"DROP TABLE u", "DROP", 0},
      {"DELETE FROM t", "DELETE", 1},
  };
  for (const auto& [sql, command, rows] : cases) {
    const auto done = Run(*db_, sql);
    ASSERT_THAT(done, IsOk()) << sql;
    EXPECT_EQ(done->command, command) << sql;
    EXPECT_EQ(done->rows_affected, rows) << sql;
  }
}

TEST_F(SqliteStatement, ShowsWhereItIsWrong) {
  EXPECT_THAT(Run(*db_, "SELECT 'äöü', nope FROM t"),
              AllOf(StatusIs(absl::StatusCode::kInvalidArgument), HasReason("SQL_ERROR"),
                    HasDetail(Field(&ErrorDetail::position, 15)),
                    HasDetail(Field(&ErrorDetail::column, "nope"))));
  EXPECT_THAT(
      Run(*db_, "SELECT * FROM nope"),
      AllOf(StatusIs(absl::StatusCode::kNotFound), HasDetail(Field(&ErrorDetail::table, "nope"))));
}

TEST_F(SqliteStatement, TakesDoubleQuotesForNamesOnly) {
  EXPECT_THAT(Run(*db_, "SELECT \"nope\" FROM t"), StatusIs(absl::StatusCode::kInvalidArgument));
}

// T68
TEST_F(SqliteStatement, KeepsValuesOutOfItsErrors) {
  ASSERT_THAT(Run(*db_, "CREATE VIRTUAL TABLE f USING fts5(x)"), IsOk());
  ASSERT_THAT(Run(*db_, "INSERT INTO t (a, b) VALUES (1, 'Secret')"), IsOk());
  const struct {
    const char* sql;
    std::vector<Value> parameters;
  } cases[] = {
      {"SELECT json_extract('{}', $1)", {Text("Secret")}},
      {"SELECT * FROM f WHERE f MATCH $1", {Text("\"Secret")}},
      {"SELECT * FROM f WHERE f MATCH $1", {Text("Secret : x")}},
      {"INSERT INTO f(f) VALUES ($1)", {Text("Secret")}},
      {"SELECT 'Secret", {}},
      {"SELECT 1 FROM t WHERE b = 'x' 'Secret' 'y'", {}},
      {"INSERT INTO t (a, b) VALUES (1, $1)", {Text("Secret")}},
  };
  for (const auto& [sql, parameters] : cases) {
    EXPECT_THAT(Run(*db_, sql, parameters),
                AllOf(Not(IsOk()), HasMessage(Not(HasSubstr("Secret")))))
        << sql;
  }
}

}  // namespace
}  // namespace emsdb
