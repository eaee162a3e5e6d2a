// A cancel hits its own statement and no other: thousands of them, on connections that are used
// again at once. And one that goes nowhere holds up nobody.
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <iostream>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include "client/client.h"
#include "tests/end_to_end/chaos/postgres_server.h"
#include "tests/end_to_end/connect.h"
#include "tests/end_to_end/postgres_fixture.h"
#include "tests/end_to_end/transfer/office.h"
#include "tests/end_to_end/transfer/storm.h"
#include "tests/support/gateway_process.h"
#include "tests/support/tcp_proxy.h"

namespace emsdb::transfer {
namespace {

using chaos::PostgresServer;
using client::Client;
using std::chrono::duration;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// T1, T2, T3
TEST(CancelStorm, HitsNoStatementButItsOwn) {
  const std::uint64_t seed = SeedOfThisRun();
  SCOPED_TRACE("the choices of this run: EMSDB_SEED=" + std::to_string(seed));
  const PostgresServer server;
  server.Ask("alter system set log_min_error_statement = 'fatal'");
  const GatewayProcess gateway(
      {{"DATABASE_URL", server.url()}, {"DB_POOL_SIZE", "3"}, {"DB_MAX_OVERFLOW", "1"}});
  const int cancels = CancelsOfThisRun(2000);
  Storm storm(gateway.address(), seed, cancels);
  const auto began = steady_clock::now();
  storm.Rage();
  const duration<double> took = steady_clock::now() - began;
  const Client client = *Client::Connect({.address = gateway.address()});
  const auto status = client.PoolStatus("main");
  ASSERT_TRUE(status.ok()) << status.status();
  std::cout << cancels << " callers left (" << storm.answered() << " of them with an answer), "
            << storm.whole() << " of " << cancels << " others had theirs whole, the slowest after "
            << storm.longest().count() / 1000 << " ms; " << took.count() << " s, "
            << status->at(0).opened_total() << " connections opened, seed " << seed << "\n";
  EXPECT_EQ(storm.whole(), cancels);
  EXPECT_LT(storm.answered(), cancels / 2) << "hardly anybody left before the answer";
}

// Who asks, and when the answer came.
struct Asked {
  absl::Status status;
  milliseconds took;
};

Asked AskFor(const GatewayProcess& gateway, const std::string& database, const std::string& sql,
             milliseconds deadline) {
  const Client client = Connect(gateway);
  const auto began = steady_clock::now();
  absl::Status status = client.Query(database, sql, {}, {.call = {.deadline = deadline}}).status();
  return {std::move(status), std::chrono::duration_cast<milliseconds>(steady_clock::now() - began)};
}

// Far more than any call here takes, and far less than what would be waited for.
constexpr milliseconds kAtOnce = seconds(3);

// T4: more callers leave than there are threads that cancel.
TEST(CancelsThatGoNowhere, HoldUpNobodyWhileTheServerStandsStill) {
  const PostgresServer server;
  const OwnDatabase other;
  const GatewayProcess gateway({{"DATABASE_URL", server.url()},
                                {"FIRE_DATABASE_URL", other.url()},
                                {"MAIN_DB_POOL_SIZE", "40"}});
  constexpr int kStuck = 40;
  constexpr milliseconds kDeadline = seconds(6);
  const auto began = steady_clock::now();
  std::vector<std::future<Asked>> stuck;
  for (int i = 0; i < kStuck; ++i) {
    stuck.push_back(std::async(std::launch::async, [&] {
      return AskFor(gateway, "main", "select pg_sleep(60)", kDeadline);
    }));
  }
  while (server.AskNumber("select count(*) from pg_stat_activity where "
                          "query like '%pg_sleep(60)%' and state = 'active' and "
                          "pid <> pg_backend_pid()") < kStuck) {
    ASSERT_LT(steady_clock::now() - began, kDeadline) << "not all of them run";
  }
  server.Freeze();
  // Until after the deadlines of all who are stuck.
  const auto until = began + kDeadline + seconds(1);
  int answered = 0;
  while (steady_clock::now() < until) {
    const Asked asked = AskFor(gateway, "fire", "select 1", seconds(10));
    EXPECT_TRUE(asked.status.ok()) << asked.status;
    EXPECT_LT(asked.took, kAtOnce);
    ++answered;
  }
  EXPECT_GT(answered, 10);
  for (auto& one : stuck) {
    const Asked asked = one.get();
    EXPECT_EQ(asked.status.code(), absl::StatusCode::kDeadlineExceeded) << asked.status;
    EXPECT_LT(asked.took, kDeadline + kAtOnce);
  }
  server.Thaw();
  const auto thawed = steady_clock::now();
  while (!AskFor(gateway, "main", "select 1", seconds(2)).status.ok()) {
    ASSERT_LT(steady_clock::now() - thawed, seconds(20)) << "the database is back, and not used";
  }
}

// T4: the statement's own connection lives, but no other can be made.
TEST(CancelsThatGoNowhere, HoldUpNobodyWhereNoConnectionCanBeMadeForThem) {
  const OwnDatabase database;
  const std::string& url = TestPostgresUrl();
  TcpProxy proxy(std::stoi(url.substr(url.find(':', url.find('@')) + 1)));
  const GatewayProcess gateway(
      {{"DATABASE_URL", std::regex_replace(database.url(), std::regex("@127\\.0\\.0\\.1:[0-9]+"),
                                           "@127.0.0.1:" + std::to_string(proxy.port()))},
       {"DB_POOL_SIZE", "2"},
       {"DB_MAX_OVERFLOW", "0"}});
  // Both connections, warm.
  auto first = std::async(std::launch::async, [&] {
    return AskFor(gateway, "main", "select pg_sleep(0.3)", seconds(10));
  });
  EXPECT_TRUE(AskFor(gateway, "main", "select pg_sleep(0.3)", seconds(10)).status.ok());
  EXPECT_TRUE(first.get().status.ok());
  proxy.RefuseNew();
  const Asked left = AskFor(gateway, "main", "select pg_sleep(30)", milliseconds(300));
  EXPECT_EQ(left.status.code(), absl::StatusCode::kDeadlineExceeded) << left.status;
  EXPECT_LT(left.took, kAtOnce);
  for (int i = 0; i < 20; ++i) {
    const Asked asked = AskFor(gateway, "main", "select 1", seconds(10));
    EXPECT_TRUE(asked.status.ok()) << asked.status;
    EXPECT_LT(asked.took, kAtOnce);
  }
  proxy.Allow();
}

}  // namespace
}  // namespace emsdb::transfer
