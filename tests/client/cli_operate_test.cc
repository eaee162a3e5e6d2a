// `emsdb pause`, `resume`, `reconnect`, `resize` and `pools --watch`, the program, against a
// scripted gateway.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "tests/client/run_cli.h"
#include "tests/support/fake_gateway.h"

namespace emsdb {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;

// Answers with the request's database, and the state or the limits that were asked for.
FakeScript Obedient() {
  const auto state = [](v1::PoolState wanted) {
    return [wanted](const auto& request, auto& response) {
      response.mutable_pool()->set_database(request.database());
      response.mutable_pool()->set_state(wanted);
      return grpc::Status::OK;
    };
  };
  return {.pause = state(v1::POOL_STATE_PAUSED),
          .resume = state(v1::POOL_STATE_RUNNING),
          .reconnect = state(v1::POOL_STATE_RUNNING),
          .resize = [](const auto& request, auto& response) {
            response.mutable_pool()->set_database(request.database());
            response.mutable_pool()->set_size(request.has_size() ? request.size() : -1);
            response.mutable_pool()->set_max_overflow(
                request.has_max_overflow() ? request.max_overflow() : -1);
            return grpc::Status::OK;
          }};
}

nlohmann::json Pool(const CliResult& result) {
  EXPECT_EQ(result.status, 0) << result.err;
  return nlohmann::json::parse(result.out).at(0);
}

TEST(CliOperate, AnswersWithThePoolAsItIsAfterwards) {
  const FakeGateway gateway(Obedient());
  const auto run = [&](const char* act) {
    return Pool(RunCli(gateway.address(), {act, "hems", "--format", "json"}));
  };
  EXPECT_EQ(run("pause").at("state"), "paused");
  EXPECT_EQ(run("resume").at("state"), "running");
  EXPECT_EQ(run("reconnect").at("database"), "hems");
  EXPECT_THAT(RunCli(gateway.address(), {"pause", "main"}).out, HasSubstr("| paused"));
}

TEST(CliOperate, ResizesWhatIsNamedAndLeavesTheRest) {
  const FakeGateway gateway(Obedient());
  const auto resize = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"resize", "main", "--format", "json"});
    return Pool(RunCli(gateway.address(), more));
  };
  const auto both = resize({"--size", "7", "--overflow", "0"});
  EXPECT_EQ(both.at("size"), 7);
  EXPECT_EQ(both.at("max_overflow"), 0);
  EXPECT_EQ(resize({"--overflow", "3"}).at("size"), -1);
  EXPECT_EQ(resize({"--size", "3"}).at("max_overflow"), -1);
}

TEST(CliOperate, WantsADatabaseAndALimit) {
  const FakeGateway gateway(Obedient());
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"pause"},
                                                {"resume"},
                                                {"resize", "main"},
                                                {"resize", "main", "--size", "x"},
                                                {"pools", "--interval", "1"},
                                                {"pools", "--watch", "--interval", "0.01"},
                                                {"pools", "--watch", "--interval", "nan"},
                                                {"query", "select 1", "--priority", "urgent"}}) {
    EXPECT_EQ(RunCli(gateway.address(), wrong).status, 2) << testing::PrintToString(wrong);
  }
}

TEST(CliOperate, SaysWhoMayNot) {
  const FakeGateway gateway({.pause = [](const auto&, auto&) {
    return GatewayError(grpc::StatusCode::PERMISSION_DENIED, "caller cad has no right to operate",
                        "OPERATING_FORBIDDEN");
  }});
  const CliResult result = RunCli(gateway.address(), {"pause", "main"});
  EXPECT_EQ(result.status, 3);
  EXPECT_THAT(result.err, HasSubstr("no right to operate"));
}

// Three snapshots, and then none until the caller leaves.
FakeScript ThreeLooks() {
  return {.watch = [](const auto& request, const auto& send) {
    v1::WatchPoolStatusResponse snapshot;
    auto& pool = *snapshot.add_pools();
    pool.set_database(request.database().empty() ? "main" : request.database());
    pool.set_state(v1::POOL_STATE_RUNNING);
    for (int i = 1; i <= 3; ++i) {
      pool.set_waiting(i);
      if (!send(snapshot)) return grpc::Status::CANCELLED;
    }
    return grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "the deadline passed");
  }};
}

TEST(CliWatch, WritesALineForEachPoolWhereNoTerminalIs) {
  const FakeGateway gateway(ThreeLooks());
  const CliResult result = RunCli(gateway.address(), {"pools", "--watch", "--db", "fire"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("Z fire running idle=0 leased=0 opening=0 waiting=3 "));
  EXPECT_THAT(result.out, Not(HasSubstr("\x1B")));
}

TEST(CliWatch, WritesOneJsonObjectInALineForEachLook) {
  const FakeGateway gateway(ThreeLooks());
  const CliResult result = RunCli(gateway.address(), {"pools", "--watch", "--format", "json"});
  EXPECT_EQ(result.status, 0) << result.err;
  std::istringstream lines(result.out);
  int looks = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto look = nlohmann::json::parse(line);
    EXPECT_EQ(look.at("pools").at(0).at("waiting"), ++looks);
    EXPECT_EQ(look.at("time").get<std::string>().size(), 20U);
  }
  EXPECT_EQ(looks, 3);
}

TEST(CliWatch, AsksForTheInterval) {
  double asked = 0;
  const FakeGateway gateway({.watch = [&](const auto& request, const auto& send) {
    asked = static_cast<double>(request.interval().seconds()) + request.interval().nanos() / 1e9;
    send({});
    return grpc::Status::CANCELLED;
  }});
  RunCli(gateway.address(), {"pools", "--watch", "--interval", "2.5"});
  EXPECT_EQ(asked, 2.5);
}

TEST(CliWatch, EndsWellByCtrlC) {
  const FakeGateway gateway({.watch = [](const auto&, const auto& send) {
    v1::WatchPoolStatusResponse snapshot;
    snapshot.add_pools()->set_database("main");
    while (send(snapshot)) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return grpc::Status::CANCELLED;
  }});
  RunningCli cli(gateway.address(),
                 {.arguments = {"pools", "--watch"}, .environment = {}, .standard_input = {}});
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  cli.Signal(SIGINT);
  const CliResult result = cli.Wait();
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr(" main "));
}

TEST(CliWatch, FailsWhereNothingWasShown) {
  const FakeGateway gateway({.watch = [](const auto&, const auto&) {
    return GatewayError(grpc::StatusCode::NOT_FOUND, "no database", "NO_DATABASE");
  }});
  const CliResult result = RunCli(gateway.address(), {"pools", "--watch"});
  EXPECT_EQ(result.status, 3);
  EXPECT_THAT(result.out, IsEmpty());
}

TEST(CliToken, GoesFromTheEnvironmentOrAFileAndNeverIntoAMessage) {
  const FakeGateway gateway(Obedient());
  const CliResult result =
      RunCli(gateway.address(), {.arguments = {"pause", "main", "--priority", "clinical"},
                                 .environment = {{"EMSDB_TOKEN", "sekret-token"}},
                                 .standard_input = {}});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(gateway.metadata()["authorization"], "Bearer sekret-token");
  EXPECT_EQ(gateway.metadata()["emsdb-priority"], "clinical");
  EXPECT_THAT(result.out + result.err, Not(HasSubstr("sekret")));
}

}  // namespace
}  // namespace emsdb
