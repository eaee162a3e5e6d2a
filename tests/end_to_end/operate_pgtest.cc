// What operators do to pools of PostgreSQL connections, and what everybody sees of them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <set>
#include <thread>

#include "client/client.h"
#include "client/error_info.h"
#include "tests/end_to_end/known_callers.h"
#include "tests/end_to_end/postgres_fixture.h"

namespace emsdb {
namespace {

using client::Client;
using client::ErrorInfoOf;
using client::PoolControl;
using ::testing::HasSubstr;

constexpr auto kShort = std::chrono::milliseconds(10);

class PostgresPools : public ::testing::Test {
 protected:
  explicit PostgresPools(Environment more = {})
      : gateway_(With(std::move(more))),
        client_(ConnectAs(gateway_, "")),
        pools_(client_.pools()) {}

  Environment With(Environment more) const {
    more["DATABASE_URL"] = database_.url();
    more.try_emplace("DB_POOL_SIZE", "2");
    more.try_emplace("DB_MAX_OVERFLOW", "0");
    return more;
  }
  v1::PoolStatus Now() const { return client_.PoolStatus("main")->front(); }
  std::string BackendPid() const {
    const auto rows = client_.Query("main", "select pg_backend_pid()::text")->rows;
    return *rows[0][0].get_if<std::string>();
  }
  // Runs a statement beside the test until its end.
  std::future<absl::Status> Beside(const std::string& sql) const {
    return std::async(std::launch::async,
                      [this, sql] { return client_.Query("main", sql).status(); });
  }
  template <typename Condition>
  void Await(Condition condition) const {
    while (!condition(Now())) std::this_thread::sleep_for(kShort);
  }

  OwnDatabase database_;
  GatewayProcess gateway_;
  Client client_;
  PoolControl pools_;
};

TEST_F(PostgresPools, LetWhatRunsGoOnWhileTheyArePaused) {
  auto begun = client_.Begin("main");
  ASSERT_TRUE(begun.ok());
  auto running = Beside("select pg_sleep(0.5)");
  Await([](const auto& pool) { return pool.leased() == 2; });
  ASSERT_EQ(pools_.Pause("main")->state(), v1::POOL_STATE_PAUSED);
  EXPECT_TRUE(running.get().ok());
  EXPECT_TRUE(begun->Query("select 1").ok());
  auto waiting = Beside("select 1");
  Await([](const auto& pool) { return pool.waiting() == 1; });
  EXPECT_TRUE(begun->Commit().ok());
  Await([](const auto& pool) { return pool.leased() == 0; });
  EXPECT_EQ(waiting.wait_for(10 * kShort), std::future_status::timeout);
  ASSERT_TRUE(pools_.Resume("main").ok());
  EXPECT_TRUE(waiting.get().ok());
}

TEST_F(PostgresPools, EndACallsWaitAtItsDeadlineWhileTheyArePaused) {
  ASSERT_TRUE(pools_.Pause("main").ok());
  const auto late = client_.Query("main", "select 1", {}, {.call = {.deadline = 30 * kShort}});
  EXPECT_EQ(late.status().code(), absl::StatusCode::kDeadlineExceeded) << late.status();
  ASSERT_TRUE(pools_.Resume("main").ok());
}

TEST_F(PostgresPools, ReplaceEveryConnection) {
  const std::string before = BackendPid();
  EXPECT_EQ(BackendPid(), before);
  ASSERT_TRUE(pools_.Reconnect("main").ok());
  EXPECT_NE(BackendPid(), before);
}

TEST_F(PostgresPools, ReplaceAConnectionInUseWhenItComesBack) {
  auto begun = client_.Begin("main");
  ASSERT_TRUE(begun.ok());
  const auto pid = begun->Query("select pg_backend_pid()::text")->rows;
  ASSERT_TRUE(pools_.Reconnect("main").ok());
  EXPECT_EQ(begun->Query("select pg_backend_pid()::text")->rows, pid);
  EXPECT_TRUE(begun->Commit().ok());
  std::set<std::string> pids;
  for (int i = 0; i < 10; ++i) pids.insert(BackendPid());
  EXPECT_FALSE(pids.contains(*pid[0][0].get_if<std::string>()));
}

TEST_F(PostgresPools, GrowAndShrinkWhileTheyLive) {
  auto one = Beside("select pg_sleep(2)");
  auto two = Beside("select pg_sleep(2)");
  auto three = Beside("select pg_sleep(2)");
  Await([](const auto& pool) { return pool.leased() == 2 && pool.waiting() == 1; });
  const auto grown = pools_.Resize("main", {.size = 3});
  ASSERT_TRUE(grown.ok()) << grown.status();
  EXPECT_EQ(grown->size(), 3);
  EXPECT_EQ(grown->max_overflow(), 0);
  Await([](const auto& pool) { return pool.leased() == 3; });
  ASSERT_TRUE(pools_.Resize("main", {.size = 1}).ok());
  EXPECT_TRUE(one.get().ok() && two.get().ok() && three.get().ok());
  Await([](const auto& pool) { return pool.idle() + pool.leased() + pool.opening() <= 1; });
  EXPECT_EQ(Now().size(), 1);
  EXPECT_TRUE(client_.Query("main", "select 1").ok());
}

TEST_F(PostgresPools, RefuseLimitsThatMayNotBe) {
  for (const client::PoolSize& bad : {client::PoolSize{.size = 0},
                                      {.size = -1},
                                      {.size = 10001},
                                      {.size = INT32_MAX, .max_overflow = INT32_MAX},
                                      {.max_overflow = -1}}) {
    const auto refused = pools_.Resize("main", bad);
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << refused.status();
  }
  EXPECT_EQ(Now().size(), 2);
  EXPECT_TRUE(pools_.Resize("main", {}).ok());
}

TEST_F(PostgresPools, NameWhoHoldsThemLongest) {
  const auto cad = Client::Connect({.address = gateway_.address(), .caller = "cad"});
  auto running = std::async(std::launch::async, [&] {
    return cad->Query("main", "select pg_sleep(1.0), 'patient-name'").status();
  });
  Await([](const auto& pool) {
    return pool.holders_size() == 1 && pool.holders(0).held().nanos() > 200'000'000;
  });
  const auto pool = Now();
  EXPECT_EQ(pool.holders(0).caller(), "cad");
  EXPECT_THAT(pool.holders(0).statement(), HasSubstr("pg_sleep"));
  EXPECT_THAT(pool.holders(0).statement(), ::testing::Not(HasSubstr("patient-name")));
  EXPECT_FALSE(pool.holders(0).transaction());
  EXPECT_TRUE(running.get().ok());
}

class HeldLong : public PostgresPools {
 protected:
  HeldLong() : PostgresPools({{"DB_POOL_TIMEOUT", "0.3"}}) {}
};

TEST_F(HeldLong, IsWrittenIntoTheLogWithTheHoldersName) {
  const auto cad = Client::Connect({.address = gateway_.address(), .caller = "cad"});
  auto begun = cad->Begin("main");
  ASSERT_TRUE(begun.ok());
  for (int i = 0; i < 1000 && gateway_.log().find("held for long") == std::string::npos; ++i) {
    std::this_thread::sleep_for(kShort);
  }
  EXPECT_THAT(gateway_.log(), HasSubstr(R"("event":"connection held for long","database":"main",)"
                                        R"("caller":"cad")"));
  EXPECT_TRUE(begun->Commit().ok());
  EXPECT_THAT(gateway_.Metrics(), HasSubstr("emsdb_pool_held_long_total{pool=\"main\"} 1"));
}

class PostgresOperators : public PostgresPools {
 protected:
  PostgresOperators() : PostgresPools(File().With()) {}

 private:
  static const TokensFileOnDisk& File() {
    static const TokensFileOnDisk file;
    return file;
  }
};

TEST_F(PostgresOperators, NeedTheRight) {
  EXPECT_EQ(pools_.Resize("main", {.size = 3}).status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(ConnectAs(gateway_, kCadToken).pools().Resize("main", {.size = 3}).status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ConnectAs(gateway_, kOperatorToken).pools().Resize("main", {.size = 3})->size(), 3);
}

// T29
TEST(PostgresDown, IsSaidInTheStatusAndTheMetrics) {
  GatewayProcess gateway(Environment{{"DATABASE_URL", "postgresql://app@127.0.0.1:1/ems"}});
  const Client client = ConnectAs(gateway, "");
  const auto refused = client.Query("main", "select 1");
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kUnavailable) << refused.status();
  v1::PoolStatus pool = client.PoolStatus("main")->front();
  for (int i = 0; i < 500 && pool.state() != v1::POOL_STATE_DOWN; ++i) {
    std::this_thread::sleep_for(kShort);
    pool = client.PoolStatus("main")->front();
  }
  EXPECT_EQ(pool.state(), v1::POOL_STATE_DOWN);
  EXPECT_TRUE(pool.has_down_for());
  EXPECT_TRUE(pool.has_next_attempt());
  EXPECT_FALSE(pool.last_connect_error().empty());
  EXPECT_THAT(gateway.Metrics(), HasSubstr("emsdb_pool_down{pool=\"main\"} 1"));
  EXPECT_THAT(gateway.log(), HasSubstr("pool down, calls fail at once"));
}

}  // namespace
}  // namespace emsdb
