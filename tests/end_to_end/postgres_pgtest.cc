// The main job, end to end: the real gateway, a real client, a real PostgreSQL.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <future>
#include <string>
#include <thread>

#include "client/client.h"
#include "client/error_info.h"
#include "tests/end_to_end/postgres_fixture.h"
#include "tests/support/gateway_process.h"

namespace emsdb {
namespace {

using client::BatchStatement;
using client::Client;
using client::ErrorInfoOf;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::Not;

Client Connect(const GatewayProcess& gateway, const std::string& caller = "test") {
  return *Client::Connect(
      {.address = gateway.address(), .caller = caller, .retry = {.max_attempts = 1}});
}

std::int64_t Number(const client::Value& value) {
  const std::int64_t* number = value.get_if<std::int64_t>();
  return number == nullptr ? -1 : *number;
}

class Postgres : public ::testing::Test {
 protected:
  Environment Settings(const Environment& more = {}) const {
    Environment settings = {{"DATABASE_URL", database_.url()}};
    settings.insert(more.begin(), more.end());
    return settings;
  }

  std::int64_t Balance(int account) const {
    return std::stoll(
        database_.Run("select balance from accounts where id = " + std::to_string(account)));
  }

  void MakeAccounts() const {
    database_.Run(
        "create table accounts (id int primary key, balance bigint not null check (balance >= 0));"
        "insert into accounts values (1, 100), (2, 100)");
  }

  // Returns when a statement with this text runs in the database.
  void AwaitRunning(const std::string& text) const {
    while (Ask(TestPostgresUrl(),
               "select count(*) from pg_stat_activity where state = 'active' "
               "and query like '%" +
                   text + "%' and datname = '" + database_.name() + "'") == "0") {
    }
  }

  const OwnDatabase database_;
};

constexpr char kTake[] = "update accounts set balance = balance - $1 where id = $2";
constexpr char kGive[] = "update accounts set balance = balance + $1 where id = $2";

TEST_F(Postgres, CountsAMillionRowsByTheCommandLineClient) {
  database_.Run(
      "create table pgbench_accounts as select g as aid, 1 as bid, 0 as abalance, "
      "repeat(' ', 84) as filler from generate_series(1, 1000000) g");
  GatewayProcess gateway(Settings());
  const Ended counted = RunProgram(
      ClientProgram(), {"query", "--format", "csv", "SELECT count(*) FROM pgbench_accounts"},
      {{"EMSDB_ADDRESS", gateway.address()}});
  EXPECT_EQ(counted.status, 0) << counted.err;
  EXPECT_THAT(counted.out, HasSubstr("1000000"));
}

// T62
TEST_F(Postgres, StreamsAMillionRowsInFlatMemory) {
  GatewayProcess gateway(Settings());
  const Client client = Connect(gateway);
  ASSERT_TRUE(client.Query("main", "select 1").ok());
  const std::size_t before = gateway.resident_bytes();
  auto stream =
      client.StreamQuery("main", "select g, repeat('x', 84) from generate_series(1, 1000000) g", {},
                         {.call = {.deadline = seconds(60)}});
  ASSERT_TRUE(stream.ok()) << stream.status();
  client::Row row;
  std::int64_t rows = 0;
  std::int64_t sum = 0;
  for (;;) {
    const auto more = stream->Next(row);
    ASSERT_TRUE(more.ok()) << more.status();
    if (!*more) break;
    ++rows;
    sum += Number(row[0]);
  }
  EXPECT_EQ(rows, 1000000);
  EXPECT_EQ(sum, 500000500000);
  const std::size_t grown = gateway.resident_bytes() - before;
  std::cout << "resident memory grew by " << grown / 1024 << " KiB\n";
  EXPECT_LT(grown, std::size_t{64} << 20);
}

TEST_F(Postgres, TransfersThroughALeasedTransaction) {
  MakeAccounts();
  GatewayProcess gateway(Settings());
  auto transfer = Connect(gateway).Begin("main");
  ASSERT_TRUE(transfer.ok()) << transfer.status();
  ASSERT_TRUE(transfer->Query(kTake, {30, 1}).ok());
  ASSERT_TRUE(transfer->Query(kGive, {30, 2}).ok());
  EXPECT_EQ(Balance(1), 100);
  ASSERT_TRUE(transfer->Commit().ok());
  EXPECT_EQ(Balance(1), 70);
  EXPECT_EQ(Balance(2), 130);
}

TEST_F(Postgres, TransfersThroughABatch) {
  MakeAccounts();
  GatewayProcess gateway(Settings());
  const auto results = Connect(gateway).ExecuteBatch(
      "main", {BatchStatement{kTake, {30, 1}, 1}, BatchStatement{kGive, {30, 2}, 1}});
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ((*results)[0].rows_affected, 1);
  EXPECT_EQ(Balance(1), 70);
  EXPECT_EQ(Balance(2), 130);
}

TEST_F(Postgres, ChangesNothingWhenABatchMissesItsRows) {
  MakeAccounts();
  GatewayProcess gateway(Settings());
  const auto results = Connect(gateway).ExecuteBatch(
      "main", {BatchStatement{kTake, {30, 1}, 1}, BatchStatement{kGive, {30, 99}, 1}});
  EXPECT_EQ(results.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorInfoOf(results.status()).reason, "ROWS_MISMATCH");
  EXPECT_EQ(ErrorInfoOf(results.status()).Get("statement"), "1");
  EXPECT_EQ(Balance(1), 100);
}

// T30 has its own test in the pool; this is the whole way of a wait that ends.
TEST_F(Postgres, RefusesASecondCallWhenThePoolOfOneIsBusy) {
  GatewayProcess gateway(
      Settings({{"DB_POOL_SIZE", "1"}, {"DB_MAX_OVERFLOW", "0"}, {"DB_POOL_TIMEOUT", "1"}}));
  const Client client = Connect(gateway, "dispatch-api");
  auto sleeping =
      std::async(std::launch::async, [&] { return client.Query("main", "select pg_sleep(3)"); });
  AwaitRunning("pg_sleep(3)");
  const auto began = steady_clock::now();
  const auto second = client.Query("main", "select 1");
  const auto took = steady_clock::now() - began;
  EXPECT_EQ(second.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(second.status().message()),
              HasSubstr("QueuePool limit of size 1 overflow 0 reached, connection timed out, "
                        "timeout 1.00; held by dispatch-api 1"));
  EXPECT_GE(took, milliseconds(990));
  EXPECT_LT(took, milliseconds(2500));
  EXPECT_TRUE(sleeping.get().ok());
}

// T28, T29
TEST_F(Postgres, AnswersTheNextCallAfterEveryPooledConnectionWasKilled) {
  GatewayProcess gateway(Settings({{"DB_POOL_SIZE", "3"}}));
  const Client client = Connect(gateway);
  for (int round = 0; round < 3; ++round) {
    std::vector<std::future<bool>> calls;
    for (int i = 0; i < 3; ++i) {
      calls.push_back(std::async(
          std::launch::async, [&] { return client.Query("main", "select pg_sleep(0.05)").ok(); }));
    }
    for (auto& call : calls) EXPECT_TRUE(call.get());
    database_.KillBackends();
    const auto next = client.Query("main", "select 1");
    EXPECT_TRUE(next.ok()) << next.status();
  }
}

// T12
TEST_F(Postgres, EndsATransactionForGoodWhenItsBackendIsKilledAtAnyStatementBoundary) {
  database_.Run("create table notes (step int)");
  GatewayProcess gateway(Settings());
  const Client client = Connect(gateway);
  constexpr int kStatements = 3;
  for (int killed_after = 0; killed_after <= kStatements; ++killed_after) {
    auto transaction = client.Begin("main");
    ASSERT_TRUE(transaction.ok()) << transaction.status();
    for (int step = 0; step < kStatements; ++step) {
      if (step == killed_after) database_.KillBackends();
      const auto noted = transaction->Query("insert into notes values ($1)", {step});
      EXPECT_EQ(noted.ok(), step < killed_after) << noted.status();
      if (step >= killed_after) {
        EXPECT_EQ(noted.status().code(), absl::StatusCode::kAborted) << noted.status();
      }
    }
    if (killed_after == kStatements) database_.KillBackends();
    const absl::Status committed = transaction->Commit();
    EXPECT_FALSE(committed.ok());
    EXPECT_EQ(database_.Run("select count(*) from notes"), "0") << "after " << killed_after;
  }
}

// A stopped server answers nothing and closes nothing.
TEST_F(Postgres, EndsACallAtItsDeadlineThoughTheBackendIsStopped) {
  GatewayProcess gateway(Settings({{"DB_POOL_SIZE", "1"}, {"DB_MAX_OVERFLOW", "0"}}));
  const Client client = Connect(gateway);
  const auto pid = client.Query("main", "select pg_backend_pid()");
  ASSERT_TRUE(pid.ok()) << pid.status();
  const auto backend = static_cast<pid_t>(Number(pid->rows[0][0]));
  ASSERT_EQ(kill(backend, SIGSTOP), 0);
  const auto began = steady_clock::now();
  const auto read = client.Query("main", "select 1", {}, {.call = {.deadline = seconds(1)}});
  const auto took = steady_clock::now() - began;
  kill(backend, SIGCONT);
  EXPECT_EQ(read.status().code(), absl::StatusCode::kDeadlineExceeded) << read.status();
  EXPECT_LT(took, milliseconds(1900));
  const auto next = client.Query("main", "select 1");
  EXPECT_TRUE(next.ok()) << next.status();
}

TEST_F(Postgres, UsesADatabaseThatWasAwayAtTheStartAsSoonAsItIsBack) {
  const std::string real = Ask(TestPostgresUrl(), "show unix_socket_directories");
  const std::string port = Ask(TestPostgresUrl(), "show port");
  const std::string socket = "/.s.PGSQL." + port;
  TemporaryDirectory directory;
  const std::string& server = TestPostgresUrl();
  const std::string user = server.substr(0, server.rfind('@'));
  GatewayProcess gateway({{"DATABASE_URL", user + "@/" + database_.name() +
                                               "?host=" + directory.path() + "&port=" + port}});
  const Client client = Connect(gateway);
  const auto away = client.Query("main", "select 1");
  EXPECT_EQ(away.status().code(), absl::StatusCode::kUnavailable) << away.status();
  EXPECT_EQ(*client.Health("main"), client::HealthStatus::kNotServing);
  std::filesystem::create_symlink(real + socket, directory.path() + socket);
  absl::Status back = absl::UnknownError("not asked");
  for (const auto end = steady_clock::now() + seconds(5);
       !back.ok() && steady_clock::now() < end;) {
    back = client.Query("main", "select 1").status();
  }
  EXPECT_TRUE(back.ok()) << back;
}

// T37, T48
TEST_F(Postgres, WarnsOfABudgetBeyondTheServersConnectionsAndOfALoginAboveRowSecurity) {
  GatewayProcess gateway(Settings({{"DB_POOL_SIZE", "1000"}}));
  for (const auto end = steady_clock::now() + seconds(5);
       gateway.log().find("row-level security") == std::string::npos &&
       steady_clock::now() < end;) {
  }
  EXPECT_THAT(gateway.log(), HasSubstr("connection budget exceeds what the server allows"));
  EXPECT_THAT(gateway.log(), HasSubstr("\"connections\":4040"));
  EXPECT_THAT(gateway.log(), HasSubstr("the login is not bound by row-level security"));
}

// T39
TEST_F(Postgres, DrainsOnSigtermAndLetsRunningCallsFinish) {
  GatewayProcess gateway(Settings());
  const Client client = Connect(gateway);
  auto running =
      std::async(std::launch::async, [&] { return client.Query("main", "select pg_sleep(1)"); });
  AwaitRunning("pg_sleep(1)");
  gateway.Signal(SIGTERM);
  while (gateway.log().find("draining") == std::string::npos) {
  }
  absl::StatusOr<client::HealthStatus> health = client::HealthStatus::kServing;
  for (const auto end = steady_clock::now() + milliseconds(500);
       health.ok() && *health == client::HealthStatus::kServing && steady_clock::now() < end;) {
    health = client.Health("main");
  }
  ASSERT_TRUE(health.ok()) << health.status();
  EXPECT_EQ(*health, client::HealthStatus::kNotServing);
  EXPECT_EQ(client.Query("main", "select 1").status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(running.get().ok());
  EXPECT_EQ(gateway.Wait(), 0);
}

TEST_F(Postgres, StopsWhatStillRunsWhenTheDrainTimeIsOver) {
  GatewayProcess gateway(Settings({{"EMSDB_DRAIN_TIMEOUT", "0.3"}}));
  const Client client = Connect(gateway);
  auto running =
      std::async(std::launch::async, [&] { return client.Query("main", "select pg_sleep(20)"); });
  AwaitRunning("pg_sleep(20)");
  const auto began = steady_clock::now();
  EXPECT_EQ(gateway.Terminate(), 0);
  EXPECT_LT(steady_clock::now() - began, seconds(5));
  EXPECT_FALSE(running.get().ok());
}

// T68
TEST_F(Postgres, WritesNoValueIntoTheLog) {
  database_.Run("create table patients (id int primary key, name text)");
  GatewayProcess gateway(Settings());
  const Client client = Connect(gateway);
  EXPECT_FALSE(client.Query("main", "select $1::int", {"Margarethe-Muster"}).ok());
  EXPECT_FALSE(client.Query("main", "select 'Margarethe-Muster'::int").ok());
  for (int i = 0; i < 2; ++i) {
    client.Query("main", "insert into patients values (7771234, 'Margarethe-Muster')")
        .status()
        .IgnoreError();
  }
  EXPECT_EQ(gateway.Terminate(), 0);
  EXPECT_THAT(gateway.log(), HasSubstr("23505"));
  EXPECT_THAT(gateway.log(), Not(HasSubstr("Muster")));
  EXPECT_THAT(gateway.log(), Not(HasSubstr("7771234")));
}

// T11
TEST_F(Postgres, RollsBackATransactionThatNobodyUses) {
  MakeAccounts();
  GatewayProcess gateway(Settings());
  const Client client = Connect(gateway);
  auto forgotten = client.Begin("main", {.idle_timeout = milliseconds(200)});
  ASSERT_TRUE(forgotten.ok()) << forgotten.status();
  ASSERT_TRUE(forgotten->Query(kTake, {30, 1}).ok());
  while (Ask(TestPostgresUrl(),
             "select count(*) from pg_stat_activity where state like 'idle in "
             "transaction%' and datname = '" +
                 database_.name() + "'") != "0") {
  }
  const absl::Status late = forgotten->Commit();
  EXPECT_EQ(late.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ErrorInfoOf(late).reason, "TX_EXPIRED");
  EXPECT_EQ(Balance(1), 100);
}

}  // namespace
}  // namespace emsdb
