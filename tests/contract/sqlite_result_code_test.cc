#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "pool/sqlite/result_code.h"
#include "pool/sqlite/text.h"
#include "tests/support/status_matchers.h"

namespace emsdb::sqlite {
namespace {

using ::testing::AllOf;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Not;
using enum absl::StatusCode;

TEST(SqliteResultCode, HasAMeaning) {
  const struct {
    int result_code;
    absl::StatusCode code;
    Retry retry;
    Damage damage;
  } cases[] = {
      {SQLITE_ERROR, kInvalidArgument, Retry::kNo, Damage::kNone},
      {SQLITE_BUSY, kUnavailable, Retry::kYes, Damage::kNone},
      {SQLITE_BUSY_RECOVERY, kUnavailable, Retry::kYes, Damage::kNone},
      {SQLITE_BUSY_TIMEOUT, kUnavailable, Retry::kYes, Damage::kNone},
      {SQLITE_BUSY_SNAPSHOT, kAborted, Retry::kYes, Damage::kNone},
      {SQLITE_LOCKED_SHAREDCACHE, kAborted, Retry::kYes, Damage::kNone},
      {SQLITE_NOMEM, kResourceExhausted, Retry::kNo, Damage::kNone},
      {SQLITE_READONLY, kFailedPrecondition, Retry::kNo, Damage::kNone},
      {SQLITE_READONLY_DIRECTORY, kFailedPrecondition, Retry::kNo, Damage::kNone},
      {SQLITE_READONLY_DBMOVED, kUnavailable, Retry::kYes, Damage::kConnection},
      {SQLITE_IOERR_FSYNC, kInternal, Retry::kNo, Damage::kConnection},
      {SQLITE_IOERR_NOMEM, kResourceExhausted, Retry::kNo, Damage::kNone},
      {SQLITE_CORRUPT_INDEX, kDataLoss, Retry::kNo, Damage::kConnection},
      {SQLITE_NOTADB, kDataLoss, Retry::kNo, Damage::kConnection},
      {SQLITE_FULL, kResourceExhausted, Retry::kNo, Damage::kNone},
      {SQLITE_CANTOPEN_ISDIR, kUnavailable, Retry::kYes, Damage::kConnection},
      {SQLITE_PROTOCOL, kUnavailable, Retry::kYes, Damage::kNone},
      {SQLITE_SCHEMA, kAborted, Retry::kYes, Damage::kNone},
      {SQLITE_TOOBIG, kInvalidArgument, Retry::kNo, Damage::kNone},
      {SQLITE_CONSTRAINT, kFailedPrecondition, Retry::kNo, Damage::kNone},
      {SQLITE_CONSTRAINT_UNIQUE, kAlreadyExists, Retry::kNo, Damage::kNone},
      {SQLITE_CONSTRAINT_PRIMARYKEY, kAlreadyExists, Retry::kNo, Damage::kNone},
      {SQLITE_CONSTRAINT_ROWID, kAlreadyExists, Retry::kNo, Damage::kNone},
      {SQLITE_CONSTRAINT_NOTNULL, kFailedPrecondition, Retry::kNo, Damage::kNone},
      {SQLITE_CONSTRAINT_CHECK, kFailedPrecondition, Retry::kNo, Damage::kNone},
      {SQLITE_CONSTRAINT_FOREIGNKEY, kFailedPrecondition, Retry::kNo, Damage::kNone},
      {SQLITE_CONSTRAINT_TRIGGER, kFailedPrecondition, Retry::kNo, Damage::kNone},
      {SQLITE_CONSTRAINT_VTAB, kFailedPrecondition, Retry::kNo, Damage::kNone},
      {SQLITE_CONSTRAINT_DATATYPE, kInvalidArgument, Retry::kNo, Damage::kNone},
      {SQLITE_MISMATCH, kInvalidArgument, Retry::kNo, Damage::kNone},
      {SQLITE_MISUSE, kInternal, Retry::kNo, Damage::kConnection},
      {SQLITE_AUTH, kPermissionDenied, Retry::kNo, Damage::kNone},
      {200, kInternal, Retry::kNo, Damage::kConnection},
  };
  for (const auto& expected : cases) {
    const Meaning& meaning = MeaningOf(expected.result_code);
    EXPECT_EQ(meaning.code, expected.code) << expected.result_code;
    EXPECT_EQ(meaning.retry, expected.retry) << expected.result_code;
    EXPECT_EQ(meaning.damage, expected.damage) << expected.result_code;
  }
}

absl::Status StatusFor(int code, const std::string& message, Phase phase = Phase::kRunning) {
  return ToStatus({code, message}, phase, "");
}

TEST(SqliteResultCode, NamesTheTableAndTheColumnsOfABrokenRule) {
  const absl::Status unique =
      StatusFor(SQLITE_CONSTRAINT_UNIQUE, "UNIQUE constraint failed: units.id, units.day");
  EXPECT_THAT(unique, AllOf(StatusIs(kAlreadyExists), HasReason("SQL_ERROR"),
                            HasMessage(HasSubstr("(SQLITE_CONSTRAINT_UNIQUE)"))));
  EXPECT_EQ(DetailOf(unique).table, "units");
  EXPECT_EQ(DetailOf(unique).column, "id, day");
  const ErrorDetail null =
      DetailOf(StatusFor(SQLITE_CONSTRAINT_NOTNULL, "NOT NULL constraint failed: units.name"));
  EXPECT_EQ(null.table, "units");
  EXPECT_EQ(null.column, "name");
  const ErrorDetail strict = DetailOf(StatusFor(
      SQLITE_CONSTRAINT_DATATYPE, "cannot store TEXT value in INTEGER column units.size"));
  EXPECT_EQ(strict.table, "units");
  EXPECT_EQ(strict.column, "size");
}

TEST(SqliteResultCode, IsAWrongNameWhereTheSchemaWasNotReadYet) {
  const absl::Status wrong = StatusFor(SQLITE_SCHEMA, "no such column: nosuch", Phase::kPreparing);
  EXPECT_THAT(wrong, AllOf(StatusIs(kInvalidArgument), HasMessage(HasSubstr("(SQLITE_ERROR)"))));
  EXPECT_EQ(DetailOf(wrong).retry, Retry::kNo);
  EXPECT_EQ(DetailOf(wrong).column, "nosuch");
  const absl::Status changed =
      StatusFor(SQLITE_SCHEMA, "database schema has changed", Phase::kPreparing);
  EXPECT_THAT(changed, StatusIs(kAborted));
  EXPECT_EQ(DetailOf(changed).retry, Retry::kYes);
}

TEST(SqliteResultCode, NamesTheConstraintWhereSqliteDoes) {
  EXPECT_EQ(DetailOf(StatusFor(SQLITE_CONSTRAINT_UNIQUE,
                               "UNIQUE constraint failed: index 'units_by_name'"))
                .constraint,
            "units_by_name");
  EXPECT_EQ(
      DetailOf(StatusFor(SQLITE_CONSTRAINT_CHECK, "CHECK constraint failed: positive")).constraint,
      "positive");
}

TEST(SqliteResultCode, NamesWhatIsNotThere) {
  EXPECT_THAT(StatusFor(SQLITE_ERROR, "no such table: units", Phase::kPreparing),
              AllOf(StatusIs(kNotFound), HasDetail(Field(&ErrorDetail::table, "units"))));
  const absl::Status column =
      StatusFor(SQLITE_ERROR, "table units has no column named x", Phase::kPreparing);
  EXPECT_THAT(column, StatusIs(kInvalidArgument));
  EXPECT_EQ(DetailOf(column).table, "units");
  EXPECT_EQ(DetailOf(column).column, "x");
}

TEST(SqliteResultCode, CountsThePositionInCharacters) {
  const std::string sql = "SELECT 'ü', x";
  const absl::Status status =
      ToStatus({SQLITE_ERROR, "no such column: x", 13}, Phase::kPreparing, sql);
  EXPECT_EQ(DetailOf(status).position, 13);
  EXPECT_EQ(DetailOf(StatusFor(SQLITE_ERROR, "x")).position, 0);
}

// T68
TEST(SqliteResultCode, LeavesOutWhatMayBeAValue) {
  const struct {
    const char* message;
    Phase phase;
    const char* shown;
  } cases[] = {
      {"near \"FORM\": syntax error", Phase::kPreparing, "near \"FORM\": syntax error"},
      {"near \"'Doe'\": syntax error", Phase::kPreparing, "syntax error"},
      {"near \"1974\": syntax error", Phase::kPreparing, "syntax error"},
      {"unrecognized token: \"'Doe\"", Phase::kPreparing, "unrecognized token"},
      {"JSON path error near 'Doe'", Phase::kRunning, "JSON path error"},
      {"fts5: syntax error near \"Doe\"", Phase::kRunning, "fts5: syntax error"},
      {"no such column: Doe", Phase::kRunning, "no such column"},
      {"malformed MATCH expression: [Doe]", Phase::kRunning, "malformed MATCH expression"},
      {"integer overflow", Phase::kRunning, "integer overflow"},
  };
  for (const auto& [message, phase, shown] : cases) {
    EXPECT_EQ(StatusFor(SQLITE_ERROR, message, phase).message(),
              std::string(shown) + " (SQLITE_ERROR)");
  }
  EXPECT_EQ(DetailOf(StatusFor(SQLITE_ERROR, "no such column: Doe")).column, "");
}

TEST(SqliteResultCode, SaysWhenToTryAgain) {
  EXPECT_TRUE(DetailOf(StatusFor(SQLITE_BUSY, "database is locked")).retry_after.has_value());
  EXPECT_FALSE(DetailOf(StatusFor(SQLITE_FULL, "full")).retry_after.has_value());
}

TEST(SqliteText, IsBlankWithoutAStatement) {
  for (const char* sql : {"", " \t\n;;", "-- a", "/* a */ -- b\n;", "/* open", "--"}) {
    EXPECT_TRUE(IsBlankSql(sql)) << sql;
  }
  for (const char* sql : {"x", "-- a\nx", "/* /* */ x", "/", "-", "'"}) {
    EXPECT_FALSE(IsBlankSql(sql)) << sql;
  }
}

}  // namespace
}  // namespace emsdb::sqlite
