// The same way through the embedded engine.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

#include "client/client.h"
#include "client/error_info.h"
#include "emsdb/v1/query_service.grpc.pb.h"
#include "emsdb/v1/transaction_service.grpc.pb.h"
#include "pool/mutex.h"
#include "tests/end_to_end/connect.h"
#include "tests/support/gateway_process.h"

namespace emsdb {
namespace {

using client::BatchStatement;
using client::Client;
using client::ErrorInfoOf;

constexpr char kUnits[] = "create table units (id integer primary key, name text not null unique)";

TEST(Sqlite, SharesOneFileBetweenLogicalDatabases) {
  GatewayProcess gateway;
  const Client client = Connect(gateway);
  ASSERT_TRUE(client.Query("main", kUnits).ok());
  ASSERT_TRUE(client.Query("fire", "insert into units values ($1, $2)", {1, "Engine 4"}).ok());
  const auto units = client.Query("hems", "select name from units");
  ASSERT_TRUE(units.ok()) << units.status();
  EXPECT_EQ(units->rows, (std::vector<client::Row>{{"Engine 4"}}));
}

// T71
TEST(Sqlite, KeepsOneDatabaseInMemoryForAllUrlsThatNameIt) {
  GatewayProcess gateway(Environment{{"DATABASE_URL", "sqlite://"}});
  const Client client = Connect(gateway);
  ASSERT_TRUE(client.Query("main", kUnits).ok());
  ASSERT_TRUE(client.Query("hems", "insert into units values (1, 'Christoph 1')").ok());
  EXPECT_EQ(client.Query("telehealth", "select * from units")->rows.size(), 1U);
}

// T69
TEST(Sqlite, LosesNoWriteOfManyWritersInAllDatabases) {
  GatewayProcess gateway;
  const Client client = Connect(gateway);
  ASSERT_TRUE(client.Query("main", "create table counts (n integer)").ok());
  ASSERT_TRUE(client.Query("main", "insert into counts values (0)").ok());
  constexpr int kEach = 50;
  std::vector<std::future<int>> writers;
  for (const char* database : {"main", "fire", "hems", "telehealth"}) {
    writers.push_back(std::async(std::launch::async, [&client, database] {
      int written = 0;
      for (int i = 0; i < kEach; ++i) {
        written += client.Query(database, "update counts set n = n + 1").ok() ? 1 : 0;
      }
      return written;
    }));
  }
  int written = 0;
  for (auto& writer : writers) written += writer.get();
  EXPECT_EQ(written, 4 * kEach);
  EXPECT_EQ(client.Query("main", "select n from counts")->rows[0][0], client::Value(4 * kEach));
}

TEST(Sqlite, RunsAWriteThatLooksLikeARead) {
  GatewayProcess gateway;
  const Client client = Connect(gateway);
  ASSERT_TRUE(client.Query("main", kUnits).ok());
  // The words of a write stand where only the database sees that they are names.
  const auto read = client.Query("main", "select 'x' as \"insert\"");
  EXPECT_TRUE(read.ok()) << read.status();
  const auto refused =
      client.Query("main", "delete from units", {}, {.access = client::Access::kReadOnly});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(Sqlite, KeepsTransactionsApartAndWhole) {
  GatewayProcess gateway;
  const Client client = Connect(gateway);
  ASSERT_TRUE(client.Query("main", kUnits).ok());
  {
    auto transaction = client.Begin("main");
    ASSERT_TRUE(transaction.ok()) << transaction.status();
    ASSERT_TRUE(transaction->Query("insert into units values (1, 'A')").ok());
    EXPECT_EQ(client.Query("main", "select * from units")->rows.size(), 0U);
  }
  EXPECT_EQ(client.Query("main", "select * from units")->rows.size(), 0U);
  auto transaction = client.Begin("main");
  ASSERT_TRUE(transaction->Query("insert into units values (1, 'A')").ok());
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_EQ(client.Query("main", "select * from units")->rows.size(), 1U);
}

TEST(Sqlite, RollsABatchBackAndSaysWhichStatementFailed) {
  GatewayProcess gateway;
  const Client client = Connect(gateway);
  ASSERT_TRUE(client.Query("main", kUnits).ok());
  const auto batch =
      client.ExecuteBatch("main", {BatchStatement{"insert into units values (1, 'A')"},
                                   BatchStatement{"insert into units values (2, 'A')"}});
  EXPECT_EQ(batch.status().code(), absl::StatusCode::kAlreadyExists) << batch.status();
  EXPECT_EQ(ErrorInfoOf(batch.status()).Get("statement"), "1");
  EXPECT_EQ(client.Query("main", "select * from units")->rows.size(), 0U);
}

// T61
TEST(Sqlite, RefusesAResultThatIsTooLargeForOneMessageAndSaysToStream) {
  GatewayProcess gateway;
  const Client client = Connect(gateway);
  constexpr char kMany[] =
      "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000) "
      "select i from n";
  const auto all = client.Query("main", kMany);
  EXPECT_EQ(all.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrorInfoOf(all.status()).reason, "RESULT_TOO_LARGE");
  const auto wide = client.Query("main", "select zeroblob(5000000)");
  EXPECT_EQ(wide.status().code(), absl::StatusCode::kResourceExhausted);
  auto stream = client.StreamQuery("main", kMany);
  ASSERT_TRUE(stream.ok());
  client::Row row;
  int rows = 0;
  while (*stream->Next(row)) ++rows;
  EXPECT_EQ(rows, 20000);
}

// T11: on SQLite a transaction that nobody knows of would keep everybody from writing.
TEST(Sqlite, RollsBackWhatWasBegunForACallerWhoLeft) {
  GatewayProcess gateway;
  const Client client = Connect(gateway);
  ASSERT_TRUE(client.Query("main", kUnits).ok());
  const auto stub = v1::TransactionService::NewStub(
      grpc::CreateChannel(gateway.address(), grpc::InsecureChannelCredentials()));
  for (int i = 0; i < 200; ++i) {
    grpc::ClientContext context;
    v1::BeginTransactionRequest request;
    // For the answer that was lost on its way after gRPC had sent it: of that one the gateway never
    // hears, and only the idle time-out ends it.
    request.mutable_options()->mutable_idle_timeout()->set_nanos(300'000'000);
    v1::BeginTransactionResponse response;
    grpc::Status status;
    Mutex mutex;
    CondVar changed;
    bool done = false;
    stub->async()->BeginTransaction(&context, &request, &response, [&](grpc::Status ended) {
      MutexLock lock(mutex);
      status = std::move(ended);
      done = true;
      changed.NotifyAll();
    });
    // Sooner or later than the answer, as it comes.
    for (int spin = 0; spin < i * 500; ++spin) context.peer();
    context.TryCancel();
    MutexLock lock(mutex);
    while (!done) changed.Wait(mutex);
    if (!status.ok()) continue;
    // The cancel came too late: this caller knows the id, and says that it is done with it.
    grpc::ClientContext rolling_back;
    v1::RollbackTransactionRequest roll_back;
    roll_back.set_transaction_id(response.transaction_id());
    v1::RollbackTransactionResponse ignored;
    EXPECT_TRUE(stub->RollbackTransaction(&rolling_back, roll_back, &ignored).ok());
  }
  const auto write = client.Query("main", "insert into units values (1, 'A')", {},
                                  {.call = {.deadline = std::chrono::seconds(5)}});
  EXPECT_TRUE(write.ok()) << write.status();
}

// Commits to a file are never in doubt: there is nothing to buy, and nothing to ask for.
TEST(Sqlite, TakesAResolvableWriteAndHasNoTokens) {
  GatewayProcess gateway;
  const auto stub = v1::QueryService::NewStub(
      grpc::CreateChannel(gateway.address(), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  v1::QueryRequest request;
  request.mutable_statement()->set_sql("create table t (a int)");
  request.set_resolvable(true);
  v1::QueryResponse response;
  const grpc::Status status = stub->Query(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(context.GetServerInitialMetadata().count("emsdb-commit-token"), 0U);
}

// T5, T8
TEST(Sqlite, EndsARunawayStatementAtItsDeadline) {
  GatewayProcess gateway;
  const auto run = Connect(gateway).Query(
      "main",
      "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n", {},
      {.call = {.deadline = std::chrono::milliseconds(300)}});
  EXPECT_EQ(run.status().code(), absl::StatusCode::kDeadlineExceeded);
}

// T21
TEST(Sqlite, VacuumsOutsideOfTransactions) {
  GatewayProcess gateway;
  const Client client = Connect(gateway);
  ASSERT_TRUE(client.Query("main", kUnits).ok());
  EXPECT_FALSE(client.Query("main", "vacuum").ok());
  const auto done = client.Query("main", "vacuum", {}, {.wrapping = client::Wrapping::kNone});
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(done->command, "VACUUM");
  EXPECT_TRUE(client.Query("main", "select * from units").ok());
}

}  // namespace
}  // namespace emsdb
