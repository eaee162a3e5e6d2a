// PostgreSQL: rows in bulk when the server, the link or a row is at its worst.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "tests/contract/postgres_fixture.h"
#include "tests/support/list_source.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Supply = RowSource::Supply;

// A deadline, the driver's grace of 500 ms, and room for a busy machine.
constexpr Duration kDeadline = milliseconds(300);
constexpr Duration kLatest = kDeadline + milliseconds(500) + milliseconds(700);

class PostgresCopy : public PostgresDriver {
 protected:
  absl::StatusOr<std::int64_t> Copy(RowSource& source, const Bounds& bounds = Soon(),
                                    std::vector<std::string> columns = {}) {
    return connection().CopyIn({.table = table_, .columns = std::move(columns)}, {}, bounds,
                               source);
  }
  void ExpectUsable() {
    EXPECT_FALSE(connection().broken());
    EXPECT_EQ(connection().transaction_state(), TransactionState::kIdle);
    EXPECT_FALSE(connection().session_changed());
    EXPECT_EQ(connection().Ping(Soon()), absl::OkStatus());
  }
};

TEST_F(PostgresCopy, ReportsARefusedRowWhileTheCallerIsSilent) {
  ListSource source({{Value(std::string("no number")), Value(std::string("x"))}});
  source.before_row = [](std::size_t given) -> absl::StatusOr<Supply> {
    if (given == 0) return Supply::kRow;
    std::this_thread::sleep_for(milliseconds(10));
    return Supply::kNothingYet;
  };
  const Instant start = Clock::Real().Now();
  const absl::Status status = Copy(source, Within(seconds(30))).status();
  EXPECT_EQ(DetailOf(status).sqlstate, "22P02") << status;
  EXPECT_EQ(DetailOf(status).row, 1);
  EXPECT_EQ(DetailOf(status).stage, Stage::kRunning);
  EXPECT_LT(Clock::Real().Now() - start, seconds(5));
  ExpectUsable();
}

TEST_F(PostgresCopy, ReportsARefusedRowWhileTheCallerGoesOnSending) {
  MustRun(connection(), Sql("INSERT INTO %t VALUES (5000, 'there')"));
  // It would take very long to its end.
  NumberedSource source(1000000000, {Value(std::string(200, 'x'))});
  const absl::Status status = Copy(source, Within(seconds(30))).status();
  EXPECT_EQ(DetailOf(status).sqlstate, "23505") << status;
  EXPECT_EQ(DetailOf(status).row, 5000);
  EXPECT_LT(source.given(), 1000000);
  EXPECT_EQ(CountRows(), 1);
  ExpectUsable();
}

TEST_F(PostgresCopy, IsNotMisledByWhatATriggerTells) {
  MustRun(admin(), Sql("CREATE FUNCTION %t_tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                       "RAISE NOTICE 'secret %', NEW.s; RAISE WARNING 'secret'; "
                       "RAISE INFO 'secret'; RETURN NEW; END $$"));
  MustRun(admin(), Sql("CREATE TRIGGER tell BEFORE INSERT ON %t FOR EACH ROW "
                       "EXECUTE FUNCTION %t_tell()"));
  NumberedSource source(20000, {Value(std::string("x"))});
  const auto copied = Copy(source);
  EXPECT_TRUE(copied.ok()) << copied.status();
  EXPECT_EQ(CountRows(), 20000);
  ExpectUsable();
  MustRun(admin(), Sql("DROP TRIGGER tell ON %t"));
  MustRun(admin(), Sql("DROP FUNCTION %t_tell()"));
}

TEST_F(PostgresCopy, NamesTheRowThatATriggerRefuses) {
  MustRun(admin(), Sql("CREATE FUNCTION %t_no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                       "IF NEW.id = 30 THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$"));
  MustRun(admin(),
          Sql("CREATE TRIGGER no BEFORE INSERT ON %t FOR EACH ROW EXECUTE FUNCTION %t_no()"));
  NumberedSource source(100, {Value(std::string("x"))});
  const absl::Status status = Copy(source).status();
  EXPECT_EQ(DetailOf(status).sqlstate, "P0001") << status;
  EXPECT_EQ(DetailOf(status).row, 30);
  EXPECT_EQ(CountRows(), 0);
  MustRun(admin(), Sql("DROP TRIGGER no ON %t"));
  MustRun(admin(), Sql("DROP FUNCTION %t_no()"));
}

TEST_F(PostgresCopy, ShowsNothingOfTheRowsContentButWhatTheMessageQuotes) {
  ListSource source(
      {{Value(std::int64_t{1}), Value(std::string("good"))},
       {Value(std::string("number?")), Value(std::string("COPY x, line 9: secret"))}});
  const absl::Status status = Copy(source).status();
  EXPECT_EQ(DetailOf(status).row, 2) << status;
  EXPECT_EQ(status.ToString().find("secret"), std::string::npos) << status;
}

TEST_F(PostgresCopy, CommitsNothingThatADeferredConstraintRefuses) {
  MustRun(admin(), Sql("ALTER TABLE %t ADD CONSTRAINT %t_once UNIQUE (s) "
                       "DEFERRABLE INITIALLY DEFERRED"));
  NumberedSource source(2, {Value(std::string("x"))});
  const absl::Status status = Copy(source).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists) << status;
  EXPECT_EQ(DetailOf(status).stage, Stage::kCommitting);
  EXPECT_EQ(CountRows(), 0);
  ExpectUsable();
}

TEST_F(PostgresCopy, RefusesANameThatTheServerWouldCutOff) {
  MustRun(admin(),
          absl::StrFormat("CREATE TABLE IF NOT EXISTS %s (id bigint)", std::string(63, 'n')));
  ListSource source({{Value(std::int64_t{1})}});
  const absl::Status status =
      connection().CopyIn({.table = std::string(64, 'n')}, {}, Soon(), source).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_EQ(MustGetInt(connection(), "SELECT count(*) FROM " + std::string(63, 'n')), 0);
  MustRun(admin(), "DROP TABLE " + std::string(63, 'n'));
}

TEST_F(PostgresCopy, AReadOnlyCallerCopiesNothing) {
  NumberedSource source(2, {Value(std::string("x"))});
  const absl::Status status =
      connection()
          .CopyIn({.table = table_}, {.access = Access::kReadOnly}, Soon(), source)
          .status();
  EXPECT_EQ(DetailOf(status).sqlstate, "25006") << status;
  EXPECT_EQ(source.given(), 0);
  ExpectUsable();
}

struct RecordingWitness final : CommitWitness {
  absl::Status WillCommit(const CommitId& id, const Bounds&) override {
    ids.push_back(id);
    return answer;
  }
  std::vector<CommitId> ids;
  absl::Status answer;
};

// T14
TEST_F(PostgresCopy, NamesItsCommitBeforeItLeaves) {
  RecordingWitness witness;
  NumberedSource source(2, {Value(std::string("x"))});
  const auto copied = connection().CopyIn({.table = table_}, {.witness = &witness}, Soon(), source);
  ASSERT_TRUE(copied.ok()) << copied.status();
  ASSERT_EQ(witness.ids.size(), 1U);
  const auto fate = admin().OutcomeOf(witness.ids[0], Soon());
  ASSERT_TRUE(fate.ok()) << fate.status();
  EXPECT_EQ(*fate, CommitFate::kCommitted);

  witness.answer = Stopped(StopReason::kCallerLeft, Stage::kCommitting);
  NumberedSource more(2, {Value(std::string("x"))});
  MustRun(admin(), Sql("DELETE FROM %t"));
  EXPECT_EQ(
      connection().CopyIn({.table = table_}, {.witness = &witness}, Soon(), more).status().code(),
      absl::StatusCode::kCancelled);
  EXPECT_EQ(CountRows(), 0);
  EXPECT_EQ(*admin().OutcomeOf(witness.ids[1], Soon()), CommitFate::kRolledBack);
  ExpectUsable();
}

// The rule for a server that is stopped: only one's own poll ends a wait on it.
TEST_F(PostgresCopy, AStoppedBackendHoldsNoCopyBeyondItsDeadline) {
  {
    const StoppedProcess stopped(BackendOf(connection()));
    NumberedSource source(INT64_MAX, {Value(std::string("x"))});
    const Instant start = Clock::Real().Now();
    const absl::Status status = Copy(source, Within(kDeadline)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
    EXPECT_LT(Clock::Real().Now() - start, kLatest);
    EXPECT_TRUE(connection().given_up());
  }
  EXPECT_EQ(CountRows(), 0);
}

TEST_F(PostgresCopy, ABackendThatStopsHalfWayHoldsNoCopyBeyondItsDeadline) {
  const pid_t backend = BackendOf(connection());
  std::unique_ptr<StoppedProcess> stopped;
  NumberedSource numbered(INT64_MAX, {Value(std::string(100, 'x'))});
  struct Stopping final : RowSource {
    Stopping(RowSource& rows, std::function<void()> stop) : all(rows), stop_now(std::move(stop)) {}
    absl::StatusOr<Supply> Next(std::span<const Cell>& cells) override {
      if (++given == 5000) stop_now();
      return all.Next(cells);
    }
    std::string RowField() const override { return all.RowField(); }
    RowSource& all;
    const std::function<void()> stop_now;
    int given = 0;
  } source(numbered, [&] { stopped = std::make_unique<StoppedProcess>(backend); });
  const Instant start = Clock::Real().Now();
  const absl::Status status = Copy(source, Within(kDeadline)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_EQ(DetailOf(status).outcome, Outcome::kNothingDone);
  EXPECT_LT(Clock::Real().Now() - start, kLatest);
  ASSERT_NE(stopped, nullptr);
  stopped.reset();
  EXPECT_EQ(CountRows(), 0);
}

TEST_F(PostgresCopy, AKilledBackendLeavesNothingBehind) {
  const pid_t backend = BackendOf(connection());
  ListSource source(std::vector<Row>(100, {Value(std::int64_t{1}), Value(std::string("x"))}));
  source.before_row = [&](std::size_t given) -> absl::StatusOr<Supply> {
    if (given == 50) Kill(backend);
    return given < 51 ? Supply::kRow : Supply::kNothingYet;
  };
  const absl::Status status = Copy(source).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
  EXPECT_EQ(DetailOf(status).reason, "TX_CONNECTION_LOST");
  EXPECT_EQ(DetailOf(status).sqlstate, "57P01");
  EXPECT_EQ(DetailOf(status).outcome, Outcome::kNothingDone);
  EXPECT_TRUE(connection().broken());
  EXPECT_EQ(CountRows(), 0);
}

TEST_F(PostgresCopy, ALockedTableHoldsTheCopyNoLongerThanItsDeadline) {
  ASSERT_EQ(admin().Begin({}, {}, Soon()), absl::OkStatus());
  MustRun(admin(), Sql("LOCK TABLE %t IN EXCLUSIVE MODE"));
  NumberedSource source(10, {Value(std::string("x"))});
  const absl::Status status = Copy(source, Within(kDeadline)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_EQ(admin().RollBack(Soon()), absl::OkStatus());
  EXPECT_EQ(CountRows(), 0);
  ExpectUsable();
}

}  // namespace
}  // namespace emsdb
