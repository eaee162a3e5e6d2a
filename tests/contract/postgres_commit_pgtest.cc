// PostgreSQL: commits that are named before they leave, and what the server says of them later.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <thread>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "tests/contract/postgres_fixture.h"
#include "tests/support/postgres_url.h"
#include "tests/support/tcp_proxy.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;

// Remembers what it was told, and does meanwhile what the test wants.
class RecordingWitness final : public CommitWitness {
 public:
  explicit RecordingWitness(std::function<absl::Status()> meanwhile = absl::OkStatus)
      : meanwhile_(std::move(meanwhile)) {}

  absl::Status WillCommit(const CommitId& id, const Bounds&) override {
    told.push_back(id);
    return meanwhile_();
  }

  std::vector<CommitId> told;

 private:
  const std::function<absl::Status()> meanwhile_;
};

class PostgresCommit : public PostgresDriver {
 protected:
  std::vector<GuardedStatement> Insert(int id) const {
    const std::string sql = absl::StrFormat("%s (%d)", Sql("INSERT INTO %t VALUES"), id);
    return {{{.sql = sql}, std::nullopt}};
  }

  absl::Status RunBatch(Connection& connection, int id, CommitWitness& witness) const {
    CollectingBatchSink sink;
    return connection.ExecuteBatch(Insert(id), {}, {.witness = &witness}, Soon(), sink);
  }

  // The outcome once the server has noticed that the link is gone.
  CommitFate FinalOutcome(const CommitId& id) {
    for (;;) {
      const auto fate = connection().OutcomeOf(id, Soon());
      EXPECT_TRUE(fate.ok()) << fate.status();
      if (!fate.ok() || *fate != CommitFate::kInProgress) return fate.value();
      std::this_thread::sleep_for(milliseconds(5));
    }
  }
};

// A cancel that an operator sends to everybody: without a name its commits could not be asked
// about.
TEST_F(PostgresCommit, CanBeNamedOnEveryConnectionThatWasOpened) {
  constexpr char kName[] = "opened-under-a-lock";
  const auto connector = MakeConnector(UrlWithParameters("?application_name=opened-under-a-lock"));
  // The question for the server's name waits for it.
  ASSERT_EQ(admin().Begin({}, {}, Soon()), absl::OkStatus());
  MustRun(admin(), "LOCK TABLE pg_catalog.pg_stat_archiver IN ACCESS EXCLUSIVE MODE");
  auto opening = std::async(std::launch::async, [&] { return connector->Open(Soon()); });
  while (MustGetInt(connection(),
                    "SELECT count(*) FROM (SELECT pg_cancel_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name = $1 AND wait_event_type = 'Lock') AS waiting",
                    {kName}) == 0) {
  }
  ASSERT_EQ(admin().RollBack(Soon()), absl::OkStatus());
  const auto opened = opening.get();
  if (opened.ok()) {
    RecordingWitness witness;
    EXPECT_EQ(RunBatch(**opened, 1, witness), absl::OkStatus());
    EXPECT_EQ(witness.told.size(), 1U);
  } else {
    EXPECT_EQ(DetailOf(opened.status()).sqlstate, "57014") << opened.status();
  }
}

TEST_F(PostgresCommit, NeedsTwoTripsForABatchAndForAStatementThatCanBeNamed) {
  TcpProxy proxy(ServerPort());
  auto connection = OpenThrough(proxy.port());
  RecordingWitness witness;
  const auto trips_of = [&](const auto& work) {
    const int before = proxy.trips();
    work();
    return proxy.trips() - before;
  };
  const RunOptions named{.witness = &witness};
  EXPECT_EQ(trips_of([&] { EXPECT_EQ(RunBatch(*connection, 1, witness), absl::OkStatus()); }), 2);
  EXPECT_EQ(witness.told.size(), 1U);
  EXPECT_EQ(trips_of([&] {
              EXPECT_EQ(TryRun(*connection, Sql("INSERT INTO %t VALUES (2)"), Soon(), named),
                        absl::OkStatus());
            }),
            2);
  EXPECT_EQ(witness.told.size(), 2U);
  EXPECT_EQ(trips_of([&] {
              EXPECT_EQ(TryRun(*connection, "SELECT 1", Soon(), named), absl::OkStatus());
            }),
            1);
  // A function may write; this one did not.
  EXPECT_EQ(trips_of([&] {
              EXPECT_EQ(TryRun(*connection, "SELECT pg_sleep(0)", Soon(), named), absl::OkStatus());
            }),
            2);
  EXPECT_EQ(witness.told.size(), 2U);
  EXPECT_NE(witness.told[0].transaction, witness.told[1].transaction);
  EXPECT_EQ(witness.told[0].server, witness.told[1].server);
}

TEST_F(PostgresCommit, HasNothingToSayOfABatchThatOnlyReads) {
  RecordingWitness witness;
  CollectingBatchSink sink;
  const std::vector<GuardedStatement> batch = {{{.sql = Sql("SELECT * FROM %t")}, std::nullopt},
                                               {{.sql = "SELECT pg_sleep(0)"}, std::nullopt}};
  EXPECT_EQ(connection().ExecuteBatch(batch, {}, {.witness = &witness}, Soon(), sink),
            absl::OkStatus());
  EXPECT_EQ(witness.told.size(), 0U);
}

TEST_F(PostgresCommit, NeedsOneMoreTripToNameATransactionThatMayWrite) {
  TcpProxy proxy(ServerPort());
  auto connection = OpenThrough(proxy.port());
  RecordingWitness witness;
  const auto commit_trips = [&](const TransactionOptions& options, const char* sql) {
    EXPECT_EQ(connection->Begin(options, {}, Soon()), absl::OkStatus());
    MustRun(*connection, Sql(sql));
    const int before = proxy.trips();
    EXPECT_EQ(connection->Commit(Soon(), &witness), absl::OkStatus());
    return proxy.trips() - before;
  };
  EXPECT_EQ(commit_trips({}, "INSERT INTO %t VALUES (1)"), 2);
  EXPECT_EQ(witness.told.size(), 1U);
  EXPECT_EQ(commit_trips({}, "SELECT * FROM %t"), 2);
  EXPECT_EQ(commit_trips({.access = Access::kReadOnly}, "SELECT * FROM %t"), 1);
  EXPECT_EQ(witness.told.size(), 1U);  // nothing was written
}

// T14
TEST_F(PostgresCommit, TellsTheWitnessBeforeAnythingIsCommitted) {
  RecordingWitness witness([&] {
    EXPECT_EQ(CountRows(), 0);
    return absl::OkStatus();
  });
  EXPECT_EQ(RunBatch(connection(), 1, witness), absl::OkStatus());
  ASSERT_EQ(witness.told.size(), 1U);
  EXPECT_EQ(std::to_string(witness.told[0].transaction),
            MustGetText(admin(), Sql("SELECT xmin::text FROM %t")));
  EXPECT_EQ(FinalOutcome(witness.told[0]), CommitFate::kCommitted);
}

TEST_F(PostgresCommit, RollsBackWhatTheWitnessRefuses) {
  const absl::Status refusal = absl::CancelledError("nobody listens any more");
  RecordingWitness witness([&] { return absl::Status(refusal); });
  EXPECT_EQ(RunBatch(connection(), 1, witness), refusal);
  EXPECT_EQ(TryRun(connection(), Sql("INSERT INTO %t VALUES (2) RETURNING id"), Soon(),
                   {.witness = &witness}),
            refusal);
  ASSERT_EQ(connection().Begin({}, {}, Soon()), absl::OkStatus());
  MustRun(connection(), Sql("INSERT INTO %t VALUES (3)"));
  EXPECT_EQ(connection().Commit(Soon(), &witness), refusal);
  EXPECT_EQ(connection().transaction_state(), TransactionState::kIdle);
  EXPECT_FALSE(connection().broken());
  EXPECT_EQ(CountRows(), 0);
  ASSERT_EQ(witness.told.size(), 3U);
  for (const CommitId& id : witness.told) EXPECT_EQ(FinalOutcome(id), CommitFate::kRolledBack);
}

TEST_F(PostgresCommit, RollsBackWhenTheDeadlinePassesWhileTheWitnessIsTold) {
  RecordingWitness witness([] {
    std::this_thread::sleep_for(milliseconds(400));
    return absl::OkStatus();
  });
  CollectingBatchSink sink;
  const absl::Status status = connection().ExecuteBatch(Insert(1), {}, {.witness = &witness},
                                                        Within(milliseconds(300)), sink);
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_EQ(DetailOf(status).outcome, Outcome::kNothingDone);
  EXPECT_EQ(CountRows(), 0);
}

TEST_F(PostgresCommit, IsAbortedAndNotInDoubtWhenTheServerGoesWhileTheWitnessIsTold) {
  auto other = Open();
  const pid_t backend = BackendOf(*other);
  RecordingWitness witness([&] {
    Kill(backend);
    return absl::OkStatus();
  });
  const absl::Status status = RunBatch(*other, 1, witness);
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
  EXPECT_EQ(DetailOf(status).outcome, Outcome::kNothingDone);
  EXPECT_EQ(CountRows(), 0);
}

// T14
TEST_F(PostgresCommit, IsFoundCommittedWhenOnlyItsAnswerWasLost) {
  TcpProxy proxy(ServerPort());
  for (int id = 1; id <= 3; ++id) {
    auto lossy = OpenThrough(proxy.port());
    RecordingWitness witness;
    proxy.CutAnswerTo("COMMIT");
    absl::Status status;
    if (id == 1) {
      status = RunBatch(*lossy, id, witness);
    } else if (id == 2) {
      status = TryRun(*lossy, Sql("INSERT INTO %t VALUES (2)"), Soon(), {.witness = &witness});
    } else {
      ASSERT_EQ(lossy->Begin({}, {}, Soon()), absl::OkStatus());
      MustRun(*lossy, Sql("INSERT INTO %t VALUES (3)"));
      status = lossy->Commit(Soon(), &witness);
    }
    proxy.CutAnswerTo("");
    EXPECT_EQ(DetailOf(status).reason, "COMMIT_IN_DOUBT") << status;
    ASSERT_EQ(witness.told.size(), 1U);
    EXPECT_EQ(FinalOutcome(witness.told[0]), CommitFate::kCommitted);
    EXPECT_EQ(CountRows(), id);
  }
}

// T14
TEST_F(PostgresCommit, IsFoundRolledBackWhenItNeverReachedTheServer) {
  TcpProxy proxy(ServerPort());
  auto lossy = OpenThrough(proxy.port());
  RecordingWitness witness;
  proxy.CutBefore("COMMIT");
  const absl::Status status = RunBatch(*lossy, 1, witness);
  EXPECT_EQ(DetailOf(status).reason, "COMMIT_IN_DOUBT") << status;
  ASSERT_EQ(witness.told.size(), 1U);
  EXPECT_EQ(FinalOutcome(witness.told[0]), CommitFate::kRolledBack);
  EXPECT_EQ(CountRows(), 0);
}

TEST_F(PostgresCommit, IsInProgressUntilTheServerHasDecided) {
  RecordingWitness witness([&] {
    const auto fate = admin().OutcomeOf(witness.told.back(), Soon());
    EXPECT_TRUE(fate.ok() && *fate == CommitFate::kInProgress) << fate.status();
    return absl::OkStatus();
  });
  EXPECT_EQ(RunBatch(connection(), 1, witness), absl::OkStatus());
}

TEST_F(PostgresCommit, CannotBeToldOfANumberThatWasNotGivenOutOrOfAnotherServer) {
  RecordingWitness witness;
  ASSERT_EQ(RunBatch(connection(), 1, witness), absl::OkStatus());
  CommitId id = witness.told.at(0);
  id.transaction += 1'000'000'000;
  absl::Status status = connection().OutcomeOf(id, Soon()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
  EXPECT_EQ(DetailOf(status).reason, "OUTCOME_FORGOTTEN");
  id = witness.told[0];
  ++id.server.system;
  status = connection().OutcomeOf(id, Soon()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_EQ(DetailOf(status).reason, "OUTCOME_ELSEWHERE");
  EXPECT_EQ(connection().Ping(Soon()), absl::OkStatus());
}

TEST_F(PostgresCommit, CanBeNamedAndAskedForByAnOrdinaryLogin) {
  const std::string role = table_ + "_login";
  MustRun(admin(), absl::StrFormat("CREATE ROLE %s LOGIN PASSWORD 'p'", role));
  MustRun(admin(), absl::StrFormat("GRANT INSERT ON %s TO %s", table_, role));
  const std::string& url = TestPostgresUrl();
  auto opened =
      MakeConnector("postgresql://" + role + ":p" + url.substr(url.find('@')))->Open(Soon());
  ASSERT_TRUE(opened.ok()) << opened.status();
  RecordingWitness witness;
  EXPECT_EQ(RunBatch(**opened, 1, witness), absl::OkStatus());
  ASSERT_EQ(witness.told.size(), 1U);
  EXPECT_NE(witness.told[0].server.timeline, 0U);
  const auto fate = (*opened)->OutcomeOf(witness.told[0], Soon());
  EXPECT_TRUE(fate.ok() && *fate == CommitFate::kCommitted) << fate.status();
  opened->reset();
  MustRun(admin(), absl::StrFormat("DROP OWNED BY %s", role));
  MustRun(admin(), absl::StrFormat("DROP ROLE %s", role));
}

// T13, T15
TEST_F(PostgresCommit, SaysNothingOfACommitThatTheServerRefused) {
  MustRun(admin(), Sql("ALTER TABLE %t ADD FOREIGN KEY (id) REFERENCES %t (id) "
                       "DEFERRABLE INITIALLY DEFERRED"));
  MustRun(admin(), Sql("ALTER TABLE %t ADD COLUMN other bigint REFERENCES %t (id) "
                       "DEFERRABLE INITIALLY DEFERRED"));
  CollectingBatchSink sink;
  RecordingWitness witness;
  const std::vector<GuardedStatement> batch = {
      {{.sql = Sql("INSERT INTO %t (id, other) VALUES (1, 99)")}, std::nullopt}};
  const absl::Status status =
      connection().ExecuteBatch(batch, {}, {.witness = &witness}, Soon(), sink);
  EXPECT_EQ(DetailOf(status).sqlstate, "23503") << status;
  EXPECT_EQ(DetailOf(status).outcome, Outcome::kNothingDone);
  ASSERT_EQ(witness.told.size(), 1U);
  EXPECT_EQ(FinalOutcome(witness.told[0]), CommitFate::kRolledBack);
}

}  // namespace
}  // namespace emsdb
