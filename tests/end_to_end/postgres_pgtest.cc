// The main job, end to end: the real gateway, a real client, a real PostgreSQL.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cmath>
#include <future>
#include <limits>
#include <string>
#include <thread>

#include "client/client.h"
#include "client/error_info.h"
#include "emsdb/v1/query_service.grpc.pb.h"
#include "tests/end_to_end/connect.h"
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
  // Built with AddressSanitizer the process keeps freed memory back on purpose: little of it here.
  GatewayProcess gateway(
      Settings({{"ASAN_OPTIONS", "quarantine_size_mb=1:thread_local_quarantine_size_kb=16"}}));
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
  EXPECT_LT(took, seconds(10));
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
  EXPECT_LT(took, seconds(10));
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

// T50 to T58: what goes in comes out, and is what psql shows.
TEST_F(Postgres, LosesNothingOfAnyValueOnTheWay) {
  GatewayProcess gateway(Settings());
  const Client client = Connect(gateway);
  const std::string digits(100, '7');
  const auto answer = client.Query(
      "main",
      "select $1::int8, $2::int8, $3::float8, $4::float8, $5::numeric, $6::text, $7::text, "
      "$8::bytea, $9::timestamptz, $10::uuid, $11::json, $12::text[], $13::bool as same, 1 as same",
      {INT64_MIN, INT64_MAX, std::numeric_limits<double>::infinity(), "NaN", digits, "",
       client::Null{}, client::Bytes{std::string("a\0b", 3)}, "2026-01-31 12:00:00.123456+02",
       "0b9d4f6e-3f43-4b0e-9d35-6a3c7a1d9c11", "{\"a\": 1, \"a\": 2}", "{\"NULL\",NULL,\"a,b\"}",
       true});
  ASSERT_TRUE(answer.ok()) << answer.status();
  const client::Row& row = answer->rows.at(0);
  EXPECT_EQ(row[0], client::Value(INT64_MIN));
  EXPECT_EQ(row[1], client::Value(INT64_MAX));
  EXPECT_EQ(row[2], client::Value(std::numeric_limits<double>::infinity()));
  EXPECT_TRUE(std::isnan(*row[3].get_if<double>()));
  EXPECT_EQ(row[4], client::Value(digits));
  EXPECT_EQ(row[5], client::Value(""));
  EXPECT_TRUE(row[6].is_null());
  EXPECT_EQ(row[7], client::Value(client::Bytes{std::string("a\0b", 3)}));
  EXPECT_EQ(row[8], client::Value("2026-01-31 10:00:00.123456+00"));
  EXPECT_EQ(row[9], client::Value("0b9d4f6e-3f43-4b0e-9d35-6a3c7a1d9c11"));
  EXPECT_EQ(row[10], client::Value("{\"a\": 1, \"a\": 2}"));
  EXPECT_EQ(row[11], client::Value("{\"NULL\",NULL,\"a,b\"}"));
  EXPECT_EQ(row[12], client::Value(true));
  EXPECT_EQ(answer->columns[11].type, "_text");
  EXPECT_EQ(answer->columns[12].name, answer->columns[13].name);
}

// T63
TEST_F(Postgres, TakesTheConnectionFromACallerThatDoesNotRead) {
  GatewayProcess gateway(Settings({{"EMSDB_SLOW_READER_TIMEOUT", "0.3"}}));
  const auto stub = v1::QueryService::NewStub(
      grpc::CreateChannel(gateway.address(), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  v1::StreamQueryRequest request;
  request.mutable_statement()->set_sql("select repeat('x', 1000) from generate_series(1, 1000000)");
  const auto stream = stub->StreamQuery(&context, request);
  const Client client = Connect(gateway);
  const auto leased = [&] { return client.PoolStatus("main")->at(0).leased(); };
  while (leased() == 0) {
  }
  const auto began = steady_clock::now();
  while (leased() > 0 && steady_clock::now() - began < seconds(10)) {
  }
  EXPECT_EQ(leased(), 0);
  v1::StreamQueryResponse message;
  bool complete = false;
  while (stream->Read(&message)) complete = complete || message.has_complete();
  EXPECT_FALSE(complete);
  const grpc::Status status = stream->Finish();
  EXPECT_TRUE(status.error_code() == grpc::RESOURCE_EXHAUSTED ||
              status.error_code() == grpc::CANCELLED)
      << status.error_code();
}

// T18, T19
TEST_F(Postgres, LetsNobodyElseIntoATransaction) {
  GatewayProcess gateway(Settings());
  auto mine = Connect(gateway, "cad").Begin("main");
  ASSERT_TRUE(mine.ok()) << mine.status();
  const auto stub = v1::QueryService::NewStub(
      grpc::CreateChannel(gateway.address(), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.AddMetadata("emsdb-caller", "somebody-else");
  v1::QueryRequest request;
  request.mutable_statement()->set_sql("select 1");
  request.mutable_transaction()->set_id(mine->id());
  v1::QueryResponse response;
  EXPECT_EQ(stub->Query(&context, request, &response).error_code(), grpc::ABORTED);
  EXPECT_TRUE(mine->Query("select 1").ok());
  EXPECT_TRUE(mine->Commit().ok());
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
  EXPECT_LT(steady_clock::now() - began, seconds(15));
  EXPECT_FALSE(running.get().ok());
}

// T14, T17: the last word on a write is the gateway's, also when it stops.
TEST_F(Postgres, NeverSaysUnavailableOfAWriteThatTheDrainCutShort) {
  database_.Run("create table notes (step int)");
  GatewayProcess gateway(
      Settings({{"EMSDB_DRAIN_TIMEOUT", "0.2"}, {"DB_POOL_SIZE", "1"}, {"DB_MAX_OVERFLOW", "0"}}));
  const Client client = Connect(gateway);
  const auto pid = client.Query("main", "select pg_backend_pid()");
  ASSERT_TRUE(pid.ok()) << pid.status();
  const auto backend = static_cast<pid_t>(Number(pid->rows[0][0]));
  ASSERT_EQ(kill(backend, SIGSTOP), 0);
  auto writing = std::async(std::launch::async, [&] {
    return client.Query("main", "insert into notes values (1)").status();
  });
  while (client.PoolStatus("main")->at(0).leased() == 0) {
  }
  gateway.Signal(SIGTERM);
  const absl::Status written = writing.get();
  kill(backend, SIGCONT);
  EXPECT_EQ(written.code(), absl::StatusCode::kUnknown) << written;
  EXPECT_TRUE(ErrorInfoOf(written).outcome_unknown()) << written;
  EXPECT_EQ(gateway.Wait(), 0);
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
