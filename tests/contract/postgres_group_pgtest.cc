// PostgreSQL: several callers' reads in one packet, none of which may harm another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "tests/contract/postgres_group_fixture.h"
#include "tests/support/tcp_proxy.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

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

TEST_F(PostgresGroup, LeavesNoAnswerToTheNextUseWhereNothingCouldBeSent) {
  auto connector = PostgresConnector::Create({.uri = UrlWithParameters(""), .statement_cache = 1},
                                             Clock::Real());
  ASSERT_TRUE(connector.ok()) << connector.status();
  auto opened = (*connector)->Open(Soon());
  ASSERT_TRUE(opened.ok()) << opened.status();
  // The second takes the place of the first, which waits to be dropped.
  for (const char* sql : {"SELECT 'a'", "SELECT 'a'", "SELECT 'b'", "SELECT 'b'"}) {
    MustRun(**opened, sql);
  }
  const Read& bad = Add("SELECT $1::text", {std::string("nul \0 byte", 10)});
  Run(**opened);
  EXPECT_TRUE(bad.IsToRunAlone());
  EXPECT_EQ(MustGetText(**opened, "SELECT 'c'"), "c");
  EXPECT_EQ(MustGetText(**opened, "SELECT 'd'"), "d");
}

// In two steps.
TEST_F(PostgresGroup, SendsAReadBeforeAnybodyWaitsForIt) {
  ASSERT_TRUE(connection().sends_ahead());
  Read& read = Add("SELECT $1::text", {"x"});
  for (int round = 0; round < 4; ++round) {  // as text, prepared, from the cache
    read.rows = {};
    read.ends = 0;
    ASSERT_TRUE(connection().SendRead(read));
    EXPECT_EQ(read.ends, 0);
    connection().EndRead(Soon());
    EXPECT_EQ(read.ends, 1);
    EXPECT_EQ(read.text(), "x");
    ExpectUnharmed();
  }
}

TEST_F(PostgresGroup, DoesNotSendAheadWhatCannotBeBound) {
  Read& bad = Add("SELECT $1::text", {std::string("nul \0 byte", 10)});
  EXPECT_FALSE(connection().SendRead(bad));
  EXPECT_EQ(bad.ends, 0);
  EXPECT_EQ(MustGetText(connection(), "SELECT 'c'"), "c");
}

TEST_F(PostgresGroup, EndsAReadThatWasSentAheadWhenTheLinkDies) {
  Read& read = Add("SELECT pg_sleep(0.5)::text");
  const pid_t backend = BackendOf(connection());
  ASSERT_TRUE(connection().SendRead(read));
  Kill(backend);
  connection().EndRead(Soon());
  EXPECT_EQ(read.ends, 1);
  EXPECT_TRUE(read.IsToRunAlone()) << read.status;
  EXPECT_TRUE(connection().broken());
}

// Its reader may be kept from a processor for longer than the group has time.
TEST_F(PostgresGroup, CountsAnAnswerThatIsThereHoweverLateItIsRead) {
  const Value backend = std::int64_t{BackendOf(connection())};
  const char* const state =
      "SELECT state || state_change::text FROM pg_stat_activity WHERE pid = $1";
  const std::string before = MustGetText(admin(), state, {backend});
  const Read& read = Add("SELECT 'a'");
  ASSERT_TRUE(connection().SendRead(reads_.back()));
  for (;;) {
    const std::string now = MustGetText(admin(), state, {backend});
    if (now != before && now.starts_with("idle")) break;
  }
  connection().EndRead(Within(-milliseconds(1)));
  EXPECT_EQ(read.status, absl::OkStatus());
  EXPECT_EQ(read.text(), "a");
  ExpectUnharmed();
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

}  // namespace
}  // namespace emsdb
