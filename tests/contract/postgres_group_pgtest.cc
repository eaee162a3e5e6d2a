// PostgreSQL: several callers' reads in one packet, none of which may harm another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <thread>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "tests/contract/postgres_fixture.h"
#include "tests/support/tcp_proxy.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

class Read final : public GroupedRead {
 public:
  Read(std::string sql, std::vector<Value> parameters, std::string identity)
      : statement_{std::move(sql), std::move(parameters), {}}, identity_(std::move(identity)) {}

  const Statement& statement() const override { return statement_; }
  std::string_view identity() const override { return identity_; }
  Duration time_limit() const override { return limit; }
  Instant deadline() const override { return kNever; }
  RowSink& sink() override { return rows; }
  void Ended(absl::StatusOr<Completion> result, Duration) override {
    ++ends;
    status = result.status();
    if (then) then();
  }

  bool IsToRunAlone() const { return IsRunAlone(status); }
  // The first cell as text.
  std::string text() const {
    return rows.rows.empty() ? "no row" : std::get<std::string>(rows.rows[0].at(0));
  }

  CollectingSink rows;
  absl::Status status = absl::UnknownError("it has not ended");
  int ends = 0;
  Duration limit = std::chrono::seconds(1);
  std::function<void()> then;

 private:
  const Statement statement_;
  const std::string identity_;
};

// Several statements of one caller.
class BatchRead final : public GroupedRead {
 public:
  explicit BatchRead(std::vector<GuardedStatement> batch) : statements_(std::move(batch)) {}

  const Statement& statement() const override { return statements_.front().statement; }
  std::string_view identity() const override { return "cad"; }
  Duration time_limit() const override { return limit; }
  Instant deadline() const override { return kNever; }
  RowSink& sink() override { return rows.Rows(0); }
  std::optional<GroupedBatch> batch() override { return {{statements_, &rows}}; }
  void Ended(absl::StatusOr<Completion> result, Duration) override {
    ++ends;
    status = result.status();
  }
  std::string text(std::size_t statement) const {
    return std::get<std::string>(rows.sinks.at(statement).rows.at(0).at(0));
  }

  CollectingBatchSink rows;
  absl::Status status = absl::UnknownError("it has not ended");
  int ends = 0;
  Duration limit = std::chrono::seconds(1);

 private:
  const std::vector<GuardedStatement> statements_;
};

class PostgresGroup : public PostgresDriver {
 protected:
  Read& Add(std::string sql, std::vector<Value> parameters = {}, std::string identity = "") {
    return reads_.emplace_back(std::move(sql), std::move(parameters), std::move(identity));
  }
  BatchRead& AddBatch(const std::vector<std::string>& texts,
                      std::optional<std::int64_t> expect_rows = std::nullopt) {
    std::vector<GuardedStatement> batch;
    for (const std::string& text : texts) batch.push_back({{.sql = Sql(text)}, expect_rows});
    return batches_.emplace_back(std::move(batch));
  }
  // Reads and batches in turns.
  void Run(Connection& connection, const Bounds& bounds = Soon()) {
    std::vector<GroupedRead*> reads;
    for (std::size_t i = 0; i < std::max(reads_.size(), batches_.size()); ++i) {
      if (i < reads_.size()) reads.push_back(&reads_[i]);
      if (i < batches_.size()) reads.push_back(&batches_[i]);
    }
    connection.ExecuteGroup(reads, bounds);
    for (const BatchRead& batch : batches_) EXPECT_EQ(batch.ends, 1);
    for (const Read& read : reads_) EXPECT_EQ(read.ends, 1) << read.statement().sql;
  }
  void Run() { Run(connection()); }
  void ExpectUnharmed() {
    EXPECT_FALSE(connection().broken());
    EXPECT_FALSE(connection().session_changed());
    EXPECT_EQ(connection().transaction_state(), TransactionState::kIdle);
  }

  std::deque<Read> reads_;
  std::deque<BatchRead> batches_;
};

TEST_F(PostgresGroup, GivesEachReadItsOwnRows) {
  for (int i = 0; i < 32; ++i) Add("SELECT $1::text", {"row " + std::to_string(i)});
  for (int round = 0; round < 3; ++round) {  // as text, prepared, from the cache
    for (Read& read : reads_) read.rows = {}, read.ends = 0;
    Run();
    for (int i = 0; i < 32; ++i) EXPECT_EQ(reads_[i].text(), "row " + std::to_string(i));
  }
  ExpectUnharmed();
}

TEST_F(PostgresGroup, IsOneRoundTrip) {
  TcpProxy proxy(ServerPort());
  auto connection = OpenThrough(proxy.port());
  for (int i = 0; i < 20; ++i) Add("SELECT $1::text", {"x"});
  const int before = proxy.trips();
  Run(*connection);
  EXPECT_EQ(proxy.trips() - before, 1);
}

TEST_F(PostgresGroup, KeepsAnErrorToTheReadThatMadeIt) {
  const Read& first = Add("SELECT 'a'");
  const Read& broken = Add("SELECT 1 / (length($1) - 1)", {"x"});
  const Read& wrong = Add("SELECT * FROM no_such_table");
  const Read& last = Add("SELECT 'd'");
  Run();
  EXPECT_EQ(first.text(), "a");
  EXPECT_EQ(DetailOf(broken.status).sqlstate, "22012");
  EXPECT_EQ(DetailOf(wrong.status).sqlstate, "42P01");
  EXPECT_EQ(last.status, absl::OkStatus());
  EXPECT_EQ(last.text(), "d");
  ExpectUnharmed();
}

TEST_F(PostgresGroup, LetsNoMemberWrite) {
  MustRun(admin(), Sql("CREATE FUNCTION %t_write() RETURNS text LANGUAGE plpgsql AS "
                       "$$ BEGIN INSERT INTO %t VALUES (1, 'x'); RETURN 'done'; END $$"));
  const Read& writes = Add(Sql("SELECT %t_write()"));
  const Read& reads = Add("SELECT 'b'");
  Run();
  EXPECT_TRUE(IsUnfitForGroup(writes.status)) << writes.status;
  EXPECT_EQ(reads.text(), "b");
  EXPECT_EQ(CountRows(), 0);
  ExpectUnharmed();
  MustRun(admin(), Sql("DROP FUNCTION %t_write()"));
}

TEST_F(PostgresGroup, EndsAMemberAtItsTimeLimitAndNoOther) {
  Read& slow = Add("SELECT pg_sleep(10)::text");
  slow.limit = milliseconds(20);
  const Read& next = Add("SELECT 'b'");
  Run();
  EXPECT_TRUE(IsUnfitForGroup(slow.status)) << slow.status;
  EXPECT_EQ(next.text(), "b");
  ExpectUnharmed();
}

TEST_F(PostgresGroup, WaitsForNoLockBeyondATimeLimit) {
  ASSERT_EQ(admin().Begin({}, {}, Soon()), absl::OkStatus());
  MustRun(admin(), Sql("LOCK TABLE %t IN ACCESS EXCLUSIVE MODE"));
  Read& waits = Add(Sql("SELECT s FROM %t"));
  waits.limit = milliseconds(20);
  const Read& next = Add("SELECT 'b'");
  Run();
  EXPECT_TRUE(IsUnfitForGroup(waits.status)) << waits.status;
  EXPECT_EQ(next.text(), "b");
  EXPECT_EQ(admin().RollBack(Soon()), absl::OkStatus());
}

TEST_F(PostgresGroup, TellsWhoHadNoAnswerToRunAloneWhenTheLinkDies) {
  const pid_t backend = BackendOf(connection());
  Read& first = Add("SELECT 'a'");
  const Read& second = Add("SELECT pg_sleep(0.5)::text");
  const Read& third = Add("SELECT 'c'");
  first.then = [&] {
    MustRun(admin(), "SELECT pg_terminate_backend($1)", {std::int64_t{backend}});
  };
  Run();
  EXPECT_EQ(first.text(), "a");
  EXPECT_TRUE(second.IsToRunAlone()) << second.status;
  EXPECT_TRUE(third.IsToRunAlone()) << third.status;
  EXPECT_TRUE(connection().broken());
  EXPECT_FALSE(connection().given_up()) << "the others are suspect";
}

TEST_F(PostgresGroup, IsGivenUpAtItsDeadlineWhenTheServerStandsStill) {
  const StoppedProcess stopped(BackendOf(connection()));
  const Read& read = Add("SELECT 'a'");
  Run(connection(), Within(milliseconds(100)));
  EXPECT_TRUE(read.IsToRunAlone()) << read.status;
  EXPECT_TRUE(connection().given_up());
}

TEST_F(PostgresGroup, ShowsTheDatabaseWhoseReadItRuns) {
  const char* who = "SELECT current_setting('application_name')";
  const Read& crew = Add(who, {}, "crew-12");
  const Read& desk = Add(who, {}, "desk-3");
  Run();
  EXPECT_EQ(crew.text(), "crew-12");
  EXPECT_EQ(desk.text(), "desk-3");
  EXPECT_EQ(MustGetText(connection(), who), "emsdb-gateway");
}

TEST_F(PostgresGroup, SendsNothingThatCannotBeBound) {
  const Read& bad = Add("SELECT $1::text", {std::string("nul \0 byte", 10)});
  const Read& good = Add("SELECT 'b'");
  Run();
  EXPECT_TRUE(bad.IsToRunAlone()) << "alone it is told what is wrong";
  EXPECT_EQ(good.text(), "b");
}

TEST_F(PostgresGroup, StopsASinkThatWantsNoMoreAndNoOther) {
  class Full final : public RowSink {
   public:
    absl::Status OnColumns(std::span<const Column>) override { return absl::OkStatus(); }
    absl::Status OnRow(std::span<const Cell>) override {
      return absl::ResourceExhaustedError("full");
    }
  };
  class FullRead final : public GroupedRead {
   public:
    const Statement& statement() const override { return statement_; }
    std::string_view identity() const override { return ""; }
    Duration time_limit() const override { return milliseconds(500); }
    Instant deadline() const override { return kNever; }
    RowSink& sink() override { return sink_; }
    void Ended(absl::StatusOr<Completion> result, Duration) override { status = result.status(); }
    absl::Status status;

   private:
    const Statement statement_{"SELECT generate_series(1, 1000)", {}, {}};
    Full sink_;
  } full;
  Read next("SELECT 'b'", {}, "");
  const std::vector<GroupedRead*> reads = {&full, &next};
  connection().ExecuteGroup(reads, Soon());
  EXPECT_TRUE(absl::IsResourceExhausted(full.status)) << full.status;
  EXPECT_EQ(next.text(), "b");
  ExpectUnharmed();
}

TEST_F(PostgresGroup, HealsUnseenWhenATableChangesUnderWhatIsPrepared) {
  MustRun(admin(), Sql("INSERT INTO %t VALUES (1, 'x')"));
  Read& read = Add(Sql("SELECT * FROM %t"));
  for (int i = 0; i < 3; ++i) {
    read.ends = 0;
    Run();
    EXPECT_EQ(read.status, absl::OkStatus());
  }
  MustRun(admin(), Sql("ALTER TABLE %t ADD COLUMN more text"));
  read.ends = 0;
  Run();
  EXPECT_TRUE(read.IsToRunAlone() || read.status.ok()) << read.status;
  MustRun(connection(), Sql("SELECT * FROM %t"));
  ExpectUnharmed();
}

TEST_F(PostgresGroup, RunsNoneWhereEveryUseBeginsWithAReset) {
  auto connector = PostgresConnector::Create(
      {.uri = UrlWithParameters(""), .session_reset = SessionReset::kBeforeEveryUse},
      Clock::Real());
  ASSERT_TRUE(connector.ok()) << connector.status();
  auto opened = (*connector)->Open(Soon());
  ASSERT_TRUE(opened.ok()) << opened.status();
  const Read& read = Add("SELECT 'a'");
  Run(**opened);
  EXPECT_TRUE(read.IsToRunAlone());
}

TEST_F(PostgresGroup, GivesEachBatchTheRowsOfItsStatements) {
  for (int i = 0; i < 10; ++i) {
    Add("SELECT $1::text", {"row " + std::to_string(i)});
    AddBatch({"VALUES ('a " + std::to_string(i) + "')", "VALUES (2), (3)", "VALUES ('c')",
              "SHOW transaction_read_only", "SHOW application_name"});
  }
  for (int round = 0; round < 3; ++round) {  // as text, prepared, from the cache
    for (Read& read : reads_) read.rows = {}, read.ends = 0;
    for (BatchRead& batch : batches_) batch.rows = {}, batch.ends = 0;
    Run();
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(reads_[i].text(), "row " + std::to_string(i));
      EXPECT_EQ(batches_[i].status, absl::OkStatus());
      EXPECT_EQ(batches_[i].rows.completed.size(), 5U);
      EXPECT_EQ(batches_[i].text(0), "a " + std::to_string(i));
      EXPECT_EQ(batches_[i].rows.sinks[1].rows.size(), 2U);
      EXPECT_EQ(batches_[i].text(3), "on");
      EXPECT_EQ(batches_[i].text(4), "cad");
    }
  }
  ExpectUnharmed();
}

TEST_F(PostgresGroup, IsOneRoundTripForBatches) {
  TcpProxy proxy(ServerPort());
  auto connection = OpenThrough(proxy.port());
  for (int i = 0; i < 10; ++i) AddBatch({"SELECT 'a'", "SELECT 'b'", "SELECT 'c'"});
  const int before = proxy.trips();
  Run(*connection);
  EXPECT_EQ(proxy.trips() - before, 1);
}

TEST_F(PostgresGroup, KeepsWhatABatchMissedToThatBatch) {
  const BatchRead& missed = AddBatch({"SELECT id FROM %t", "SELECT 'x'", "SELECT 'y'"}, 1);
  const BatchRead& broken = AddBatch({"SELECT 'x'", "SELECT 1 / (SELECT 0)", "SELECT 'y'"});
  const BatchRead& whole = AddBatch({"VALUES ('v')", "VALUES ('w')"}, 1);
  const Read& last = Add("SELECT 'd'");
  Run();
  EXPECT_EQ(DetailOf(missed.status).reason, "ROWS_MISMATCH") << missed.status;
  EXPECT_EQ(DetailOf(missed.status).statement, 0);
  EXPECT_EQ(DetailOf(broken.status).sqlstate, "22012") << broken.status;
  EXPECT_EQ(DetailOf(broken.status).statement, 1);
  EXPECT_EQ(whole.status, absl::OkStatus());
  EXPECT_EQ(whole.text(1), "w");
  EXPECT_EQ(last.text(), "d");
  ExpectUnharmed();
}

// The second of the same text would use what the first prepares, and the first is skipped.
TEST_F(PostgresGroup, TellsABatchToRunAloneWhereTheOneBeforeItDidNotPrepareWhatBothUse) {
  AddBatch({"SELECT 'x'"});
  AddBatch({"SELECT 1 / (SELECT 0)", "SELECT 'x'"});
  const BatchRead& misled = AddBatch({"SELECT 'x'"});
  const BatchRead& whole = AddBatch({"SELECT 'y'"});
  Run();
  EXPECT_TRUE(IsRunAlone(misled.status)) << misled.status;
  EXPECT_EQ(whole.status, absl::OkStatus());
  EXPECT_EQ(connection().ResetSession(Soon()), absl::OkStatus());
  batches_.clear();
  const BatchRead& again = AddBatch({"SELECT 'x'"});
  Run();
  EXPECT_EQ(again.status, absl::OkStatus());
  ExpectUnharmed();
}

TEST_F(PostgresGroup, EndsABatchAtItsTimeLimitAndLetsItNotWrite) {
  MustRun(admin(), Sql("CREATE FUNCTION %t_write() RETURNS text LANGUAGE plpgsql AS "
                       "$$ BEGIN INSERT INTO %t VALUES (1, 'x'); RETURN 'done'; END $$"));
  MustRun(admin(), Sql("CREATE VIEW %t_writing AS SELECT %t_write() AS s"));
  MustRun(admin(), Sql("CREATE VIEW %t_slow AS SELECT pg_sleep(10) IS NULL AS slept"));
  const BatchRead& writes = AddBatch({"SELECT 'x'", "SELECT s FROM %t_writing"});
  BatchRead& slow = AddBatch({"SELECT 'x'", "SELECT slept FROM %t_slow", "SELECT 'y'"});
  slow.limit = milliseconds(20);
  const BatchRead& next = AddBatch({"SELECT 'x'", "SELECT 'y'"});
  Run();
  EXPECT_TRUE(IsUnfitForGroup(writes.status)) << writes.status;
  EXPECT_TRUE(IsUnfitForGroup(slow.status)) << slow.status;
  EXPECT_EQ(next.status, absl::OkStatus());
  EXPECT_EQ(CountRows(), 0);
  ExpectUnharmed();
  MustRun(admin(), Sql("DROP VIEW %t_writing, %t_slow"));
  MustRun(admin(), Sql("DROP FUNCTION %t_write()"));
}

// What it does in a read-only transaction could not be taken back where a promise is missed.
TEST_F(PostgresGroup, LeavesABatchThatCallsAFunctionToRunAlone) {
  const BatchRead& calls = AddBatch({"SELECT 'x'", "SELECT pg_notify('c', 'd')"});
  const BatchRead& wrong = AddBatch({"SELECT 'x'", "COMMIT"});
  const BatchRead& next = AddBatch({"SELECT 'x'", "SELECT 'y'"});
  Run();
  EXPECT_TRUE(IsRunAlone(calls.status)) << calls.status;
  EXPECT_TRUE(IsRunAlone(wrong.status)) << wrong.status;
  EXPECT_EQ(next.status, absl::OkStatus());
  ExpectUnharmed();
}

TEST_F(PostgresGroup, TellsABatchWithoutAnAnswerToRunAloneWhenTheLinkDies) {
  const pid_t backend = BackendOf(connection());
  Read& first = Add("SELECT 'a'");
  AddBatch({"SELECT 'x'", "SELECT 'y'"});
  Add("SELECT pg_sleep(0.5)::text");
  const BatchRead& last = AddBatch({"SELECT 'x'", "SELECT 'y'"});
  first.then = [&] {
    MustRun(admin(), "SELECT pg_terminate_backend($1)", {std::int64_t{backend}});
  };
  Run();
  EXPECT_TRUE(IsRunAlone(last.status)) << last.status;
  EXPECT_TRUE(connection().broken());
}

// T46
TEST_F(PostgresGroup, TellsABatchToRunAloneWhenATableHasChanged) {
  const BatchRead& reads = AddBatch({"SELECT 'x'", "SELECT * FROM %t"});
  for (int i = 0; i < 3; ++i) {
    batches_[0].ends = 0;
    Run();
    EXPECT_EQ(reads.status, absl::OkStatus());
  }
  batches_[0].ends = 0;
  // Of another process, as it were: what it changes, the others are not told of.
  auto other = MakeConnector(UrlWithParameters(""))->Open(Soon());
  ASSERT_TRUE(other.ok()) << other.status();
  MustRun(**other, Sql("ALTER TABLE %t ADD COLUMN more int"));
  Run();
  EXPECT_TRUE(IsRunAlone(reads.status)) << reads.status;
  EXPECT_FALSE(connection().broken());
}

}  // namespace
}  // namespace emsdb
