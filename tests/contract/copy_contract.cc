// What every driver promises of rows in bulk.
#include <gmock/gmock.h>

#include <chrono>
#include <cmath>
#include <thread>

#include "pool/errors.h"
#include "tests/contract/connector_contract.h"
#include "tests/support/list_source.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Supply = RowSource::Supply;

Value Int(std::int64_t number) { return number; }
Value Text(std::string text) { return text; }

}  // namespace

TEST_P(ConnectorContract, CopiesRowsOfEveryKind) {
  const std::vector<Row> given = {
      {Int(1), true, Int(-5), 0.1, Text("a\tb\\c\nd\re 'q' \"Q\" Grüße \\N \\."),
       Bytes{std::string("\0\x01\xff\\\n", 5)}},
      {Int(2), Null{}, Null{}, Null{}, Null{}, Null{}},
      {Int(3), false, Int(INT64_MIN), -HUGE_VAL, Text(""), Bytes{}},
      {Int(4), false, Int(INT64_MAX), 1e-300, Text("\\N"), Bytes{"x"}}};
  ListSource source(given);
  const auto copied = writer().CopyIn(Target(), {}, Soon(), source);
  ASSERT_TRUE(copied.ok()) << copied.status();
  EXPECT_EQ(*copied, 4);
  const auto rows = Rows(writer(), "SELECT id, b, i, d, s, y FROM %t ORDER BY id");
  ASSERT_TRUE(rows.ok()) << rows.status();
  std::vector<Row> expected = given;
  if (!dialect().has_booleans) {
    for (Row& row : expected) {
      if (const bool* truth = std::get_if<bool>(&row[1])) row[1] = Int(*truth ? 1 : 0);
    }
  }
  EXPECT_EQ(*rows, expected);
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, CopiesIntoTheColumnsItIsTold) {
  ListSource source({{Text("x"), Int(1)}, {Text("y"), Int(2)}});
  const auto copied = writer().CopyIn(Target({"s", "id"}), {}, Soon(), source);
  ASSERT_TRUE(copied.ok()) << copied.status();
  const auto rows = Rows(writer(), "SELECT id, s, b FROM %t ORDER BY id");
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->at(1), (Row{Int(2), Text("y"), Null{}}));
}

TEST_P(ConnectorContract, CopiesNoRowsAtAll) {
  ListSource source({});
  const auto copied = writer().CopyIn(Target(), {}, Soon(), source);
  ASSERT_TRUE(copied.ok()) << copied.status();
  EXPECT_EQ(*copied, 0);
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, CopyTakesNamesAsTheyAreAndNeverAsSql) {
  const std::string odd = "odd \"t; DROP TABLE x\" (FROM PROGRAM) --";
  const std::string quoted = "\"odd \"\"t; DROP TABLE x\"\" (FROM PROGRAM) --\"";
  ASSERT_TRUE(Run(writer(), "DROP TABLE IF EXISTS " + quoted).ok());
  ASSERT_TRUE(
      Run(writer(), "CREATE TABLE " + quoted + " (\"a\"\"b\" " + dialect().int_type + ")").ok());
  ListSource source({{Int(7)}});
  const auto copied = writer().CopyIn({.table = odd, .columns = {"a\"b"}}, {}, Soon(), source);
  EXPECT_TRUE(copied.ok()) << copied.status();
  const auto rows = Rows(writer(), "SELECT \"a\"\"b\" FROM " + quoted);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(*rows, (std::vector<Row>{{Int(7)}}));
  EXPECT_TRUE(Run(writer(), "DROP TABLE " + quoted).ok());
}

TEST_P(ConnectorContract, CopyRefusesNamesThatAreNone) {
  const struct {
    CopyTarget target;
    const char* field;
  } cases[] = {{{.table = ""}, "start.table"},
               {{.table = std::string("a\0b", 3)}, "start.table"},
               {{.schema = "\xff", .table = "t"}, "start.schema"},
               {{.table = "t", .columns = {"a", ""}}, "start.columns[1]"}};
  for (const auto& [target, field] : cases) {
    ListSource source({{Int(1)}});
    const absl::Status status = writer().CopyIn(target, {}, Soon(), source).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_EQ(DetailOf(status).field, field);
  }
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, CopySaysThatTheTableIsNotThere) {
  ListSource source({{Int(1)}});
  const absl::Status status =
      writer().CopyIn({.table = "no_such_table"}, {}, Soon(), source).status();
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(DetailOf(status).reason, "SQL_ERROR") << status;
  EXPECT_EQ(DetailOf(status).row, 0);
  EXPECT_EQ(source.given(), 0U) << "asked for rows that it could not take";
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, ABrokenRowLeavesNothingBehindAndIsNamed) {
  std::vector<Row> rows;
  for (std::int64_t id = 1; id <= 3000; ++id) rows.push_back({Int(id), Text("secret patient")});
  rows[1999] = {Int(7), Text("secret patient")};  // it is there already
  ListSource source(rows);
  const absl::Status status = writer().CopyIn(Target({"id", "s"}), {}, Soon(), source).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists) << status;
  EXPECT_EQ(DetailOf(status).row, 2000);
  EXPECT_EQ(status.ToString().find("secret"), std::string::npos) << status;
  EXPECT_EQ(CountRows(writer()), 0);
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, CopyRefusesARowWithTooFewOrTooManyCells) {
  for (const Row& odd : {Row{Int(2)}, Row{Int(2), Text("x"), Text("y")}, Row{}}) {
    ListSource source({{Int(1), Text("x")}, odd});
    const absl::Status status = writer().CopyIn(Target({"id", "s"}), {}, Soon(), source).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_EQ(DetailOf(status).row, 2);
    EXPECT_EQ(CountRows(writer()), 0);
  }
  ExpectUsable(writer());
}

// T54
TEST_P(ConnectorContract, CopyRefusesTextThatIsNone) {
  for (const std::string& bad : {std::string("a\0b", 3), std::string("\xff")}) {
    ListSource source({{Int(1), Text("good")}, {Int(2), Text(bad)}});
    const absl::Status status = writer().CopyIn(Target({"id", "s"}), {}, Soon(), source).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_EQ(DetailOf(status).field, "rows[1].values[1]");
    EXPECT_EQ(DetailOf(status).row, 2);
    EXPECT_EQ(CountRows(writer()), 0);
  }
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, CopyEndsWithTheSourcesOwnError) {
  ListSource source({{Int(1)}, {Int(2)}});
  source.before_row = [](std::size_t given) -> absl::StatusOr<Supply> {
    if (given < 2) return Supply::kRow;
    return SlowWriter(seconds(10));
  };
  const absl::Status status = writer().CopyIn(Target({"id"}), {}, Soon(), source).status();
  EXPECT_EQ(DetailOf(status).reason, "SLOW_WRITER") << status;
  EXPECT_EQ(CountRows(writer()), 0);
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, CopyEndsAtTheDeadlineThoughRowsGoOnComing) {
  NumberedSource source(INT64_MAX, {Text("x")});
  const Instant start = Clock::Real().Now();
  const absl::Status status =
      writer().CopyIn(Target({"id", "s"}), {}, Within(milliseconds(300)), source).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_EQ(DetailOf(status).outcome, Outcome::kNothingDone);
  EXPECT_LT(Clock::Real().Now() - start, milliseconds(300) + seconds(2));
  EXPECT_EQ(CountRows(writer()), 0);
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, CopyEndsAtTheDeadlineThoughNoRowComes) {
  ListSource source({});
  source.before_row = [](std::size_t) -> absl::StatusOr<Supply> {
    std::this_thread::sleep_for(milliseconds(20));
    return Supply::kNothingYet;
  };
  const absl::Status status =
      writer().CopyIn(Target({"id"}), {}, Within(milliseconds(200)), source).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_EQ(CountRows(writer()), 0);
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, CopyEndsWhenItIsToldToStop) {
  StopSignal stop;
  ListSource source({{Int(1)}});
  source.before_row = [&stop](std::size_t given) -> absl::StatusOr<Supply> {
    if (given == 0) return Supply::kRow;
    stop.Raise(StopReason::kCallerLeft);
    return Supply::kNothingYet;
  };
  const absl::Status status =
      writer().CopyIn(Target({"id"}), {}, Within(seconds(60), &stop), source).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled) << status;
  EXPECT_EQ(CountRows(writer()), 0);
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, CopyOfARowThatIsLargerThanAnyBuffer) {
  const std::string large(5U << 20, 'x');
  ListSource source({{Int(1), Text(large)}, {Int(2), Text("small")}});
  const auto copied = writer().CopyIn(Target({"id", "s"}), {}, Soon(), source);
  ASSERT_TRUE(copied.ok()) << copied.status();
  const auto rows = Rows(writer(), "SELECT length(s) FROM %t ORDER BY id");
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->at(0).at(0), Int(5 << 20));
}

TEST_P(ConnectorContract, CopyIsNotForAnOpenTransaction) {
  ASSERT_EQ(writer().Begin({}, {}, Soon()), absl::OkStatus());
  ListSource source({{Int(1)}});
  EXPECT_EQ(writer().CopyIn(Target({"id"}), {}, Soon(), source).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(writer().RollBack(Soon()), absl::OkStatus());
  ExpectUsable(writer());
}

}  // namespace emsdb
