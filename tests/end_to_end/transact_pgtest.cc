#include <gmock/gmock.h>

#include <chrono>
#include <fstream>
#include <string>
#include <vector>

#include "client/error_info.h"
#include "tests/end_to_end/postgres_fixture.h"
#include "tests/end_to_end/transact_suite.h"

namespace emsdb {
namespace {

using client::ErrorInfoOf;

class ServersDatabase final : public SuiteDatabase {
 public:
  Environment settings() const override { return {{"DATABASE_URL", database_.url()}}; }
  std::string slow_sql() const override { return "select pg_sleep(60)"; }

 private:
  const OwnDatabase database_;
};

INSTANTIATE_TEST_SUITE_P(Postgres, TransactSuite,
                         ::testing::Values(SuiteEngine{"Postgres",
                                                       []() -> std::unique_ptr<SuiteDatabase> {
                                                         return std::make_unique<ServersDatabase>();
                                                       }}),
                         ::testing::PrintToStringParamName());

class PostgresStreams : public ::testing::Test {
 protected:
  client::Client Connect() const {
    return *client::Client::Connect(
        {.address = gateway_->address(), .caller = "cad", .retry = {.max_attempts = 1}});
  }
  void Start(Environment more) {
    more["DATABASE_URL"] = database_.url();
    gateway_ = std::make_unique<GatewayProcess>(more);
  }
  int Threads() const {
    std::ifstream status("/proc/" + std::to_string(gateway_->pid()) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.rfind("Threads:", 0) == 0) return std::stoi(line.substr(8));
    }
    return -1;
  }

  const OwnDatabase database_;
  std::unique_ptr<GatewayProcess> gateway_;
};

TEST_F(PostgresStreams, CountAsLeasedTransactions) {
  Start({{"DB_POOL_SIZE", "2"}, {"EMSDB_MAX_LEASED", "1"}});
  const client::Client client = Connect();
  auto held = client.Transact("main");
  ASSERT_TRUE(held.ok()) << held.status();
  EXPECT_EQ(client.PoolStatus("main")->at(0).transactions(), 1);
  const auto second = client.Transact("main");
  EXPECT_EQ(second.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrorInfoOf(second.status()).reason, "LEASE_LIMIT");
  EXPECT_TRUE(client.Query("main", "select 1").ok());
  EXPECT_TRUE(held->Commit().ok());
  EXPECT_TRUE(client.Transact("main").ok());
}

// A connection has its thread; a stream has none.
TEST_F(PostgresStreams, CostNoThreadWhileTheirCallersThink) {
  constexpr int kStreams = 30;
  Start({{"DB_POOL_SIZE", "40"}});
  const client::Client client = Connect();
  int with_transactions = 0;
  {
    std::vector<client::Transaction> leased;
    for (int i = 0; i < kStreams; ++i) leased.push_back(*client.Begin("main"));
    with_transactions = Threads();
  }
  std::vector<client::StreamTransaction> streams;
  for (int i = 0; i < kStreams; ++i) streams.push_back(*client.Transact("main"));
  for (client::StreamTransaction& stream : streams) EXPECT_TRUE(stream.Query("select 1").ok());
  const int with_streams = Threads();
  std::cout << "threads: " << with_transactions << " with " << kStreams
            << " leased transactions, then " << with_streams << " with as many streams\n";
  // gRPC's own may come and go.
  EXPECT_LT(with_streams, with_transactions + kStreams / 2);
}

// T14
TEST_F(PostgresStreams, NameTheirCommitBeforeItLeaves) {
  database_.Run("create table notes (step int)");
  Start({});
  const client::Client client = Connect();
  auto transaction = client.Transact("main");
  ASSERT_TRUE(transaction->Query("insert into notes values (1)").ok());
  ASSERT_TRUE(transaction->Commit().ok());
  ASSERT_NE(transaction->commit_token(), "");
  const auto outcome = client.CommitOutcomeOf(transaction->commit_token());
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(*outcome, client::CommitOutcome::kCommitted);
  auto reading = client.Transact("main");
  ASSERT_TRUE(reading->Query("select 1").ok());
  EXPECT_TRUE(reading->Commit().ok());
  EXPECT_EQ(reading->commit_token(), "");
}

// T14
TEST_F(PostgresStreams, AndStatementsThatCommitNameItInTheMetadata) {
  database_.Run("create table notes (step int)");
  Start({});
  const client::Client client = Connect();
  const auto begun = client.Begin("main");
  const auto queries = v1::QueryService::NewStub(
      grpc::CreateChannel(gateway_->address(), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.AddMetadata("emsdb-caller", "cad");
  v1::QueryRequest request;
  request.mutable_statement()->set_sql("insert into notes values (1)");
  request.mutable_transaction()->set_id(begun->id());
  request.set_commit(true);
  v1::QueryResponse response;
  const grpc::Status status = queries->Query(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  const auto& metadata = context.GetServerInitialMetadata();
  const auto token = metadata.find("emsdb-commit-token");
  ASSERT_NE(token, metadata.end());
  const auto outcome =
      client.CommitOutcomeOf(std::string(token->second.data(), token->second.size()));
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(*outcome, client::CommitOutcome::kCommitted);
}

// T12, T17
TEST_F(PostgresStreams, EndWithTheirConnection) {
  Start({});
  auto transaction = Connect().Transact("main");
  ASSERT_TRUE(transaction->Query("select 1").ok());
  database_.KillBackends();
  const auto lost = transaction->Query("select 1");
  EXPECT_EQ(lost.status().code(), absl::StatusCode::kAborted) << lost.status();
  EXPECT_EQ(ErrorInfoOf(lost.status()).reason, "TX_CONNECTION_LOST");
  EXPECT_EQ(ErrorInfoOf(transaction->Query("select 1").status()).reason, "TX_ENDED");
}

}  // namespace
}  // namespace emsdb
