// Roles, transactions and their ends, as SQLite has them.
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <thread>

#include "tests/contract/sqlite_fixture.h"
#include "tests/support/fake_clock.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::Not;

class SqliteWithATable : public SqliteFixture {
 protected:
  SqliteWithATable() { EXPECT_THAT(Run(*writer_, "CREATE TABLE t (a INTEGER UNIQUE)"), IsOk()); }

  Value Count(Connection& connection) { return Single(connection, "SELECT count(*) FROM t"); }

  std::unique_ptr<Connection> writer_ = Open(SqliteRole::kWriter);
  std::unique_ptr<Connection> reader_ = Open(SqliteRole::kReader);
};
using SqliteRoles = SqliteWithATable;
using SqliteTransactions = SqliteWithATable;
using SqliteStops = SqliteWithATable;
using SqliteLocks = SqliteWithATable;

// T67
TEST_F(SqliteRoles, AReaderSendsEveryWriteToTheWriterAndRunsNothing) {
  for (const char* sql :
       {"INSERT INTO t VALUES (1)", "WITH x AS (SELECT 1) DELETE FROM t", "CREATE TABLE u (a)",
        "INSERT INTO t VALUES (1) RETURNING a", "DROP TABLE t", "ANALYZE"}) {
    EXPECT_TRUE(IsNeedsWriter(Run(*reader_, sql).status())) << sql;
  }
  EXPECT_TRUE(IsNeedsWriter(reader_->Begin({}, {}, {})));
  CollectingBatchSink sink;
  EXPECT_TRUE(IsNeedsWriter(reader_->ExecuteBatch({}, {}, {}, {}, sink)));
  EXPECT_EQ(reader_->transaction_state(), TransactionState::kIdle);
  EXPECT_EQ(Count(*reader_), Int(0));
}

// T67
TEST_F(SqliteRoles, RefuseAWriteThatIsToBeReadOnly) {
  for (Connection* connection : {writer_.get(), reader_.get()}) {
    CollectingSink sink;
    const auto done = connection->Execute({.sql = "WITH x AS (SELECT 1) INSERT INTO t SELECT 1"},
                                          {.access = Access::kReadOnly}, {}, sink);
    EXPECT_THAT(done,
                AllOf(StatusIs(absl::StatusCode::kFailedPrecondition), HasReason("READ_ONLY")));
    ASSERT_THAT(connection->Begin({.access = Access::kReadOnly}, {}, {}), IsOk());
    EXPECT_THAT(Run(*connection, "INSERT INTO t VALUES (1)"), HasReason("READ_ONLY"));
    EXPECT_THAT(connection->RollBack({}), IsOk());
  }
  EXPECT_THAT(Run(*writer_, "INSERT INTO t VALUES (1)"), IsOk());  // nothing is left over
}

TEST_F(SqliteRoles, AReaderKeepsItsViewWhileTheWriterGoesOn) {
  ASSERT_THAT(reader_->Begin({.access = Access::kReadOnly}, {}, {}), IsOk());
  EXPECT_EQ(Count(*reader_), Int(0));
  ASSERT_THAT(Run(*writer_, "INSERT INTO t VALUES (1)"), IsOk());
  EXPECT_EQ(Count(*reader_), Int(0));
  ASSERT_THAT(reader_->Commit({}), IsOk());
  EXPECT_EQ(Count(*reader_), Int(1));
}

TEST_F(SqliteRoles, ReadersNeverSeeHalfOfWhatAWriterDoes) {
  std::atomic<bool> done{false};
  const auto read = [&] {
    const auto reader = Open(SqliteRole::kReader);
    while (!done) EXPECT_EQ(std::get<std::int64_t>(Count(*reader)) % 2, 0);
  };
  std::thread first(read);
  std::thread second(read);
  for (std::int64_t i = 0; i < 200; i += 2) {
    ASSERT_THAT(writer_->Begin({}, {}, {}), IsOk());
    ASSERT_THAT(Run(*writer_, "INSERT INTO t VALUES ($1)", {i}), IsOk());
    ASSERT_THAT(Run(*writer_, "INSERT INTO t VALUES ($1)", {i + 1}), IsOk());
    ASSERT_THAT(writer_->Commit({}), IsOk());
  }
  done = true;
  first.join();
  second.join();
  EXPECT_EQ(Count(*reader_), Int(200));
}

TEST_F(SqliteRoles, ReadsTheColumnsThatAnotherConnectionAdded) {
  EXPECT_THAT(Rows(*reader_, "SELECT * FROM t"), IsEmpty());
  ASSERT_THAT(Run(*writer_, "ALTER TABLE t ADD COLUMN b TEXT DEFAULT 'x'"), IsOk());
  ASSERT_THAT(Run(*writer_, "INSERT INTO t (a) VALUES (1)"), IsOk());
  EXPECT_THAT(Rows(*reader_, "SELECT * FROM t"), ElementsAre(Row{Int(1), Text("x")}));
}

// What SQLite by itself would keep.
TEST_F(SqliteTransactions, LeaveNothingOfAWriteWhoseRowsAreRefused) {
  CollectingSink sink;
  sink.refuse_from_row = 2;
  EXPECT_THAT(
      writer_->Execute({.sql = "INSERT INTO t VALUES (1), (2), (3) RETURNING a"}, {}, {}, sink),
      StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(sink.rows.size(), 1U);
  EXPECT_EQ(Count(*reader_), Int(0));
  sink.columns_answer = absl::CancelledError("no columns either");
  EXPECT_THAT(writer_->Execute({.sql = "INSERT INTO t VALUES (1) RETURNING a"}, {}, {}, sink),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(Count(*writer_), Int(0));
}

TEST_F(SqliteTransactions, LeaveNothingOfAWriteThatKeepsItsRowsWhenItFails) {
  ASSERT_THAT(Run(*writer_, "INSERT INTO t VALUES (3)"), IsOk());
  EXPECT_THAT(Run(*writer_, "INSERT OR FAIL INTO t VALUES (1), (2), (3)"),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(Count(*reader_), Int(1));
}

// T13
TEST_F(SqliteTransactions, FreeTheFileAsSoonAsTheyHaveFailed) {
  const auto other = Open(SqliteRole::kWriter);
  ASSERT_THAT(writer_->Begin({}, {}, {}), IsOk());
  ASSERT_THAT(Run(*writer_, "INSERT INTO t VALUES (1)"), IsOk());
  EXPECT_THAT(Run(*other, "INSERT INTO t VALUES (7)"), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Run(*writer_, "INSERT OR ROLLBACK INTO t VALUES (1)"),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(writer_->transaction_state(), TransactionState::kFailed);
  EXPECT_THAT(Run(*other, "INSERT INTO t VALUES (7)"), IsOk());
  EXPECT_THAT(Run(*writer_, "INSERT INTO t VALUES (8)"), HasReason("TX_FAILED"));
  EXPECT_THAT(writer_->Commit({}), HasReason("TX_ROLLED_BACK"));
  EXPECT_EQ(writer_->transaction_state(), TransactionState::kIdle);
  EXPECT_THAT(Rows(*reader_, "SELECT a FROM t"), ElementsAre(Row{Int(7)}));
}

// T13: SQLite ends some transactions by itself, the savepoints with the rest.
TEST_F(SqliteTransactions, AreNotRevivedOnceSqliteHasRolledThemBack) {
  const auto other = Open(SqliteRole::kWriter);
  const SavepointAction back{SavepointVerb::kRollBackTo, "a"};
  for (const char* sql :
       {"INSERT OR ROLLBACK INTO t VALUES (1)",
        "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 9 UNION ALL SELECT i + 1 FROM n) "
        "SELECT i FROM n"}) {
    ASSERT_THAT(writer_->Begin({}, {}, {}), IsOk());
    ASSERT_THAT(Run(*writer_, "INSERT INTO t VALUES (1)"), IsOk());
    ASSERT_THAT(writer_->Savepoint({SavepointVerb::kSet, "a"}, {}), IsOk());
    const Instant soon = Clock::Real().Now() + std::chrono::milliseconds(100);
    EXPECT_THAT(Run(*writer_, sql, {}, {.deadline = soon}), Not(IsOk()));
    EXPECT_EQ(writer_->transaction_state(), TransactionState::kFailed);
    EXPECT_THAT(Run(*other, "DELETE FROM t"), IsOk()) << sql;
    EXPECT_THAT(writer_->Savepoint(back, {}), HasReason("TX_FAILED"));
    EXPECT_EQ(writer_->transaction_state(), TransactionState::kFailed);
    EXPECT_THAT(writer_->Commit({}), HasReason("TX_ROLLED_BACK"));
    EXPECT_EQ(Count(*reader_), Int(0));
  }
}

TEST_F(SqliteTransactions, SayWhenACommitBreaksADeferredRule) {
  ASSERT_THAT(Run(*writer_, "CREATE TABLE u (a REFERENCES t (a) DEFERRABLE INITIALLY DEFERRED)"),
              IsOk());
  EXPECT_THAT(Run(*writer_, "INSERT INTO u VALUES (5)"),
              AllOf(StatusIs(absl::StatusCode::kFailedPrecondition),
                    HasDetail(Field(&ErrorDetail::stage, Stage::kCommitting)),
                    HasDetail(Field(&ErrorDetail::outcome, Outcome::kNothingDone))));
  ASSERT_THAT(writer_->Begin({}, {}, {}), IsOk());
  ASSERT_THAT(Run(*writer_, "INSERT INTO u VALUES (5)"), IsOk());
  EXPECT_THAT(writer_->Commit({}), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(writer_->transaction_state(), TransactionState::kIdle);
  EXPECT_EQ(Single(*writer_, "SELECT count(*) FROM u"), Int(0));
}

// While it lives, no file may grow beyond its size: writing to the log fails.
class NoGrowth {
 public:
  explicit NoGrowth(std::uintmax_t size) {
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = size;
    setrlimit(RLIMIT_FSIZE, &limit);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
  }
  ~NoGrowth() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  NoGrowth(const NoGrowth&) = delete;
  NoGrowth& operator=(const NoGrowth&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

// T14
TEST_F(SqliteTransactions, AreInDoubtWhenTheDiskFailsDuringACommit) {
  absl::Status status;
  {
    const NoGrowth full(std::filesystem::file_size(file() + "-wal"));
    status = Run(*writer_, "INSERT INTO t VALUES (1)").status();
  }
  EXPECT_THAT(status, AllOf(StatusIs(absl::StatusCode::kUnknown), HasReason("COMMIT_IN_DOUBT"),
                            HasDetail(Field(&ErrorDetail::outcome, Outcome::kUnknown))));
  EXPECT_TRUE(writer_->broken());
  EXPECT_THAT(Run(*writer_, "SELECT 1"), HasReason("CONNECTION_UNAVAILABLE"));
  EXPECT_THAT(Run(*Open(SqliteRole::kWriter), "INSERT INTO t VALUES (2)"), IsOk());
}

TEST_F(SqliteTransactions, CheckAllPromisesOfABatchBeforeTheyCommit) {
  CollectingBatchSink sink;
  const std::vector<GuardedStatement> batch = {
      {.statement = {.sql = "INSERT INTO t VALUES (1), (2)"}, .expect_rows = 2},
      {.statement = {.sql = "SELECT a FROM t WHERE a > 1"}, .expect_rows = 1},
      {.statement = {.sql = "DELETE FROM t WHERE a > 7"}, .expect_rows = 1}};
  EXPECT_THAT(writer_->ExecuteBatch(batch, {}, {}, {}, sink),
              AllOf(HasReason("ROWS_MISMATCH"), HasDetail(Field(&ErrorDetail::statement, 2))));
  EXPECT_EQ(sink.completed.size(), 2U);
  EXPECT_EQ(Count(*reader_), Int(0));
  EXPECT_THAT(writer_->ExecuteBatch(std::span(batch).first(2), {}, {}, {}, sink), IsOk());
  EXPECT_EQ(Count(*reader_), Int(2));
}

TEST_F(SqliteTransactions, RunAReadOnlyBatchOnAReader) {
  CollectingBatchSink sink;
  const std::vector<GuardedStatement> batch = {{.statement = {.sql = "SELECT count(*) FROM t"}},
                                               {.statement = {.sql = "DELETE FROM t"}}};
  const TransactionOptions read_only = {.access = Access::kReadOnly};
  EXPECT_THAT(reader_->ExecuteBatch(std::span(batch).first(1), read_only, {}, {}, sink), IsOk());
  EXPECT_THAT(reader_->ExecuteBatch(batch, read_only, {}, {}, sink),
              AllOf(HasReason("READ_ONLY"), HasDetail(Field(&ErrorDetail::statement, 1))));
}

TEST_F(SqliteTransactions, CannotBeDeferrable) {
  EXPECT_THAT(writer_->Begin({.deferrable = true}, {}, {}),
              HasDetail(Field(&ErrorDetail::field, "options.deferrable")));
}

// T72
TEST_F(SqliteStops, EndARunawayStatementAtItsDeadline) {
  FakeClock clock;
  const auto reader = Open(SqliteRole::kReader, clock);
  const Instant deadline = clock.Now() + seconds(5);
  std::thread time([&] { clock.Advance(seconds(5)); });
  EXPECT_THAT(Run(*reader, kEndless, {}, {.deadline = deadline}), HasReason("DEADLINE"));
  time.join();
  EXPECT_THAT(Run(*reader, "SELECT 1"), IsOk());
}

TEST_F(SqliteStops, EndBetweenRowsToo) {
  FakeClock clock;
  const auto reader = Open(SqliteRole::kReader, clock);
  CollectingSink sink;
  sink.on_row = [&] { clock.Advance(seconds(1)); };
  EXPECT_THAT(
      reader->Execute({.sql = kEndlessRows}, {}, {.deadline = clock.Now() + seconds(3)}, sink),
      HasReason("DEADLINE"));
  EXPECT_EQ(sink.rows.size(), 3U);
}

// T2: what is over when the time is up has not been done at all.
TEST_F(SqliteStops, LeaveNothingOfAWriteThatCameTooLate) {
  FakeClock clock;
  const auto writer = Open(SqliteRole::kWriter, clock);
  CollectingSink sink;
  sink.on_row = [&] { clock.Advance(seconds(5)); };
  EXPECT_THAT(writer->Execute({.sql = "INSERT INTO t VALUES (1) RETURNING a"}, {},
                              {.deadline = clock.Now() + seconds(3)}, sink),
              HasReason("DEADLINE"));
  EXPECT_EQ(Count(*reader_), Int(0));
}

// T72, T1: the signal ends the statement it is raised for, and never the next one.
TEST_F(SqliteStops, HitOnlyTheStatementTheyAreMeantFor) {
  StopSignal stop;
  for (int round = 0; round < 100; ++round) {
    std::thread stopper([&] { stop.Raise(StopReason::kCallerLeft); });
    EXPECT_THAT(Run(*reader_, kEndless, {}, {.stop = &stop}), HasReason("CALLER_LEFT"));
    stopper.join();
    stop.Clear();
    EXPECT_THAT(Run(*reader_, "SELECT count(*) FROM t", {}, {.stop = &stop}), IsOk());
  }
}

// A clock on which a second passes whenever somebody looks: it is always in the middle of the
// statement that the deadline comes.
class ClockThatMovesWhenLookedAt final : public Clock {
 public:
  Instant Now() const override { return now_ += seconds(1); }
  void WaitUntil(Mutex& /*mutex*/, CondVar& /*changed*/, Instant /*deadline*/) override {}

 private:
  mutable Instant now_{std::chrono::hours(1)};
};

TEST_F(SqliteStops, FailTheTransactionTheyFallInto) {
  ClockThatMovesWhenLookedAt clock;
  const auto writer = Open(SqliteRole::kWriter, clock);
  ASSERT_THAT(writer->Begin({}, {}, {}), IsOk());
  ASSERT_THAT(Run(*writer, "INSERT INTO t VALUES (0)"), IsOk());
  EXPECT_THAT(Run(*writer, std::string("INSERT INTO t ") + kEndlessRows, {},
                  {.deadline = clock.Now() + seconds(10)}),
              HasReason("DEADLINE"));
  EXPECT_EQ(writer->transaction_state(), TransactionState::kFailed);
  EXPECT_THAT(writer->Commit({}), HasReason("TX_ROLLED_BACK"));
  EXPECT_EQ(Count(*reader_), Int(0));
}

TEST_F(SqliteStops, KeepATransactionWhoseCommitWasNotSent) {
  FakeClock clock;
  const auto writer = Open(SqliteRole::kWriter, clock);
  ASSERT_THAT(writer->Begin({}, {}, {}), IsOk());
  ASSERT_THAT(Run(*writer, "INSERT INTO t VALUES (1)"), IsOk());
  EXPECT_THAT(writer->Commit({.deadline = clock.Now()}), HasReason("DEADLINE"));
  EXPECT_EQ(writer->transaction_state(), TransactionState::kOpen);
  EXPECT_THAT(writer->RollBack({.deadline = clock.Now()}), IsOk());
  EXPECT_EQ(writer->transaction_state(), TransactionState::kIdle);
}

// T69
TEST_F(SqliteLocks, AreWaitedForAndThenGivenUpWithNothingDone) {
  const auto other = Open(SqliteRole::kWriter);
  ASSERT_THAT(other->Begin({}, {}, {}), IsOk());
  EXPECT_THAT(Run(*writer_, "INSERT INTO t VALUES (1)"),
              AllOf(StatusIs(absl::StatusCode::kUnavailable),
                    HasDetail(Field(&ErrorDetail::retry, Retry::kYes))));
  EXPECT_THAT(writer_->Begin({}, {}, {}), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(writer_->transaction_state(), TransactionState::kIdle);
  EXPECT_EQ(Count(*writer_), Int(0));  // reading waits for nobody
  ASSERT_THAT(other->RollBack({}), IsOk());
  EXPECT_THAT(Run(*writer_, "INSERT INTO t VALUES (1)"), IsOk());
}

// T69
TEST_F(SqliteLocks, AreWaitedForNoLongerThanTheCallLasts) {
  FakeClock clock;
  const auto patient = Open(SqliteRole::kWriter, clock, std::chrono::hours(1));
  ASSERT_THAT(writer_->Begin({}, {}, {}), IsOk());
  StopSignal stop;
  const Instant deadline = clock.Now() + seconds(1);
  std::thread time([&] { clock.Advance(seconds(1)); });
  EXPECT_THAT(Run(*patient, "INSERT INTO t VALUES (1)", {}, {.deadline = deadline}),
              HasReason("DEADLINE"));
  time.join();
  std::thread stopper([&] { stop.Raise(StopReason::kCallerLeft); });
  EXPECT_THAT(Run(*patient, "INSERT INTO t VALUES (1)", {}, {.stop = &stop}),
              HasReason("CALLER_LEFT"));
  stopper.join();
}

// T69: the lock is had when the transaction begins, so that reading first and writing then cannot
// fail for it.
TEST_F(SqliteLocks, AreTakenWhenAWritersTransactionBegins) {
  const auto other = Open(SqliteRole::kWriter);
  ASSERT_THAT(writer_->Begin({}, {}, {}), IsOk());
  EXPECT_EQ(Count(*writer_), Int(0));
  EXPECT_THAT(Run(*other, "INSERT INTO t VALUES (1)"), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Run(*writer_, "INSERT INTO t VALUES (1)"), IsOk());
  EXPECT_THAT(writer_->Commit({}), IsOk());
}

// T73: the log cannot be folded back behind a reader's view, and grows; not a byte longer than
// that.
TEST_F(SqliteTransactions, ThatReadLetTheLogGrowOnlyAsLongAsTheyAreOpen) {
  const auto write = [&] {
    EXPECT_THAT(Run(*writer_, "INSERT INTO t SELECT randomblob(1000000)"), IsOk());
    return std::filesystem::file_size(file() + "-wal");
  };
  ASSERT_THAT(reader_->Begin({.access = Access::kReadOnly}, {}, {}), IsOk());
  EXPECT_EQ(Count(*reader_), Int(0));
  std::uintmax_t grown = 0;
  for (int i = 0; i < 20; ++i) grown = write();
  EXPECT_GT(grown, 20'000'000U);
  EXPECT_EQ(Count(*reader_), Int(0));
  ASSERT_THAT(reader_->Commit({}), IsOk());
  for (int i = 0; i < 40; ++i) EXPECT_LT(write(), grown + 8'000'000U);
  EXPECT_EQ(Count(*reader_), Int(60));
}

// T21
TEST_F(SqliteTransactions, AreNotBegunForVacuumWhereTheCallerSaysSo) {
  const RunOptions unwrapped = {.wrapping = Wrapping::kNone};
  CollectingSink sink;
  const auto run = [&](Connection& connection, const char* sql) {
    return connection.Execute({.sql = sql}, unwrapped, {}, sink);
  };
  EXPECT_THAT(Run(*writer_, "INSERT INTO t SELECT value FROM json_each('[1,2,3]')"), IsOk());
  EXPECT_FALSE(Run(*writer_, "VACUUM").ok());
  const auto done = run(*writer_, " vacuum ; ");
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ(done->command, "VACUUM");
  EXPECT_EQ(Count(*reader_), Int(3));
  EXPECT_TRUE(IsNeedsWriter(run(*reader_, "VACUUM").status()));
  for (const char* other : {"VACUUM INTO 'other.db'", "VACUUM temp", "VACUUM; SELECT 1"}) {
    EXPECT_EQ(run(*writer_, other).status().code(), absl::StatusCode::kPermissionDenied) << other;
  }
  CollectingSink none;
  EXPECT_THAT(
      writer_->Execute({.sql = "VACUUM"},
                       {.access = Access::kReadOnly, .wrapping = Wrapping::kNone}, {}, none),
      HasReason("READ_ONLY"));
  ASSERT_THAT(writer_->Begin({}, {}, {}), IsOk());
  EXPECT_EQ(run(*writer_, "VACUUM").status().code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_THAT(writer_->RollBack({}), IsOk());
  EXPECT_EQ(run(*writer_, "INSERT INTO t VALUES (9)").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Run(*writer_, "ATTACH 'other.db' AS o").status().code(),
            absl::StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace emsdb
