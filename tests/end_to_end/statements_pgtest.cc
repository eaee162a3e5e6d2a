// Statements through the real gateway on a real PostgreSQL: prepared ones that heal, those that
// refuse transactions, and results that together must not use up the memory.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

#include "client/client.h"
#include "client/error_info.h"
#include "tests/end_to_end/connect.h"
#include "tests/end_to_end/postgres_fixture.h"
#include "tests/support/gateway_process.h"

namespace emsdb {
namespace {

using client::BatchStatement;
using client::Client;
using client::ErrorInfoOf;
using client::Wrapping;
using ::testing::HasSubstr;

class Statements : public ::testing::Test {
 protected:
  Statements() { database_.Run("create table notes (id int primary key, note text)"); }

  // One connection, so that each call meets what the one before it left.
  Environment Settings(const Environment& more = {}) const {
    Environment settings = more;
    settings.insert(
        {{"DATABASE_URL", database_.url()}, {"DB_POOL_SIZE", "1"}, {"DB_MAX_OVERFLOW", "0"}});
    return settings;
  }
  const OwnDatabase database_;
};

// T46
TEST_F(Statements, HealUnseenWhenTheirTableWasChanged) {
  GatewayProcess gateway(Settings());
  const Client client = Connect(gateway);
  const std::vector<BatchStatement> batch = {
      {.sql = "insert into notes select count(*), 'a' from notes"}, {.sql = "select * from notes"}};
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.Query("main", "select * from notes").ok());
    ASSERT_TRUE(client.ExecuteBatch("main", batch).ok());
  }
  database_.Run("alter table notes add column more int");
  const auto alone = client.Query("main", "select * from notes");
  ASSERT_TRUE(alone.ok()) << alone.status();
  EXPECT_EQ(alone->columns.size(), 3U);
  database_.Run("alter table notes drop column more");
  const auto results = client.ExecuteBatch("main", batch);
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ(results->at(1).columns.size(), 2U);
  EXPECT_EQ(results->at(1).rows.size(), 4U);
  EXPECT_EQ(database_.Run("select count(*) from notes"), "4");
}

// T46
TEST_F(Statements, EndTheTransactionWhoseTableWasChanged) {
  GatewayProcess gateway(Settings());
  const Client client = Connect(gateway);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(client.Query("main", "select * from notes").ok());
  auto transaction = client.Begin("main");
  ASSERT_TRUE(transaction.ok()) << transaction.status();
  database_.Run("alter table notes add column more int");
  const auto rows = transaction->Query("select * from notes");
  EXPECT_EQ(rows.status().code(), absl::StatusCode::kAborted) << rows.status();
  EXPECT_EQ(ErrorInfoOf(rows.status()).reason, "PLAN_CHANGED");
}

// T21
TEST_F(Statements, RunOutsideOfTransactionsWhereTheCallerSaysSo) {
  GatewayProcess gateway(Settings());
  const Client client = Connect(gateway);
  const auto refused = client.Query("main", "vacuum notes");
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(ErrorInfoOf(refused.status()).Get("hint"), HasSubstr("outside_transaction"));
  const auto done = client.Query("main", "vacuum notes", {}, {.wrapping = Wrapping::kNone});
  EXPECT_TRUE(done.ok()) << done.status();
  const Ended shown = RunProgram(
      ClientProgram(),
      {"query", "--outside-transaction", "create index concurrently notes_note on notes (note)"},
      {{"EMSDB_ADDRESS", gateway.address()}});
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_EQ(database_.Run("select count(*) from pg_indexes where indexname = 'notes_note'"), "1");
  const auto both =
      client.Query("main", "vacuum notes", {},
                   {.access = client::Access::kReadOnly, .wrapping = Wrapping::kNone});
  EXPECT_EQ(both.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(both.status().message()), HasSubstr("outside_transaction"));
  const auto bought =
      client.Query("main", "vacuum notes", {},
                   {.resolving = client::Resolving::kOn, .wrapping = Wrapping::kNone});
  EXPECT_EQ(bought.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(client.Query("main", "show statement_timeout")->rows.size(), 1U);
}

// The least that the setting takes holds the results of two or three of these, not of all. Whoever
// is refused may repeat; a write whose rows were refused was rolled back.
TEST_F(Statements, TogetherHaveBoundedResults) {
  GatewayProcess gateway(Settings({{"EMSDB_RESULT_MEMORY", "16"}, {"DB_POOL_SIZE", "16"}}));
  const Client client = Connect(gateway);
  std::vector<std::future<absl::Status>> calls;
  for (int i = 0; i < 16; ++i) {
    calls.push_back(std::async(std::launch::async, [&client, i] {
      // All of them wait in the middle of their results.
      return client
          .Query("main",
                 "insert into notes select $1 * 1000 + g, repeat('x', 2800) || case g when 999 "
                 "then pg_sleep(1)::text else '' end from generate_series(0, 999) g returning note",
                 {std::int64_t{i}})
          .status();
    }));
  }
  int done = 0;
  int refused = 0;
  for (auto& call : calls) {
    const absl::Status status = call.get();
    if (status.ok()) {
      ++done;
      continue;
    }
    ++refused;
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
    EXPECT_EQ(ErrorInfoOf(status).reason, "RESULT_MEMORY") << status;
    EXPECT_EQ(ErrorInfoOf(status).retryable(), true);
  }
  EXPECT_GT(done, 0);
  EXPECT_GT(refused, 0);
  EXPECT_EQ(database_.Run("select count(*) from notes"), std::to_string(done * 1000));
  std::string metrics = gateway.Metrics();
  // gRPC lets go of the last response a moment after its caller has it.
  while (metrics.find("emsdb_result_memory_bytes 0\n") == std::string::npos) {
    metrics = gateway.Metrics();
  }
  EXPECT_THAT(metrics, HasSubstr("emsdb_result_memory_max_bytes 16777216"));
  EXPECT_THAT(metrics, HasSubstr("emsdb_result_memory_refused_total " + std::to_string(refused)));
}

TEST_F(Statements, WithAHugeValueDoNotLeaveItsMemoryToTheirConnection) {
  GatewayProcess gateway(Settings());
  const Client client = Connect(gateway);
  const auto huge = client.Query("main", "select repeat('x', 50000000)");
  EXPECT_EQ(huge.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(client.Query("main", "select 1").ok());
  EXPECT_THAT(gateway.Metrics(),
              HasSubstr("emsdb_pool_closed_total{pool=\"main\",reason=\"outgrown\"} 1"));
}

}  // namespace
}  // namespace emsdb
