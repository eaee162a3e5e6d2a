// Operators' calls and the watch, on the embedded engine: who may, what they say, how they end.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <future>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "client/client.h"
#include "client/error_info.h"
#include "emsdb/v1/database_service.grpc.pb.h"
#include "tests/end_to_end/known_callers.h"

namespace emsdb {
namespace {

using client::Client;
using client::ErrorInfoOf;
using client::PoolControl;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto kOften = std::chrono::milliseconds(100);

std::vector<absl::Status> TryEverything(const PoolControl& pools, const std::string& database) {
  return {pools.Pause(database).status(), pools.Resume(database).status(),
          pools.Reconnect(database).status(), pools.Resize(database, {.size = 3}).status()};
}

TEST(OperateWithTokens, IsForCallersWithTheRightAlone) {
  const TokensFileOnDisk file;
  GatewayProcess gateway(file.With());
  for (const absl::Status& status : TryEverything(ConnectAs(gateway, kCadToken).pools(), "main")) {
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
    EXPECT_EQ(ErrorInfoOf(status).reason, "OPERATING_FORBIDDEN");
  }
  for (const absl::Status& status : TryEverything(ConnectAs(gateway, "").pools(), "main")) {
    EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated) << status;
  }
  const PoolControl pools = ConnectAs(gateway, kOperatorToken).pools();
  EXPECT_EQ(pools.Pause("main")->state(), v1::POOL_STATE_PAUSED);
  EXPECT_EQ(pools.Resume("main")->state(), v1::POOL_STATE_RUNNING);
  EXPECT_TRUE(pools.Reconnect("main").ok());
}

TEST(OperateWithTokens, HoldsForTheCallersOwnDatabases) {
  const TokensFileOnDisk file(R"({"callers": [
    {"caller": "fire-operator", "tokens": ["token-of-an-operator"], "databases": ["fire"],
     "operate": true}]})");
  GatewayProcess gateway(file.With());
  const PoolControl pools = ConnectAs(gateway, kOperatorToken).pools();
  EXPECT_TRUE(pools.Reconnect("fire").ok());
  EXPECT_EQ(pools.Pause("main").status().code(), absl::StatusCode::kPermissionDenied);
}

class Operate : public ::testing::Test {
 protected:
  Operate() : client_(ConnectAs(gateway_, "")), pools_(client_.pools()) {}

  v1::PoolStatus Now(const std::string& database = "main") const {
    return client_.PoolStatus(database)->front();
  }

  GatewayProcess gateway_;
  Client client_;
  PoolControl pools_;
};

TEST_F(Operate, LetsCallsWaitWhileItIsPausedAndServesThemAfterwards) {
  ASSERT_TRUE(client_.Query("main", "create table t (id integer)").ok());
  EXPECT_EQ(pools_.Pause("main")->state(), v1::POOL_STATE_PAUSED);
  auto read =
      std::async(std::launch::async, [&] { return client_.Query("main", "select 1").ok(); });
  auto write = std::async(std::launch::async,
                          [&] { return client_.Query("main", "insert into t values (1)").ok(); });
  while (Now().waiting() + Now().writer().waiting() < 2) std::this_thread::sleep_for(kOften / 10);
  EXPECT_TRUE(Now().has_longest_wait());
  EXPECT_THAT(gateway_.Metrics(), HasSubstr("emsdb_pool_paused{pool=\"main\"} 1"));
  EXPECT_EQ(read.wait_for(kOften), std::future_status::timeout);
  EXPECT_EQ(pools_.Resume("main")->state(), v1::POOL_STATE_RUNNING);
  EXPECT_TRUE(read.get());
  EXPECT_TRUE(write.get());
  EXPECT_THAT(gateway_.Metrics(), HasSubstr("emsdb_pool_paused{pool=\"main\"} 0"));
}

// The probes of health stand in line as well: that the pool is paused says nothing of the database.
TEST_F(Operate, SaysServingWhileItIsPaused) {
  ASSERT_TRUE(pools_.Pause("main").ok());
  std::this_thread::sleep_for(std::chrono::seconds(7));
  EXPECT_EQ(*client_.Health("main"), client::HealthStatus::kServing);
  EXPECT_TRUE(pools_.Resume("main").ok());
}

TEST_F(Operate, ReplacesConnections) {
  ASSERT_TRUE(client_.Query("main", "select 1").ok());
  const auto before = Now();
  ASSERT_GE(before.idle(), 1);
  EXPECT_TRUE(pools_.Reconnect("main").ok());
  ASSERT_TRUE(client_.Query("main", "select 1").ok());
  EXPECT_GT(Now().opened_total(), before.opened_total());
}

TEST_F(Operate, ResizesNoEmbeddedDatabase) {
  const auto refused = pools_.Resize("main", {.size = 3});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorInfoOf(refused.status()).reason, "POOL_HAS_NO_SIZE");
}

TEST_F(Operate, SaysThatThereIsNoSuchDatabase) {
  for (const absl::Status& status : TryEverything(pools_, "billing")) {
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
  }
}

TEST_F(Operate, ShowsWhoHoldsAConnectionAndWhat) {
  auto begun = client_.Begin("main");
  ASSERT_TRUE(begun.ok());
  ASSERT_TRUE(begun->Query("create table secrets as select 'patient-name' as n").ok());
  const auto pool = Now();
  ASSERT_GE(pool.holders_size(), 1);
  EXPECT_TRUE(pool.holders(0).transaction());
  EXPECT_TRUE(pool.holders(0).has_held());
  EXPECT_THAT(pool.ShortDebugString(), Not(HasSubstr("patient-name")));
}

TEST_F(Operate, WritesEveryUseIntoTheLogAndCountsIt) {
  ASSERT_TRUE(pools_.Pause("fire").ok());
  ASSERT_TRUE(pools_.Resume("fire").ok());
  EXPECT_THAT(gateway_.Metrics(),
              HasSubstr(R"(emsdb_calls_total{code="OK",database="fire",rpc="PausePool"} 1)"));
  gateway_.Terminate();
  std::istringstream log(gateway_.log());
  nlohmann::json pause;
  for (std::string line; std::getline(log, line);) {
    if (line.find("\"PausePool\"") != std::string::npos) pause = nlohmann::json::parse(line);
  }
  ASSERT_TRUE(pause.is_object()) << gateway_.log();
  EXPECT_EQ(pause.at("database"), "fire");
  EXPECT_EQ(pause.at("before").at("state"), "POOL_STATE_RUNNING");
  EXPECT_EQ(pause.at("after").at("state"), "POOL_STATE_PAUSED");
  EXPECT_THAT(pause.at("peer").get<std::string>(), HasSubstr("127.0.0.1"));
}

TEST_F(Operate, ReplacesEveryConnectionWhenToldBySighup) {
  ASSERT_TRUE(client_.Query("main", "select 1").ok());
  const auto before = Now().opened_total();
  gateway_.Signal(SIGHUP);
  for (int i = 0; i < 600; ++i) {
    ASSERT_TRUE(client_.Query("main", "select 1").ok());
    if (Now().opened_total() > before) break;
    std::this_thread::sleep_for(kOften / 10);
  }
  EXPECT_GT(Now().opened_total(), before);
}

class Watch : public Operate {};

TEST_F(Watch, SendsTheFirstLookAtOnceAndTheNextAfterEachInterval) {
  auto watch = pools_.Watch("main", kOften);
  ASSERT_TRUE(watch.ok());
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 4; ++i) {
    const auto pools = watch->Next();
    ASSERT_TRUE(pools.ok()) << pools.status();
    ASSERT_EQ(pools->size(), 1U);
    EXPECT_EQ(pools->front().database(), "main");
  }
  EXPECT_GE(std::chrono::steady_clock::now() - began, 3 * kOften - kOften / 2);
  auto all = pools_.Watch("", std::chrono::hours(1));
  EXPECT_EQ(all->Next()->size(), 4U);
}

TEST_F(Watch, SeesWhatAnOperatorDoes) {
  auto watch = pools_.Watch("main", kOften);
  ASSERT_EQ(watch->Next()->front().state(), v1::POOL_STATE_RUNNING);
  ASSERT_TRUE(pools_.Pause("main").ok());
  while (watch->Next()->front().state() != v1::POOL_STATE_PAUSED) {
  }
  ASSERT_TRUE(pools_.Resume("main").ok());
}

TEST_F(Watch, EndsAtItsDeadline) {
  auto watch = pools_.Watch("main", kOften, {.deadline = 5 * kOften});
  auto pools = watch->Next();
  while (pools.ok()) pools = watch->Next();
  EXPECT_EQ(pools.status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(Watch, RefusesIntervalsAndDatabasesThatAreNone) {
  for (const auto interval : {std::chrono::milliseconds(99), std::chrono::milliseconds(3600001),
                              std::chrono::milliseconds(-1)}) {
    auto watch = pools_.Watch("main", interval);
    ASSERT_TRUE(watch.ok());
    EXPECT_EQ(watch->Next().status().code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(pools_.Watch("billing", kOften)->Next().status().code(), absl::StatusCode::kNotFound);
}

TEST_F(Watch, HoldsUpNoDrain) {
  auto watch = pools_.Watch("main", std::chrono::hours(1));
  ASSERT_TRUE(watch->Next().ok());
  auto ended = std::async(std::launch::async, [&] { return watch->Next().status(); });
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(gateway_.Terminate(), 0);
  // The drain's own time is ten seconds.
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(8));
  const absl::Status status = ended.get();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_EQ(ErrorInfoOf(status).reason, "SHUTDOWN");
}

// Many watchers who never read: the gateway goes on answering everybody else, and ends.
TEST_F(Watch, LetsReadersThatDoNotReadMissSnapshots) {
  std::vector<client::PoolWatch> watches;
  for (int i = 0; i < 200; ++i) watches.push_back(*pools_.Watch("", kOften));
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(client_.Query("main", "select 1").ok());
    std::this_thread::sleep_for(kOften);
  }
  for (auto& watch : watches) EXPECT_TRUE(watch.Next().ok());
  watches.clear();
  EXPECT_TRUE(client_.Query("main", "select 1").ok());
  EXPECT_EQ(gateway_.Terminate(), 0);
}

// Ends of all kinds at once, over and over: each stream ends exactly once.
TEST_F(Watch, SurvivesCallersThatLeaveAtAnyMoment) {
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        auto watch = pools_.Watch("", kOften, {.deadline = (i % 5 + 1) * kOften / 2});
        for (int n = i % 3; n > 0 && watch.ok() && watch->Next().ok(); --n) {
        }
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_TRUE(client_.Query("main", "select 1").ok());
  EXPECT_EQ(gateway_.Terminate(), 0);
}

}  // namespace
}  // namespace emsdb
