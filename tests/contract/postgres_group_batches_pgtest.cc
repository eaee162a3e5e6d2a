// PostgreSQL: batches that only read in one packet with other callers' reads.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "tests/contract/postgres_group_fixture.h"
#include "tests/support/tcp_proxy.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;

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

class PostgresGroupOfBatches : public PostgresGroup {
 protected:
  BatchRead& AddBatch(const std::vector<std::string>& texts,
                      std::optional<std::int64_t> expect_rows = std::nullopt) {
    std::vector<GuardedStatement> batch;
    for (const std::string& text : texts) batch.push_back({{.sql = Sql(text)}, expect_rows});
    return batches_.emplace_back(std::move(batch));
  }
  // Reads and batches in turns.
  void Run(Connection& connection) {
    std::vector<GroupedRead*> reads;
    for (std::size_t i = 0; i < std::max(reads_.size(), batches_.size()); ++i) {
      if (i < reads_.size()) reads.push_back(&reads_[i]);
      if (i < batches_.size()) reads.push_back(&batches_[i]);
    }
    connection.ExecuteGroup(reads, Soon());
    for (const BatchRead& batch : batches_) EXPECT_EQ(batch.ends, 1);
    for (const Read& read : reads_) EXPECT_EQ(read.ends, 1);
  }
  void Run() { Run(connection()); }

  std::deque<BatchRead> batches_;
};

TEST_F(PostgresGroupOfBatches, GivesEachBatchTheRowsOfItsStatements) {
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

TEST_F(PostgresGroupOfBatches, IsOneRoundTripForBatches) {
  TcpProxy proxy(ServerPort());
  auto connection = OpenThrough(proxy.port());
  for (int i = 0; i < 10; ++i) AddBatch({"SELECT 'a'", "SELECT 'b'", "SELECT 'c'"});
  const int before = proxy.trips();
  Run(*connection);
  EXPECT_EQ(proxy.trips() - before, 1);
}

TEST_F(PostgresGroupOfBatches, KeepsWhatABatchMissedToThatBatch) {
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
TEST_F(PostgresGroupOfBatches, TellsABatchToRunAloneWhereTheOneBeforeItDidNotPrepareWhatBothUse) {
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

TEST_F(PostgresGroupOfBatches, EndsABatchAtItsTimeLimitAndLetsItNotWrite) {
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
TEST_F(PostgresGroupOfBatches, LeavesABatchThatCallsAFunctionToRunAlone) {
  const BatchRead& calls = AddBatch({"SELECT 'x'", "SELECT pg_notify('c', 'd')"});
  const BatchRead& wrong = AddBatch({"SELECT 'x'", "COMMIT"});
  const BatchRead& next = AddBatch({"SELECT 'x'", "SELECT 'y'"});
  Run();
  EXPECT_TRUE(IsRunAlone(calls.status)) << calls.status;
  EXPECT_TRUE(IsRunAlone(wrong.status)) << wrong.status;
  EXPECT_EQ(next.status, absl::OkStatus());
  ExpectUnharmed();
}

TEST_F(PostgresGroupOfBatches, TellsABatchWithoutAnAnswerToRunAloneWhenTheLinkDies) {
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
TEST_F(PostgresGroupOfBatches, TellsABatchToRunAloneWhenATableHasChanged) {
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
