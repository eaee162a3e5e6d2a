#include "tests/contract/connector_contract.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <thread>

#include "absl/strings/str_format.h"
#include "pool/errors.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

// How long after its deadline a call may still take.
constexpr Duration kGrace = seconds(2);

}  // namespace

void ConnectorContract::SetUp() {
  static std::atomic<int> counter{0};
  table_ = absl::StrFormat("contract_%d_%d", getpid(), ++counter);
  database_ = GetParam().make();
  auto opened = database_->OpenWriter();
  ASSERT_TRUE(opened.ok()) << opened.status();
  writer_ = *std::move(opened);
  const ContractDialect& types = dialect();
  const auto created =
      Run(writer(),
          absl::StrFormat("CREATE TABLE %%t (id %s PRIMARY KEY, b %s, i %s, d %s, s %s, y %s)",
                          types.int_type, types.bool_type, types.int_type, types.double_type,
                          types.text_type, types.bytes_type));
  ASSERT_TRUE(created.ok()) << created.status();
}

void ConnectorContract::TearDown() {
  writer_.reset();
  if (!database_) return;
  auto cleaner = database_->OpenWriter();
  ASSERT_TRUE(cleaner.ok()) << cleaner.status();
  const auto dropped = Run(**cleaner, "DROP TABLE IF EXISTS %t");
  EXPECT_TRUE(dropped.ok()) << dropped.status();
}

std::unique_ptr<Connection> ConnectorContract::OpenReader() {
  auto opened = database_->OpenReader();
  EXPECT_TRUE(opened.ok()) << opened.status();
  return opened.ok() ? *std::move(opened) : nullptr;
}

std::string ConnectorContract::Sql(std::string text) const {
  for (std::size_t at = text.find("%t"); at != std::string::npos; at = text.find("%t", at)) {
    text.replace(at, 2, table_);
  }
  return text;
}

Statement ConnectorContract::Make(std::string text, std::vector<Value> parameters) const {
  return {.sql = Sql(std::move(text)), .parameters = std::move(parameters)};
}

absl::StatusOr<Completion> ConnectorContract::Run(Connection& connection, const std::string& text,
                                                  std::vector<Value> parameters) {
  CollectingSink sink;
  return connection.Execute(Make(text, std::move(parameters)), {}, Soon(), sink);
}

absl::StatusOr<std::vector<std::vector<Value>>> ConnectorContract::Rows(
    Connection& connection, const std::string& text, std::vector<Value> parameters) {
  CollectingSink sink;
  const auto done = connection.Execute(Make(text, std::move(parameters)), {}, Soon(), sink);
  if (!done.ok()) return done.status();
  return sink.rows;
}

std::int64_t ConnectorContract::CountRows(Connection& connection) {
  const auto rows = Rows(connection, "SELECT count(*) FROM %t");
  EXPECT_TRUE(rows.ok()) << rows.status();
  return rows.ok() ? std::get<std::int64_t>(rows->at(0).at(0)) : -1;
}

void ConnectorContract::ExpectUsable(Connection& connection) {
  EXPECT_FALSE(connection.broken());
  EXPECT_EQ(connection.transaction_state(), TransactionState::kIdle);
  EXPECT_TRUE(connection.LooksAlive());
  EXPECT_EQ(connection.Ping(Soon()), absl::OkStatus());
  const auto rows = Rows(connection, "SELECT id FROM %t WHERE id = $1", {std::int64_t{-17}});
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_TRUE(rows->empty());
}

// Values.

TEST_P(ConnectorContract, BringsEveryKindOfValueThereAndBack) {
  const std::vector<Value> given = {std::int64_t{1},
                                    true,
                                    std::int64_t{-5},
                                    0.1,
                                    std::string("Grüße, 世界 'quoted' \"too\"\n"),
                                    Bytes{std::string("\0\x01\xff\0", 4)}};
  ASSERT_TRUE(Run(writer(), "INSERT INTO %t VALUES ($1, $2, $3, $4, $5, $6)", given).ok());
  const auto rows = Rows(writer(), "SELECT id, b, i, d, s, y FROM %t");
  ASSERT_TRUE(rows.ok()) << rows.status();
  std::vector<Value> expected = given;
  if (!dialect().has_booleans) expected[1] = std::int64_t{1};
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ(rows->at(0), expected);
}

// T49
TEST_P(ConnectorContract, TellsNullFromEmpty) {
  ASSERT_TRUE(Run(writer(), "INSERT INTO %t (id, s, y) VALUES (1, $1, $2)", {Null{}, Null{}}).ok());
  ASSERT_TRUE(
      Run(writer(), "INSERT INTO %t (id, s, y) VALUES (2, $1, $2)", {std::string(), Bytes{}}).ok());
  const auto rows = Rows(writer(), "SELECT s, y FROM %t ORDER BY id");
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->at(0), (std::vector<Value>{Null{}, Null{}}));
  EXPECT_EQ(rows->at(1), (std::vector<Value>{std::string(), Bytes{}}));
}

// T50
TEST_P(ConnectorContract, KeepsIntegersAtTheirLimits) {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  ASSERT_TRUE(
      Run(writer(), "INSERT INTO %t (id, i) VALUES (1, $1), (2, $2)", {kLeast, kMost}).ok());
  const auto rows = Rows(writer(), "SELECT i FROM %t ORDER BY id");
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->at(0).at(0), Value(kLeast));
  EXPECT_EQ(rows->at(1).at(0), Value(kMost));
}

// T52
TEST_P(ConnectorContract, KeepsEveryBitOfADouble) {
  const std::vector<double> numbers = {0.1,
                                       -0.0,
                                       1.0 / 3.0,
                                       std::numeric_limits<double>::max(),
                                       std::numeric_limits<double>::min(),
                                       std::numeric_limits<double>::denorm_min(),
                                       std::numeric_limits<double>::infinity(),
                                       -std::numeric_limits<double>::infinity(),
                                       9007199254740993.0};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto done = Run(writer(), "INSERT INTO %t (id, d) VALUES ($1, $2)",
                          {static_cast<std::int64_t>(i), numbers[i]});
    ASSERT_TRUE(done.ok()) << done.status();
  }
  const auto rows = Rows(writer(), "SELECT d FROM %t ORDER BY id");
  ASSERT_TRUE(rows.ok()) << rows.status();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const double got = std::get<double>(rows->at(i).at(0));
    EXPECT_EQ(got, numbers[i]);
    EXPECT_EQ(std::signbit(got), std::signbit(numbers[i]));
  }
}

TEST_P(ConnectorContract, KeepsNotANumberOrRefusesIt) {
  const auto done = Run(writer(), "INSERT INTO %t (id, d) VALUES (1, $1)",
                        {std::numeric_limits<double>::quiet_NaN()});
  if (!dialect().has_nan) {
    EXPECT_EQ(done.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(DetailOf(done.status()).field, "statement.parameters[0]");
    EXPECT_EQ(CountRows(writer()), 0);
    return;
  }
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_TRUE(std::isnan(std::get<double>(Rows(writer(), "SELECT d FROM %t")->at(0).at(0))));
}

// T54
TEST_P(ConnectorContract, KeepsAllBytes) {
  std::string all;
  for (int round = 0; round < 300; ++round) {
    for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  }
  ASSERT_TRUE(Run(writer(), "INSERT INTO %t (id, y) VALUES (1, $1)", {Bytes{all}}).ok());
  const auto rows = Rows(writer(), "SELECT y FROM %t");
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_TRUE(std::get<Bytes>(rows->at(0).at(0)).data == all);
}

// T54
TEST_P(ConnectorContract, RefusesTextThatCannotBeText) {
  for (const std::string& text : {std::string("a\0b", 3), std::string("\xff\xfe"),
                                  std::string("\xed\xa0\x80"), std::string("\xc0\x80")}) {
    const auto done =
        Run(writer(), "INSERT INTO %t (id, i, s) VALUES (1, $1, $2)", {std::int64_t{7}, text});
    EXPECT_EQ(done.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(DetailOf(done.status()).field, "statement.parameters[1]");
    EXPECT_THAT(std::string(done.status().message()), HasSubstr("parameters[1]"));
  }
  EXPECT_EQ(CountRows(writer()), 0);
  ExpectUsable(writer());
}

// T58
TEST_P(ConnectorContract, KeepsColumnsWithTheSameNameApart) {
  CollectingSink sink;
  ASSERT_TRUE(
      writer().Execute({.sql = "SELECT 1 AS a, 2 AS a, 3 AS \"B c\""}, {}, Soon(), sink).ok());
  ASSERT_EQ(sink.columns.size(), 3U);
  EXPECT_EQ(sink.columns[0].name, "a");
  EXPECT_EQ(sink.columns[1].name, "a");
  EXPECT_EQ(sink.columns[2].name, "B c");
  EXPECT_EQ(sink.rows,
            (std::vector<std::vector<Value>>{{std::int64_t{1}, std::int64_t{2}, std::int64_t{3}}}));
}

TEST_P(ConnectorContract, GivesTheColumnsOfAnEmptyResultOnceAndNoneWithoutAResult) {
  CollectingSink sink;
  ASSERT_TRUE(writer().Execute(Make("SELECT id, s FROM %t"), {}, Soon(), sink).ok());
  EXPECT_EQ(sink.times_columns_given, 1);
  EXPECT_EQ(sink.columns.size(), 2U);
  CollectingSink none;
  ASSERT_TRUE(writer().Execute(Make("INSERT INTO %t (id) VALUES (1)"), {}, Soon(), none).ok());
  EXPECT_EQ(none.times_columns_given, 0);
}

TEST_P(ConnectorContract, TakesATypeForAParameterOrRefusesTheField) {
  CollectingSink sink;
  Statement statement = Make("SELECT $1", {std::string("42")});
  statement.parameter_types = {"int8"};
  const auto done = writer().Execute(statement, {}, Soon(), sink);
  if (dialect().has_parameter_types) {
    ASSERT_TRUE(done.ok()) << done.status();
    EXPECT_EQ(sink.rows.at(0).at(0), Value(std::int64_t{42}));
    statement.parameter_types = {"int8", "int8"};
    EXPECT_EQ(writer().Execute(statement, {}, Soon(), sink).status().code(),
              absl::StatusCode::kInvalidArgument);
  } else {
    EXPECT_EQ(done.status().code(), absl::StatusCode::kInvalidArgument);
  }
}

// Statements.

TEST_P(ConnectorContract, SaysWhatAStatementDidToHowManyRows) {
  const auto inserted = Run(writer(), "INSERT INTO %t (id) VALUES (1), (2), (3)");
  ASSERT_TRUE(inserted.ok()) << inserted.status();
  EXPECT_EQ(inserted->command, "INSERT");
  EXPECT_EQ(inserted->rows_affected, 3);
  const auto updated = Run(writer(), "UPDATE %t SET i = 1 WHERE id > 1");
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ(updated->command, "UPDATE");
  EXPECT_EQ(updated->rows_affected, 2);
  const auto nothing = Run(writer(), "DELETE FROM %t WHERE id = 77");
  ASSERT_TRUE(nothing.ok()) << nothing.status();
  EXPECT_EQ(nothing->command, "DELETE");
  EXPECT_EQ(nothing->rows_affected, 0);
  const auto selected = Run(writer(), "SELECT id FROM %t");
  ASSERT_TRUE(selected.ok()) << selected.status();
  EXPECT_EQ(selected->command, "SELECT");
  EXPECT_EQ(selected->rows_affected, 3);
}

TEST_P(ConnectorContract, GivesTheRowsThatAWriteReturns) {
  CollectingSink sink;
  const auto done = writer().Execute(
      Make("INSERT INTO %t (id, s) VALUES (5, 'five'), (6, 'six') RETURNING id"), {}, Soon(), sink);
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(done->command, "INSERT");
  EXPECT_EQ(done->rows_affected, 2);
  EXPECT_EQ(sink.rows.size(), 2U);
  EXPECT_EQ(CountRows(*OpenReader()), 2);
}

// T22, T70
TEST_P(ConnectorContract, RefusesASecondStatementAndRunsNeither) {
  for (const char* sql :
       {"INSERT INTO %t (id) VALUES (1); INSERT INTO %t (id) VALUES (2)",
        "INSERT INTO %t (id) VALUES (1); COMMIT", "SELECT 1; INSERT INTO %t (id) VALUES (2)"}) {
    const auto done = Run(writer(), sql);
    EXPECT_EQ(done.status().code(), absl::StatusCode::kInvalidArgument) << sql;
  }
  EXPECT_EQ(CountRows(writer()), 0);
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, AllowsASemicolonAndACommentAtTheEnd) {
  EXPECT_TRUE(Run(writer(), "INSERT INTO %t (id) VALUES (1);").ok());
  EXPECT_TRUE(Run(writer(), "INSERT INTO %t (id) VALUES (2); -- done").ok());
  EXPECT_EQ(CountRows(writer()), 2);
}

// T20
TEST_P(ConnectorContract, RefusesTransactionControlAsText) {
  for (const char* sql :
       {"BEGIN", "/* a */ commit;", "rollback", "SAVEPOINT a", "RELEASE a", "END"}) {
    const auto done = Run(writer(), sql);
    EXPECT_EQ(done.status().code(), absl::StatusCode::kInvalidArgument) << sql;
    EXPECT_EQ(DetailOf(done.status()).reason, "TRANSACTION_CONTROL") << sql;
    ExpectUsable(writer());
  }
  ASSERT_EQ(writer().Begin({}, {}, Soon()), absl::OkStatus());
  ASSERT_TRUE(Run(writer(), "INSERT INTO %t (id) VALUES (1)").ok());
  EXPECT_EQ(Run(writer(), "COMMIT").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(writer().transaction_state(), TransactionState::kOpen);
  EXPECT_EQ(writer().RollBack(Soon()), absl::OkStatus());
  EXPECT_EQ(CountRows(writer()), 0);
}

TEST_P(ConnectorContract, RefusesAStatementThatIsNone) {
  for (const char* sql : {"", "   ", "-- only a comment", ";"}) {
    EXPECT_EQ(Run(writer(), sql).status().code(), absl::StatusCode::kInvalidArgument) << sql;
  }
  EXPECT_EQ(Run(writer(), std::string("SELECT 1\0", 9)).status().code(),
            absl::StatusCode::kInvalidArgument);
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, RefusesAWrongNumberOfParameters) {
  EXPECT_EQ(Run(writer(), "SELECT id FROM %t WHERE id = $1").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Run(writer(), "SELECT id FROM %t", {std::int64_t{1}}).status().code(),
            absl::StatusCode::kInvalidArgument);
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, IsUsableAfterAnError) {
  EXPECT_EQ(Run(writer(), "SELEC 1").status().code(), absl::StatusCode::kInvalidArgument);
  ExpectUsable(writer());
  EXPECT_EQ(Run(writer(), "SELECT * FROM no_such_table").status().code(),
            absl::StatusCode::kNotFound);
  ExpectUsable(writer());
}

// T67
TEST_P(ConnectorContract, RefusesWritesInAReadOnlyStatement) {
  CollectingSink sink;
  const auto done = writer().Execute(Make("INSERT INTO %t (id) VALUES (1)"),
                                     {.access = Access::kReadOnly}, Soon(), sink);
  EXPECT_EQ(done.status().code(), absl::StatusCode::kFailedPrecondition) << done.status();
  EXPECT_EQ(CountRows(writer()), 0);
  const auto read =
      writer().Execute(Make("SELECT id FROM %t"), {.access = Access::kReadOnly}, Soon(), sink);
  EXPECT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(Run(writer(), "INSERT INTO %t (id) VALUES (1)").ok());
}

TEST_P(ConnectorContract, NamesTheRuleThatAWriteBreaks) {
  ASSERT_TRUE(Run(writer(), "INSERT INTO %t (id) VALUES (1)").ok());
  const auto again = Run(writer(), "INSERT INTO %t (id) VALUES (1)");
  EXPECT_EQ(again.status().code(), absl::StatusCode::kAlreadyExists) << again.status();
  const ErrorDetail detail = DetailOf(again.status());
  EXPECT_EQ(detail.sqlstate, dialect().unique_violation);
  EXPECT_EQ(detail.outcome, Outcome::kNothingDone);
  if (dialect().names_constraint) {
    EXPECT_EQ(detail.constraint, Sql("%t_pkey"));
  }
  EXPECT_EQ(CountRows(writer()), 1);
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, TellsNotNullAndCheckApartFromBadInput) {
  const std::string other = Sql("%t_rules");
  ASSERT_TRUE(Run(writer(), absl::StrFormat("CREATE TABLE %s (a %s NOT NULL, c %s CHECK (c > 0))",
                                            other, dialect().int_type, dialect().int_type))
                  .ok());
  const auto null = Run(writer(), absl::StrFormat("INSERT INTO %s VALUES (NULL, 1)", other));
  EXPECT_EQ(null.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(DetailOf(null.status()).sqlstate, dialect().not_null_violation);
  const auto check = Run(writer(), absl::StrFormat("INSERT INTO %s VALUES (1, 0)", other));
  EXPECT_EQ(check.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(DetailOf(check.status()).sqlstate, dialect().check_violation);
  EXPECT_TRUE(Run(writer(), absl::StrFormat("DROP TABLE %s", other)).ok());
}

// Transactions.

TEST_P(ConnectorContract, ShowsATransactionToOthersOnlyOnceItIsCommitted) {
  const auto reader = OpenReader();
  ASSERT_EQ(writer().Begin({}, {}, Soon()), absl::OkStatus());
  EXPECT_EQ(writer().transaction_state(), TransactionState::kOpen);
  ASSERT_TRUE(Run(writer(), "INSERT INTO %t (id) VALUES (1)").ok());
  EXPECT_EQ(CountRows(writer()), 1);
  EXPECT_EQ(CountRows(*reader), 0);
  ASSERT_EQ(writer().Commit(Soon()), absl::OkStatus());
  EXPECT_EQ(writer().transaction_state(), TransactionState::kIdle);
  EXPECT_EQ(CountRows(*reader), 1);
}

TEST_P(ConnectorContract, UndoesAllOfATransactionOnRollBack) {
  ASSERT_EQ(writer().Begin({}, {}, Soon()), absl::OkStatus());
  ASSERT_TRUE(Run(writer(), "INSERT INTO %t (id) VALUES (1)").ok());
  EXPECT_EQ(writer().RollBack(Soon()), absl::OkStatus());
  EXPECT_EQ(CountRows(*OpenReader()), 0);
  EXPECT_EQ(writer().RollBack(Soon()), absl::OkStatus());  // without one
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, RefusesWritesInAReadOnlyTransaction) {
  ASSERT_EQ(writer().Begin({.access = Access::kReadOnly}, {}, Soon()), absl::OkStatus());
  EXPECT_EQ(Run(writer(), "INSERT INTO %t (id) VALUES (1)").status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(writer().RollBack(Soon()), absl::OkStatus());
  EXPECT_EQ(CountRows(writer()), 0);
  EXPECT_TRUE(Run(writer(), "INSERT INTO %t (id) VALUES (1)").ok());
}

// T13
TEST_P(ConnectorContract, NeverCommitsATransactionInWhichAStatementFailed) {
  ASSERT_EQ(writer().Begin({}, {}, Soon()), absl::OkStatus());
  ASSERT_TRUE(Run(writer(), "INSERT INTO %t (id) VALUES (1)").ok());
  EXPECT_EQ(Run(writer(), "INSERT INTO %t (id) VALUES (1)").status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(writer().transaction_state(), TransactionState::kFailed);
  EXPECT_EQ(Run(writer(), "INSERT INTO %t (id) VALUES (2)").status().code(),
            absl::StatusCode::kAborted);
  EXPECT_EQ(writer().Commit(Soon()).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(CountRows(writer()), 0);
  ExpectUsable(writer());
}

// Stopping.

// T27: what is left of the rows is drained, and is nobody's answer later.
TEST_P(ConnectorContract, StopsForASinkThatIsFull) {
  CollectingSink sink;
  sink.refuse_from_row = 4;
  const auto done = writer().Execute(
      {.sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) "
              "SELECT i FROM n"},
      {}, Soon(), sink);
  EXPECT_EQ(done.status().code(), absl::StatusCode::kResourceExhausted) << done.status();
  EXPECT_EQ(done.status().message(), "the sink is full");
  EXPECT_EQ(sink.rows.size(), 3U);
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, UndoesAWriteWhoseRowsTheSinkRefuses) {
  CollectingSink sink;
  sink.refuse_from_row = 2;
  const auto done = writer().Execute(Make("INSERT INTO %t (id) VALUES (1), (2), (3) RETURNING id"),
                                     {}, Soon(), sink);
  EXPECT_EQ(done.status().code(), absl::StatusCode::kResourceExhausted) << done.status();
  EXPECT_EQ(CountRows(writer()), 0);
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, LeavesOnlyRollingBackWhenASinkRefusesInATransaction) {
  ASSERT_EQ(writer().Begin({}, {}, Soon()), absl::OkStatus());
  CollectingSink sink;
  sink.refuse_from_row = 1;
  EXPECT_EQ(writer()
                .Execute(Make("INSERT INTO %t (id) VALUES (1) RETURNING id"), {}, Soon(), sink)
                .status()
                .code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(writer().transaction_state(), TransactionState::kFailed);
  EXPECT_EQ(writer().Commit(Soon()).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(CountRows(writer()), 0);
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, EndsAtTheDeadline) {
  const Instant start = Clock::Real().Now();
  CollectingSink sink;
  const auto done =
      writer().Execute({.sql = dialect().endless_sql}, {}, Within(milliseconds(200)), sink);
  EXPECT_EQ(done.status().code(), absl::StatusCode::kDeadlineExceeded) << done.status();
  EXPECT_EQ(DetailOf(done.status()).stage, Stage::kRunning);
  const Duration took = Clock::Real().Now() - start;
  EXPECT_GE(took, milliseconds(195));
  EXPECT_LT(took, milliseconds(200) + kGrace);
  ExpectUsable(writer());
}

// T5
TEST_P(ConnectorContract, RunsNothingOnceTheDeadlineHasPassed) {
  CollectingSink sink;
  const auto done =
      writer().Execute(Make("INSERT INTO %t (id) VALUES (1)"), {}, Within(milliseconds(-1)), sink);
  EXPECT_EQ(done.status().code(), absl::StatusCode::kDeadlineExceeded) << done.status();
  EXPECT_EQ(DetailOf(done.status()).outcome, Outcome::kNothingDone);
  EXPECT_EQ(CountRows(writer()), 0);
}

TEST_P(ConnectorContract, EndsWhenItIsToldToStop) {
  for (const auto& [reason, code] : kStopCases) {
    StopSignal stop;
    const StopReason why = reason;
    std::thread stopper([&stop, why] {
      std::this_thread::sleep_for(milliseconds(100));
      stop.Raise(why);
    });
    const Instant start = Clock::Real().Now();
    CollectingSink sink;
    const auto done =
        writer().Execute({.sql = dialect().endless_sql}, {}, Within(seconds(60), &stop), sink);
    stopper.join();
    EXPECT_EQ(done.status().code(), code) << done.status();
    EXPECT_LT(Clock::Real().Now() - start, kGrace);
    ExpectUsable(writer());
  }
}

TEST_P(ConnectorContract, RunsNothingOnceItWasToldToStop) {
  StopSignal stop;
  stop.Raise(StopReason::kCallerLeft);
  CollectingSink sink;
  const auto done = writer().Execute(Make("INSERT INTO %t (id) VALUES (1)"), {},
                                     Within(seconds(10), &stop), sink);
  EXPECT_EQ(done.status().code(), absl::StatusCode::kCancelled) << done.status();
  EXPECT_EQ(CountRows(writer()), 0);
  ExpectUsable(writer());
}

// Batches.

TEST_P(ConnectorContract, RunsABatchAsOneTransaction) {
  CollectingBatchSink sink;
  const std::vector<GuardedStatement> batch = {
      {Make("INSERT INTO %t (id, s) VALUES (1, $1), (2, $1)", {std::string("x")}), 2},
      {Make("UPDATE %t SET i = 5 WHERE id = 2"), 1},
      {Make("SELECT id, i FROM %t ORDER BY id"), std::nullopt}};
  ASSERT_EQ(writer().ExecuteBatch(batch, {}, {}, Soon(), sink), absl::OkStatus());
  EXPECT_EQ(sink.completed[0].second.command, "INSERT");
  EXPECT_EQ(sink.completed[0].second.rows_affected, 2);
  EXPECT_EQ(sink.completed[2].second.rows_affected, 2);
  EXPECT_EQ(sink.sinks[2].rows.at(1), (std::vector<Value>{std::int64_t{2}, std::int64_t{5}}));
  EXPECT_EQ(CountRows(*OpenReader()), 2);
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, ChangesNothingWhenABatchMissesAPromise) {
  CollectingBatchSink sink;
  const std::vector<GuardedStatement> batch = {{Make("INSERT INTO %t (id) VALUES (1)"), 1},
                                               {Make("UPDATE %t SET i = 1 WHERE id = 77"), 1},
                                               {Make("INSERT INTO %t (id) VALUES (2)"), 1}};
  const absl::Status status = writer().ExecuteBatch(batch, {}, {}, Soon(), sink);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_EQ(DetailOf(status).reason, "ROWS_MISMATCH");
  EXPECT_EQ(DetailOf(status).statement, 1);
  EXPECT_EQ(CountRows(writer()), 0);
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, KeepsThePromisesOfABatchThatIsDeclaredReadOnly) {
  ASSERT_TRUE(Run(writer(), "INSERT INTO %t (id) VALUES (1), (2)").ok());
  const auto reader = OpenReader();
  const TransactionOptions declared = {.access = Access::kReadOnly};
  const RunOptions options = {.access = Access::kReadOnly};
  const GuardedStatement all = {Make("SELECT id FROM %t ORDER BY id"), 2};
  const GuardedStatement one = {Make("SELECT id FROM %t WHERE id = $1", {std::int64_t{2}}), 1};
  for (int i = 0; i < 3; ++i) {
    CollectingBatchSink sink;
    const std::vector<GuardedStatement> batch = {all, one, one};
    ASSERT_EQ(reader->ExecuteBatch(batch, declared, options, Soon(), sink), absl::OkStatus());
    ASSERT_EQ(sink.completed.size(), 3U);
    EXPECT_EQ(sink.sinks[0].rows.size(), 2U);
    EXPECT_EQ(sink.sinks[2].rows.at(0).at(0), Value(std::int64_t{2}));
  }
  CollectingBatchSink sink;
  const std::vector<GuardedStatement> missed = {all, {one.statement, 7}, one};
  absl::Status status = reader->ExecuteBatch(missed, declared, options, Soon(), sink);
  EXPECT_EQ(DetailOf(status).reason, "ROWS_MISMATCH") << status;
  EXPECT_EQ(DetailOf(status).statement, 1);
  const std::vector<GuardedStatement> writing = {all, {Make("DELETE FROM %t"), std::nullopt}};
  status = reader->ExecuteBatch(writing, declared, options, Soon(), sink);
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(CountRows(writer()), 2);
  EXPECT_EQ(CountRows(*reader), 2);
}

TEST_P(ConnectorContract, SaysWhichStatementOfABatchFailedAndChangesNothing) {
  CollectingBatchSink sink;
  const std::vector<GuardedStatement> batch = {
      {Make("INSERT INTO %t (id) VALUES (1)"), std::nullopt},
      {Make("INSERT INTO %t (id) VALUES (1)"), std::nullopt},
      {Make("INSERT INTO %t (id) VALUES (3)"), std::nullopt}};
  const absl::Status status = writer().ExecuteBatch(batch, {}, {}, Soon(), sink);
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists) << status;
  EXPECT_EQ(DetailOf(status).statement, 1);
  EXPECT_EQ(CountRows(writer()), 0);
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, RefusesABatchWithTransactionControlBeforeItRunsAnything) {
  CollectingBatchSink sink;
  const std::vector<GuardedStatement> batch = {
      {Make("INSERT INTO %t (id) VALUES (1)"), std::nullopt}, {Make("COMMIT"), std::nullopt}};
  const absl::Status status = writer().ExecuteBatch(batch, {}, {}, Soon(), sink);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_EQ(DetailOf(status).statement, 1);
  EXPECT_EQ(CountRows(writer()), 0);
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, EndsABatchAtTheDeadlineAndChangesNothing) {
  CollectingBatchSink sink;
  const std::vector<GuardedStatement> batch = {
      {Make("INSERT INTO %t (id) VALUES (1)"), std::nullopt},
      {Make(dialect().endless_sql), std::nullopt}};
  const absl::Status status = writer().ExecuteBatch(batch, {}, {}, Within(milliseconds(200)), sink);
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_EQ(CountRows(writer()), 0);
  ExpectUsable(writer());
}

// T40
TEST_P(ConnectorContract, HasNothingToResetAfterOrdinaryStatements) {
  ASSERT_TRUE(Run(writer(), "INSERT INTO %t (id) VALUES (1)").ok());
  EXPECT_FALSE(Run(writer(), "INSERT INTO %t (id) VALUES (1)").ok());
  ASSERT_EQ(writer().Begin({}, {.identity = "cad"}, Soon()), absl::OkStatus());
  ASSERT_TRUE(Run(writer(), "UPDATE %t SET s = 'x'").ok());
  ASSERT_EQ(writer().Commit(Soon()), absl::OkStatus());
  EXPECT_FALSE(writer().session_changed());
  EXPECT_EQ(writer().ResetSession(Soon()), absl::OkStatus());
  ExpectUsable(writer());
}

}  // namespace emsdb
