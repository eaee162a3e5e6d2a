// Several callers' reads in one go on a file, none of which may harm another.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <deque>

#include "tests/contract/sqlite_fixture.h"
#include "tests/support/fake_clock.h"
#include "tests/support/grouped_read.h"

namespace emsdb {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

class SqliteGroup : public SqliteFixture {
 protected:
  SqliteGroup() {
    EXPECT_THAT(Run(*writer_, "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)"), IsOk());
    EXPECT_THAT(Run(*writer_, "INSERT INTO t VALUES (1, 'one'), (2, 'two'), (3, 'three')"), IsOk());
  }

  CollectingRead& Add(std::string sql, std::vector<Value> parameters = {}) {
    return reads_.emplace_back(std::move(sql), std::move(parameters));
  }
  void RunGroup(Connection& connection, const Bounds& bounds = {}) {
    std::vector<GroupedRead*> reads;
    for (CollectingRead& read : reads_) reads.push_back(&read);
    connection.ExecuteGroup(reads, bounds);
    for (const CollectingRead& read : reads_) EXPECT_EQ(read.ends, 1) << read.statement().sql;
    EXPECT_EQ(connection.transaction_state(), TransactionState::kIdle);
  }
  void RunGroup() { RunGroup(*reader_); }
  void ForgetAll() { reads_.clear(); }
  Value Count() { return Single(*writer_, "SELECT count(*) FROM t"); }

  std::unique_ptr<Connection> writer_ = Open(SqliteRole::kWriter);
  std::unique_ptr<Connection> reader_ = Open(SqliteRole::kReader);
  std::deque<CollectingRead> reads_;
};

TEST_F(SqliteGroup, GivesEachReadItsOwnRows) {
  for (int round = 0; round < 3; ++round) {  // compiled, then kept
    ForgetAll();
    for (std::int64_t i = 0; i < 32; ++i) Add("SELECT $1 || a FROM t WHERE id = $2", {"x", i});
    RunGroup();
    EXPECT_EQ(reads_[1].text(), "xone");
    EXPECT_EQ(reads_[3].text(), "xthree");
    for (int i = 4; i < 32; ++i) EXPECT_EQ(reads_[i].text(), "no row");
    for (const CollectingRead& read : reads_) EXPECT_THAT(read.status, IsOk());
  }
}

// What it was bound to belongs to the caller, who leaves with his answer.
TEST_F(SqliteGroup, LeavesNothingOfAReadToTheNext) {
  const std::string sql = "SELECT $1";
  auto first = std::make_unique<CollectingRead>(sql, std::vector<Value>{std::string(100, 'x')});
  CollectingRead second(sql, {std::string(100, 'y')});
  first->then = [&] {
    EXPECT_EQ(first->text(), std::string(100, 'x'));
    EXPECT_EQ(second.ends, 0) << "each is told at once";
    first.reset();
  };
  const std::vector<GroupedRead*> reads = {first.get(), &second};
  reader_->ExecuteGroup(reads, {});
  EXPECT_EQ(first, nullptr);
  EXPECT_EQ(second.text(), std::string(100, 'y'));
}

TEST_F(SqliteGroup, IsATransactionForEachOfItsReads) {
  const CollectingRead& before = Add("SELECT a FROM t WHERE id = 1");
  reads_.back().then = [&] {
    EXPECT_THAT(Run(*writer_, "UPDATE t SET a = 'new' WHERE id = 1"), IsOk());
  };
  const CollectingRead& after = Add("SELECT a FROM t WHERE id = 1");
  RunGroup();
  EXPECT_EQ(before.text(), "one");
  EXPECT_EQ(after.text(), "new");
}

TEST_F(SqliteGroup, KeepsAnErrorToTheReadThatMadeIt) {
  const CollectingRead& first = Add("SELECT 'a'");
  const CollectingRead& missing = Add("SELECT * FROM no_such_table");
  const CollectingRead& overflow = Add("SELECT abs(id - 9223372036854775807 - 2) FROM t");
  const CollectingRead& unbound = Add("SELECT $1");
  const CollectingRead& control = Add("COMMIT");
  const CollectingRead& two = Add("SELECT 1; SELECT 2");
  const CollectingRead& last = Add("SELECT 'd'");
  RunGroup();
  EXPECT_EQ(first.text(), "a");
  EXPECT_THAT(missing.status, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(overflow.status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(unbound.status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(control.status, HasReason("TRANSACTION_CONTROL"));
  EXPECT_THAT(two.status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(last.status, IsOk());
  EXPECT_EQ(last.text(), "d");
}

TEST_F(SqliteGroup, GivesTheErrorThatTheReadHasAlone) {
  for (const char* sql :
       {"SELECT * FROM no_such_table", "SELECT abs(-9223372036854775807 - 1)", "SELECT"}) {
    ForgetAll();
    const CollectingRead& read = Add(sql);
    RunGroup();
    EXPECT_EQ(read.status, Run(*reader_, sql).status());
  }
}

TEST_F(SqliteGroup, LetsNoMemberWrite) {
  const auto both = Open(SqliteRole::kBoth);
  for (Connection* connection : {reader_.get(), writer_.get(), both.get()}) {
    ForgetAll();
    const CollectingRead& insert = Add("INSERT INTO t (a) VALUES ('x') RETURNING a");
    const CollectingRead& with = Add("WITH x AS (SELECT 9) INSERT INTO t SELECT 9, 'x'");
    const CollectingRead& next = Add("SELECT 'b'");
    RunGroup(*connection);
    EXPECT_TRUE(IsUnfitForGroup(insert.status)) << insert.status;
    EXPECT_TRUE(IsUnfitForGroup(with.status)) << with.status;
    EXPECT_EQ(next.text(), "b");
    EXPECT_EQ(Count(), Int(3));
  }
  EXPECT_THAT(Run(*both, "INSERT INTO t (a) VALUES ('x')"), IsOk());  // nothing is left over
}

// A function that writes behind a SELECT, which SQLite takes for a read.
TEST_F(SqliteGroup, LetsNoFunctionWrite) {
  const auto both = Open(SqliteRole::kBoth);
  ASSERT_THAT(Run(*both, "CREATE VIRTUAL TABLE f USING fts4(words)"), IsOk());
  for (const char* words : {"engine four", "engine five"}) {
    ASSERT_THAT(Run(*both, "INSERT INTO f VALUES ($1)", {Text(words)}), IsOk());
  }
  const std::string segments = "SELECT count(*) FROM f_segdir";
  const std::string writes = "SELECT optimize(f) FROM f LIMIT 1";
  ASSERT_EQ(Single(*both, segments), Int(2));
  for (Connection* connection : {reader_.get(), both.get()}) {
    ForgetAll();
    const CollectingRead& function = Add(writes);
    const CollectingRead& next = Add("SELECT 'b'");
    RunGroup(*connection);
    EXPECT_FALSE(function.status.ok());
    EXPECT_EQ(next.text(), "b");
    EXPECT_EQ(Single(*both, segments), Int(2));
  }
}

// T72
TEST_F(SqliteGroup, EndsAMemberAtItsTimeLimitAndNoOther) {
  const CollectingRead& first = Add("SELECT 'a'");
  Add(kEndless).limit = milliseconds(5);
  const CollectingRead& endless = reads_.back();
  const CollectingRead& next = Add("SELECT 'b'");
  RunGroup();
  EXPECT_EQ(first.text(), "a");
  EXPECT_TRUE(IsUnfitForGroup(endless.status)) << endless.status;
  EXPECT_EQ(next.text(), "b");
  EXPECT_THAT(Run(*reader_, kEndless, {}, {.deadline = Clock::Real().Now() + milliseconds(20)}),
              HasReason("DEADLINE"));
}

class SqliteGroupInTime : public SqliteGroup {
 protected:
  FakeClock clock_;
  std::unique_ptr<Connection> connection_ = Open(SqliteRole::kReader, clock_);
};

TEST_F(SqliteGroupInTime, GivesEachMemberItsLimitFromTheEndOfTheOneBefore) {
  for (int i = 0; i < 3; ++i) {
    CollectingRead& read = Add("SELECT a FROM t");
    read.limit = milliseconds(7);
    read.rows.on_row = [this] { clock_.Advance(milliseconds(2)); };
  }
  RunGroup(*connection_);
  for (const CollectingRead& read : reads_) EXPECT_THAT(read.status, IsOk());
  ForgetAll();
  CollectingRead& slow = Add("SELECT a FROM t");
  slow.limit = milliseconds(3);
  slow.rows.on_row = [this] { clock_.Advance(milliseconds(2)); };
  RunGroup(*connection_);
  EXPECT_TRUE(IsUnfitForGroup(slow.status)) << slow.status;
}

TEST_F(SqliteGroupInTime, LetsNobodyWaitLongForThoseBefore) {
  Add("SELECT 'a'").rows.on_row = [this] { clock_.Advance(milliseconds(19)); };
  Add("SELECT 'b'").rows.on_row = [this] { clock_.Advance(milliseconds(1)); };
  const CollectingRead& begun = reads_.back();
  const CollectingRead& late = Add("SELECT 'c'");
  RunGroup(*connection_);
  EXPECT_THAT(begun.status, IsOk());
  EXPECT_TRUE(late.IsToRunAlone()) << late.status;
  EXPECT_FALSE(IsUnfitForGroup(late.status)) << "it is not to blame";
}

TEST_F(SqliteGroupInTime, EndsByItsDeadlineAndBlamesNobody) {
  CollectingRead& running = Add(kEndlessRows);
  running.limit = hours(1);
  running.rows.on_row = [this] { clock_.Advance(milliseconds(1)); };
  const CollectingRead& next = Add("SELECT 'b'");
  RunGroup(*connection_, {.deadline = clock_.Now() + milliseconds(3)});
  for (const CollectingRead* read : {&std::as_const(running), &next}) {
    EXPECT_TRUE(read->IsToRunAlone()) << read->status;
    EXPECT_FALSE(IsUnfitForGroup(read->status));
  }
  EXPECT_EQ(running.rows.rows.size(), 3U);
}

TEST_F(SqliteGroup, EndsWhenItIsStoppedAndBlamesNobody) {
  StopSignal stop;
  Add("SELECT 'a'").then = [&] { stop.Raise(StopReason::kShutdown); };
  Add(kEndless).limit = hours(1);
  const CollectingRead& second = Add("SELECT 'c'");
  RunGroup(*reader_, {.stop = &stop});
  EXPECT_EQ(reads_[0].text(), "a");
  for (const CollectingRead* read : {&std::as_const(reads_[1]), &second}) {
    EXPECT_TRUE(read->IsToRunAlone()) << read->status;
    EXPECT_FALSE(IsUnfitForGroup(read->status));
  }
}

// While it lives, readers find the log's index in the hands of another process, as while that
// recovers it: its beginning is void, and the locks for writing and recovering are held.
class Recovery {
 public:
  explicit Recovery(const std::string& database)
      : file_(open((database + "-shm").c_str(), O_RDWR)) {
    for (const off_t byte : {120, 122}) {
      flock64 lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
      EXPECT_EQ(fcntl(file_, F_OFD_SETLK, &lock), 0);
    }
    const std::array<char, 96> nothing{};
    EXPECT_EQ(pwrite(file_, nothing.data(), nothing.size(), 0), ssize_t{nothing.size()});
  }
  ~Recovery() { close(file_); }
  Recovery(const Recovery&) = delete;
  Recovery& operator=(const Recovery&) = delete;

 private:
  const int file_;
};

// T69
TEST_F(SqliteGroup, WaitsForNoLock) {
  const auto patient = Open(SqliteRole::kReader, Clock::Real(), seconds(20));
  const Instant before = Clock::Real().Now();
  const CollectingRead& first = Add("SELECT a FROM t WHERE id = 1");
  Add("SELECT a FROM t WHERE id = 2").limit = hours(1);
  const CollectingRead& second = reads_.back();
  {
    const Recovery recovery(file());
    RunGroup(*patient);
  }
  EXPECT_LT(Clock::Real().Now() - before, seconds(10));
  for (const CollectingRead* read : {&first, &second}) {
    EXPECT_TRUE(read->IsToRunAlone()) << read->status;
    EXPECT_FALSE(IsUnfitForGroup(read->status)) << "the lock is not its own";
  }
  EXPECT_EQ(Single(*patient, "SELECT a FROM t WHERE id = 1"), Text("one"));
}

TEST_F(SqliteGroup, StopsASinkThatWantsNoMoreAndNoOther) {
  CollectingRead& full = Add("SELECT a FROM t");
  full.rows.refuse_from_row = 2;
  const CollectingRead& next = Add("SELECT 'b'");
  RunGroup();
  EXPECT_THAT(full.status, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(next.text(), "b");
}

// T40
TEST_F(SqliteGroup, AnswersWithNobodysRowid) {
  const auto both = Open(SqliteRole::kBoth);
  ASSERT_THAT(Run(*both, "INSERT INTO t (id) VALUES (41)"), IsOk());
  const CollectingRead& asks = Add("SELECT last_insert_rowid() || ''");
  RunGroup(*both);
  EXPECT_EQ(asks.text(), "0");
}

TEST_F(SqliteGroup, SeesTheColumnsThatWereAdded) {
  Add("SELECT * FROM t WHERE id = 1").then = [this] {
    EXPECT_THAT(Run(*writer_, "ALTER TABLE t ADD COLUMN b TEXT DEFAULT 'x'"), IsOk());
  };
  const CollectingRead& after = Add("SELECT * FROM t WHERE id = 1");
  RunGroup();
  EXPECT_THAT(after.rows.rows, ElementsAre(Row{Int(1), Text("one"), Text("x")}));
  EXPECT_EQ(after.rows.columns.size(), 3U);
}

TEST_F(SqliteGroup, RunsNoneInATransaction) {
  ASSERT_THAT(reader_->Begin({.access = Access::kReadOnly}, {}, {}), IsOk());
  CollectingRead read("SELECT 'a'");
  const std::vector<GroupedRead*> reads = {&read};
  reader_->ExecuteGroup(reads, {});
  EXPECT_TRUE(read.IsToRunAlone()) << read.status;
  EXPECT_EQ(reader_->transaction_state(), TransactionState::kOpen);
}

}  // namespace
}  // namespace emsdb
