// PostgreSQL: what becomes of statements and transactions whose connection, backend or link is
// lost at the worst moment.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "tests/contract/postgres_fixture.h"
#include "tests/support/tcp_proxy.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

using PostgresLoss = PostgresDriver;

// A deadline, the driver's grace of 500 ms, and room for a busy machine.
constexpr Duration kDeadline = milliseconds(300);
constexpr Duration kLatest = kDeadline + milliseconds(500) + milliseconds(700);

class Stopwatch {
 public:
  Duration Elapsed() const { return Clock::Real().Now() - start_; }

 private:
  Instant start_ = Clock::Real().Now();
};

// T12
TEST_F(PostgresLoss, ATransactionDiesWithItsBackendAtEveryStatementBoundary) {
  constexpr int kStatements = 4;
  for (int killed_before = 0; killed_before <= kStatements; ++killed_before) {
    SCOPED_TRACE(killed_before);
    auto connection = Open();
    const pid_t backend = BackendOf(*connection);
    ASSERT_EQ(connection->Begin({}, {}, Soon()), absl::OkStatus());
    for (int i = 0; i < kStatements; ++i) {
      if (i == killed_before) Kill(backend);
      const absl::Status status =
          TryRun(*connection, absl::StrFormat("%s (%d)", Sql("INSERT INTO %t VALUES"), i));
      if (i < killed_before) {
        EXPECT_EQ(status, absl::OkStatus());
      } else {
        EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
        EXPECT_EQ(DetailOf(status).reason, "TX_CONNECTION_LOST");
        EXPECT_EQ(DetailOf(status).sqlstate, "57P01");
      }
    }
    if (killed_before == kStatements) Kill(backend);
    EXPECT_EQ(connection->Commit(Soon()).code(), absl::StatusCode::kAborted);
    EXPECT_TRUE(connection->broken());
    EXPECT_EQ(connection->transaction_state(), TransactionState::kUnknown);
    EXPECT_EQ(connection->RollBack(Soon()), absl::OkStatus());
    EXPECT_EQ(CountRows(), 0);
  }
}

TEST_F(PostgresLoss, NothingIsSentOnAConnectionThatTheServerHasEnded) {
  Kill(BackendOf(connection()));
  const absl::Status status = TryRun(connection(), Sql("INSERT INTO %t VALUES (1)"));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_EQ(DetailOf(status).retry, Retry::kYes);
  EXPECT_TRUE(connection().broken());
  EXPECT_FALSE(connection().LooksAlive());
  EXPECT_EQ(connection().Ping(Soon()).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(CountRows(), 0);
}

TEST_F(PostgresLoss, ALookAtTheSocketShowsThatTheServerHungUp) {
  EXPECT_TRUE(connection().LooksAlive());
  Kill(BackendOf(connection()));
  EXPECT_FALSE(connection().LooksAlive());
  EXPECT_TRUE(connection().broken());
  EXPECT_FALSE(connection().given_up());
}

TEST_F(PostgresLoss, AStatementThatTheServerEndedWithItsSessionHasDoneNothing) {
  const pid_t backend = BackendOf(connection());
  std::thread killer([&] {
    std::this_thread::sleep_for(milliseconds(150));
    MustRun(admin(), "SELECT pg_terminate_backend($1)", {std::int64_t{backend}});
  });
  const absl::Status status =
      TryRun(connection(), Sql("INSERT INTO %t SELECT 1, pg_sleep(30)::text"));
  killer.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_EQ(DetailOf(status).sqlstate, "57P01");
  EXPECT_EQ(DetailOf(status).outcome, Outcome::kNothingDone);
  EXPECT_TRUE(connection().broken());
  EXPECT_EQ(CountRows(), 0);
}

// The rule for a server that is stopped: only one's own poll ends a wait on it.
TEST_F(PostgresLoss, AStoppedBackendHoldsNoReadBeyondItsDeadline) {
  const StoppedProcess stopped(BackendOf(connection()));
  const Stopwatch watch;
  const absl::Status status =
      TryRun(connection(), "SELECT 1", {.deadline = After(Clock::Real().Now(), kDeadline)});
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_EQ(DetailOf(status).outcome, Outcome::kNothingDone);
  EXPECT_LT(watch.Elapsed(), kLatest);
  EXPECT_TRUE(connection().broken());
  EXPECT_TRUE(connection().given_up());
}

TEST_F(PostgresLoss, AWriteOnAStoppedBackendIsInDoubtAtItsDeadline) {
  {
    const StoppedProcess stopped(BackendOf(connection()));
    const Stopwatch watch;
    const absl::Status status = TryRun(connection(), Sql("INSERT INTO %t VALUES (1)"),
                                       {.deadline = After(Clock::Real().Now(), kDeadline)});
    EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
    EXPECT_EQ(DetailOf(status).outcome, Outcome::kUnknown);
    EXPECT_EQ(DetailOf(status).retry, Retry::kNo);
    EXPECT_LT(watch.Elapsed(), kLatest);
    EXPECT_TRUE(connection().broken());
  }
}

TEST_F(PostgresLoss, AWriteThatReturnsRowsOnAStoppedBackendIsInNoDoubt) {
  {
    const StoppedProcess stopped(BackendOf(connection()));
    const absl::Status status = TryRun(connection(), Sql("INSERT INTO %t VALUES (1) RETURNING id"),
                                       {.deadline = After(Clock::Real().Now(), kDeadline)});
    EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
    EXPECT_EQ(DetailOf(status).outcome, Outcome::kNothingDone);
  }
  std::this_thread::sleep_for(milliseconds(200));
  EXPECT_EQ(CountRows(), 0);
}

// T14
TEST_F(PostgresLoss, ACommitOnAStoppedBackendIsInDoubtAtItsDeadline) {
  ASSERT_EQ(connection().Begin({}, {}, Soon()), absl::OkStatus());
  MustRun(connection(), Sql("INSERT INTO %t VALUES (1)"));
  const StoppedProcess stopped(BackendOf(connection()));
  const Stopwatch watch;
  const absl::Status status = connection().Commit(Within(kDeadline));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnknown) << status;
  EXPECT_EQ(DetailOf(status).reason, "COMMIT_IN_DOUBT");
  EXPECT_EQ(DetailOf(status).stage, Stage::kCommitting);
  EXPECT_LT(watch.Elapsed(), kLatest);
  EXPECT_TRUE(connection().broken());
  // Asked again it does not pretend to know better.
  EXPECT_EQ(connection().Commit(Soon()).code(), absl::StatusCode::kUnknown);
}

TEST_F(PostgresLoss, AStoppedBackendHoldsNeitherPingNorRollBackBeyondTheDeadline) {
  {
    const StoppedProcess stopped(BackendOf(connection()));
    const Stopwatch watch;
    EXPECT_EQ(connection().Ping(Within(kDeadline)).code(), absl::StatusCode::kDeadlineExceeded);
    EXPECT_LT(watch.Elapsed(), kLatest);
    EXPECT_TRUE(connection().broken());
  }
  auto other = Open();
  ASSERT_EQ(other->Begin({}, {}, Soon()), absl::OkStatus());
  const StoppedProcess stopped(BackendOf(*other));
  const Stopwatch watch;
  EXPECT_FALSE(other->RollBack(Within(kDeadline)).ok());
  EXPECT_LT(watch.Elapsed(), kLatest);
  EXPECT_TRUE(other->broken());
}

TEST_F(PostgresLoss, ABatchOnAStoppedBackendIsRolledBackAtItsDeadline) {
  {
    const StoppedProcess stopped(BackendOf(connection()));
    CollectingBatchSink sink;
    const std::vector<GuardedStatement> batch = {
        {{.sql = Sql("INSERT INTO %t VALUES (1)")}, std::nullopt}};
    const absl::Status status = connection().ExecuteBatch(batch, {}, {}, Within(kDeadline), sink);
    EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
    EXPECT_EQ(DetailOf(status).outcome, Outcome::kNothingDone);
  }
  std::this_thread::sleep_for(milliseconds(200));
  EXPECT_EQ(CountRows(), 0);
}

// T14
TEST_F(PostgresLoss, ACommitWhoseAnswerIsLostIsUnknown) {
  TcpProxy proxy(ServerPort());
  auto connection = OpenThrough(proxy.port());
  ASSERT_EQ(connection->Begin({}, {}, Soon()), absl::OkStatus());
  MustRun(*connection, Sql("INSERT INTO %t VALUES (1)"));
  proxy.CutAnswerTo("COMMIT");
  const absl::Status status = connection->Commit(Soon());
  EXPECT_EQ(status.code(), absl::StatusCode::kUnknown) << status;
  EXPECT_EQ(DetailOf(status).reason, "COMMIT_IN_DOUBT");
  EXPECT_EQ(DetailOf(status).outcome, Outcome::kUnknown);
  EXPECT_EQ(DetailOf(status).retry, Retry::kNo);
  EXPECT_EQ(CountRows(), 1);  // it was done, and nobody here could know
}

// T17
TEST_F(PostgresLoss, AnAutocommitWriteWhoseAnswerIsLostIsUnknown) {
  TcpProxy proxy(ServerPort());
  auto connection = OpenThrough(proxy.port());
  proxy.CutAnswerTo("INSERT");
  const absl::Status status = TryRun(*connection, Sql("INSERT INTO %t VALUES (1)"));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnknown) << status;
  EXPECT_EQ(DetailOf(status).reason, "OUTCOME_UNKNOWN");
  EXPECT_EQ(CountRows(), 1);
}

TEST_F(PostgresLoss, AReadWhoseAnswerIsLostMayBeRepeated) {
  TcpProxy proxy(ServerPort());
  for (const Access access : {Access::kReadWrite, Access::kReadOnly}) {
    auto connection = OpenThrough(proxy.port());
    proxy.CutAnswerTo("SELECT 'cut here'");
    const absl::Status status =
        TryRun(*connection, "SELECT 'cut here'", Soon(), {.access = access});
    proxy.CutAnswerTo("");
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
    EXPECT_EQ(DetailOf(status).retry, Retry::kYes);
    EXPECT_TRUE(connection->broken());
  }
}

TEST_F(PostgresLoss, AStatementWhoseAnswerIsLostInATransactionEndsIt) {
  TcpProxy proxy(ServerPort());
  auto connection = OpenThrough(proxy.port());
  ASSERT_EQ(connection->Begin({}, {}, Soon()), absl::OkStatus());
  proxy.CutAnswerTo("INSERT");
  const absl::Status status = TryRun(*connection, Sql("INSERT INTO %t VALUES (1)"));
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
  EXPECT_EQ(DetailOf(status).reason, "TX_CONNECTION_LOST");
  EXPECT_EQ(connection->Commit(Soon()).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(CountRows(), 0);
}

TEST_F(PostgresLoss, ABatchIsAbortedBeforeItsCommitAndInDoubtAfterIt) {
  TcpProxy proxy(ServerPort());
  const std::vector<GuardedStatement> batch = {
      {{.sql = Sql("INSERT INTO %t VALUES (1)")}, std::nullopt}};
  auto first = OpenThrough(proxy.port());
  proxy.CutAnswerTo("INSERT");
  CollectingBatchSink sink;
  absl::Status status = first->ExecuteBatch(batch, {}, {}, Soon(), sink);
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
  EXPECT_EQ(CountRows(), 0);

  proxy.CutAnswerTo("COMMIT");
  auto second = OpenThrough(proxy.port());
  status = second->ExecuteBatch(batch, {}, {}, Soon(), sink);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnknown) << status;
  EXPECT_EQ(DetailOf(status).reason, "COMMIT_IN_DOUBT");
  EXPECT_EQ(CountRows(), 1);
}

// T6
TEST_F(PostgresLoss, SaysThatTheServerEndedATransactionThatIdledTooLong) {
  ASSERT_EQ(connection().Begin({.server_idle_timeout = milliseconds(50)}, {}, Soon()),
            absl::OkStatus());
  while (connection().LooksAlive()) std::this_thread::sleep_for(milliseconds(10));
  const absl::Status status = TryRun(connection(), "SELECT 1");
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
  EXPECT_EQ(DetailOf(status).sqlstate, "25P03");
}

// Connecting.

TEST_F(PostgresLoss, ConnectingToAServerThatNeverAnswersEndsAtTheDeadline) {
  const SilentServer silent;
  auto connector = MakeConnector(UrlWithPort(silent.port()));
  Stopwatch watch;
  const auto opened = connector->Open(Within(milliseconds(200)));
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kDeadlineExceeded) << opened.status();
  EXPECT_EQ(DetailOf(opened.status()).stage, Stage::kConnecting);
  EXPECT_LT(watch.Elapsed(), seconds(1));
}

TEST_F(PostgresLoss, ConnectingEndsWhenItIsToldToStop) {
  const SilentServer silent;
  StopSignal stop;
  std::thread stopper([&stop] {
    std::this_thread::sleep_for(milliseconds(100));
    stop.Raise(StopReason::kShutdown);
  });
  const Stopwatch watch;
  const auto opened = MakeConnector(UrlWithPort(silent.port()))->Open(Within(seconds(20), &stop));
  stopper.join();
  EXPECT_EQ(DetailOf(opened.status()).reason, "SHUTDOWN") << opened.status();
  EXPECT_LT(watch.Elapsed(), seconds(2));
}

TEST_F(PostgresLoss, AConnectTimeoutInTheUrlIsKept) {
  const SilentServer silent;
  const std::string url = absl::StrFormat("%s?connect_timeout=1", UrlWithPort(silent.port()));
  const Stopwatch watch;
  EXPECT_EQ(MakeConnector(url)->Open(Within(seconds(20))).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_LT(watch.Elapsed(), seconds(3));
}

TEST_F(PostgresLoss, AWrongPasswordIsRefusedWithoutShowingIt) {
  const auto opened = MakeConnector(UrlWithPassword("hunter2-secret"))->Open(Soon());
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kUnavailable) << opened.status();
  EXPECT_EQ(DetailOf(opened.status()).sqlstate, "28P01");
  EXPECT_EQ(DetailOf(opened.status()).retry, Retry::kNo);
  EXPECT_EQ(opened.status().message(), "the server refused the gateway's password");
  const std::string cause = DetailOf(opened.status()).for_operators;
  EXPECT_THAT(cause, HasSubstr("password authentication failed for user"));
  EXPECT_THAT(cause, testing::Not(HasSubstr("hunter2")));
}

// libpq quotes the database's name from the URL in the server's own bytes.
TEST_F(PostgresLoss, AConnectErrorIsValidUtf8WhateverBytesTheServerSent) {
  const std::string url = UrlWithParameters("?dbname=no_%F4le");
  const auto opened = MakeConnector(url)->Open(Soon());
  EXPECT_EQ(DetailOf(opened.status()).sqlstate, "3D000") << opened.status();
  EXPECT_EQ(opened.status().message(), "the server has no such database");
  EXPECT_THAT(DetailOf(opened.status()).for_operators, HasSubstr("no_?le"));
}

TEST_F(PostgresLoss, APortWhereNobodyListensIsUnavailable) {
  int port = 0;
  { port = SilentServer().port(); }
  const auto opened = MakeConnector(UrlWithPort(port))->Open(Soon());
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kUnavailable) << opened.status();
  EXPECT_EQ(DetailOf(opened.status()).stage, Stage::kConnecting);
  EXPECT_EQ(opened.status().message(), "no connection: Connection refused");
  EXPECT_THAT(DetailOf(opened.status()).for_operators, HasSubstr(absl::StrFormat("%d", port)));
}

TEST_F(PostgresLoss, ASilentHostTakesOnlyItsShareOfTheTime) {
  const SilentServer silent;
  const std::string url =
      UrlWithHosts(absl::StrFormat("127.0.0.1:%d,127.0.0.1:%d", silent.port(), ServerPort()));
  const Stopwatch watch;
  const auto opened = MakeConnector(url)->Open(Within(seconds(2)));
  EXPECT_TRUE(opened.ok()) << opened.status();
  EXPECT_LT(watch.Elapsed(), seconds(2));
}

TEST_F(PostgresLoss, AHostIsFoundByItsName) {
  const auto opened =
      MakeConnector(UrlWithHosts(absl::StrFormat("localhost:%d", ServerPort())))->Open(Soon());
  EXPECT_TRUE(opened.ok()) << opened.status();
  const auto unknown =
      MakeConnector(UrlWithHosts("no-such-host.invalid"))->Open(Within(seconds(5)));
  EXPECT_TRUE(unknown.status().code() == absl::StatusCode::kUnavailable ||
              unknown.status().code() == absl::StatusCode::kDeadlineExceeded)
      << unknown.status();
}

TEST(PostgresConnector, RefusesAUrlThatIsNoneWithoutShowingIt) {
  const auto connector =
      PostgresConnector::Create({.uri = "postgresql://me:hunter2@host:notaport/x"}, Clock::Real());
  // libpq takes any text for a port until it connects.
  if (!connector.ok()) {
    EXPECT_THAT(std::string(connector.status().message()), testing::Not(HasSubstr("hunter2")));
  }
  const auto broken =
      PostgresConnector::Create({.uri = "postgresql://me:hunter2@[::1"}, Clock::Real());
  EXPECT_EQ(broken.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(broken.status().message()), testing::Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace emsdb
