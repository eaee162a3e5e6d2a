// `emsdb bench`, the program, against a scripted gateway. No time is asserted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/client/run_cli.h"
#include "tests/support/fake_gateway.h"

namespace emsdb {
namespace {

using ::testing::HasSubstr;
using Arguments = std::vector<std::string>;
using Json = nlohmann::json;

Arguments Bench(Arguments more) {
  Arguments arguments{"bench", "--format", "json", "--warm-up", "0"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

Json JsonOf(const CliResult& result) {
  Json json = Json::parse(result.out, nullptr, /*allow_exceptions=*/false);
  EXPECT_TRUE(json.is_object()) << result.out << result.err;
  return json;
}

std::int64_t ErrorsIn(const Json& json) {
  std::int64_t count = 0;
  for (const auto& [name, times] : json["errors"].items()) count += times.get<std::int64_t>();
  return count;
}

grpc::Status OneRow(const v1::QueryRequest& request, v1::QueryResponse& response) {
  response.add_columns()->set_name("id");
  *response.add_rows()->add_values() = request.statement().parameters(0);
  return grpc::Status::OK;
}

TEST(CliBench, CountsErrorsByCodeAndReason) {
  std::atomic<int> calls{0};
  const FakeGateway gateway({.query = [&](const auto& request, auto& response) {
    switch (calls++ % 4) {
      case 0:
        return GatewayError(grpc::StatusCode::RESOURCE_EXHAUSTED, "QueuePool", "POOL_TIMEOUT");
      case 1:
        return GatewayError(grpc::StatusCode::RESOURCE_EXHAUSTED, "large", "RESULT_MEMORY");
      case 2:
        return grpc::Status(grpc::StatusCode::ABORTED, "no details");
      default:
        return OneRow(request, response);
    }
  }});
  const CliResult result = RunCli(gateway.address(), Bench({"--seconds", "0.2"}));
  EXPECT_EQ(result.status, 0) << result.err;
  const Json json = JsonOf(result);
  EXPECT_GT(json["calls"], 0);
  EXPECT_GT(json["errors"]["RESOURCE_EXHAUSTED POOL_TIMEOUT"], 0);
  EXPECT_GT(json["errors"]["RESOURCE_EXHAUSTED RESULT_MEMORY"], 0);
  EXPECT_GT(json["errors"]["ABORTED"], 0);
  EXPECT_EQ(json["calls"].get<std::int64_t>() + ErrorsIn(json), calls.load());
}

TEST(CliBench, FailsAsItsFirstErrorWhereNothingSucceeded) {
  const FakeGateway gateway({.query = [](const auto&, auto&) {
    return GatewayError(grpc::StatusCode::PERMISSION_DENIED, "not yours", "DATABASE_DENIED");
  }});
  const CliResult result = RunCli(gateway.address(), Bench({"--seconds", "0.05"}));
  EXPECT_EQ(result.status, 3);
  EXPECT_THAT(result.err, HasSubstr("PERMISSION_DENIED: not yours"));
  EXPECT_GT(JsonOf(result)["errors"]["PERMISSION_DENIED DATABASE_DENIED"], 0);
}

TEST(CliBench, AsksForKeysOfTheTableAsACallerDoes) {
  std::mutex mutex;
  std::set<std::int64_t> keys;
  const FakeGateway gateway({.query = [&](const auto& request, auto& response) {
    EXPECT_EQ(request.database(), "fire");
    EXPECT_TRUE(request.read_only());
    const std::lock_guard lock(mutex);
    keys.insert(request.statement().parameters(0).int64_value());
    return OneRow(request, response);
  }});
  const CliResult result =
      RunCli(gateway.address(),
             Bench({"--database", "fire", "--keys", "3", "--rate", "1000", "--seconds", "0.2"}));
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(keys, (std::set<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(gateway.metadata()["emsdb-caller"], "emsdb");
}

TEST(CliBench, CountsEveryCallThatWasDueInTheOpenLoop) {
  std::atomic<int> calls{0};
  const FakeGateway gateway({.query = [&](const auto& request, auto& response) {
    ++calls;
    return OneRow(request, response);
  }});
  const CliResult result =
      RunCli(gateway.address(),
             Bench({"--rate", "1000", "--seconds", "0.2", "--threads", "2", "--channels", "2"}));
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(JsonOf(result)["calls"], 200);
  EXPECT_EQ(calls, 200);
}

TEST(CliBench, CountsWhatWasDueAndNeverBegunAsErrors) {
  std::promise<void> never;
  const std::shared_future<void> end = never.get_future().share();
  FakeGateway gateway({.query = [&](const auto&, auto&) {
    end.wait();
    return grpc::Status::OK;
  }});
  const CliResult result =
      RunCli(gateway.address(), Bench({"--rate", "1000", "--seconds", "0.2", "--in-flight", "2",
                                       "--deadline-max-ms", "100"}));
  never.set_value();
  EXPECT_EQ(result.status, 6) << result.err;
  const Json json = JsonOf(result);
  EXPECT_EQ(json["calls"], 0);
  EXPECT_EQ(json["in_flight"], 2);
  EXPECT_GT(json["errors"]["DEADLINE_EXCEEDED"], 0);
  EXPECT_GT(json["errors"]["RESOURCE_EXHAUSTED NOT_BEGUN"], 0);
  EXPECT_EQ(ErrorsIn(json), 200);
}

v1::StreamQueryResponse Rows(int count) {
  v1::StreamQueryResponse message;
  for (int i = 0; i < count; ++i) message.add_rows()->add_values()->set_int64_value(i);
  return message;
}

v1::StreamQueryResponse Complete() {
  v1::StreamQueryResponse message;
  message.mutable_complete()->set_row_count(30);
  return message;
}

TEST(CliBench, PrintsWhatThereIsOnCtrlC) {
  std::atomic<int> calls{0};
  std::promise<void> second;
  const FakeGateway gateway({.stream_query = [&](const auto&, const FakeStream& stream) {
    if (calls++ == 0) {
      stream.send(Rows(30));
      stream.send(Complete());
      return grpc::Status::OK;
    }
    stream.send(Rows(10));
    second.set_value();
    while (!stream.cancelled()) continue;
    return grpc::Status::CANCELLED;
  }});
  RunningCli cli(gateway.address(), {.arguments = Bench({"--workload", "stream", "--rows", "30",
                                                         "--in-flight", "1", "--seconds", "600"})});
  second.get_future().wait();
  cli.Signal(SIGINT);
  const CliResult result = cli.Wait();
  EXPECT_EQ(result.status, 0) << result.err;
  const Json json = JsonOf(result);
  EXPECT_EQ(json["calls"], 1);
  EXPECT_EQ(json["rows"], 30);
  EXPECT_EQ(json["errors"], Json::object());  // it was broken off here, and is nobody's fault
}

TEST(CliBench, EndsTheOpenLoopOnCtrlC) {
  std::promise<void> tenth;
  std::atomic<int> calls{0};
  const FakeGateway gateway({.query = [&](const auto& request, auto& response) {
    if (++calls == 10) tenth.set_value();
    return OneRow(request, response);
  }});
  RunningCli cli(gateway.address(), {.arguments = Bench({"--rate", "100", "--seconds", "600"})});
  tenth.get_future().wait();
  cli.Signal(SIGINT);
  const CliResult result = cli.Wait();
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_GE(JsonOf(result)["calls"], 9);
  EXPECT_EQ(JsonOf(result)["errors"], Json::object());
}

TEST(CliBench, TakesNoStreamForWholeThatHasNoEnd) {
  const FakeGateway gateway({.stream_query = [](const auto& request, const FakeStream& stream) {
    // A server that does not tell its databases is taken for PostgreSQL.
    EXPECT_THAT(request.statement().sql(), HasSubstr("generate_series"));
    stream.send(Rows(30));
    return grpc::Status::OK;
  }});
  const CliResult result =
      RunCli(gateway.address(), Bench({"--workload", "stream", "--seconds", "0.05"}));
  EXPECT_EQ(result.status, 5);
  EXPECT_EQ(JsonOf(result)["calls"], 0);
  EXPECT_GT(JsonOf(result)["errors"]["DATA_LOSS"], 0);
}

TEST(CliBench, RollsATransactionBackWhoseStatementFailed) {
  std::atomic<int> begun{0};
  std::atomic<int> committed{0};
  std::atomic<int> rolled_back{0};
  const FakeGateway gateway({.query =
                                 [&](const auto& request, auto& response) {
                                   if (request.transaction().has_begin()) {
                                     response.set_transaction_id(std::to_string(++begun));
                                     return OneRow(request, response);
                                   }
                                   // Of each second transaction the last statement fails.
                                   if (!request.commit()) return OneRow(request, response);
                                   if (std::stoi(request.transaction().id()) % 2 == 0) {
                                     return GatewayError(grpc::StatusCode::ABORTED, "lost",
                                                         "SQL_ERROR");
                                   }
                                   ++committed;
                                   return OneRow(request, response);
                                 },
                             .roll_back =
                                 [&](const auto& request, auto&) {
                                   EXPECT_EQ(std::stoi(request.transaction_id()) % 2, 0);
                                   ++rolled_back;
                                   return grpc::Status::OK;
                                 }});
  const CliResult result = RunCli(
      gateway.address(), Bench({"--workload", "transaction", "--seconds", "0.1", "--keys", "9"}));
  EXPECT_EQ(result.status, 0) << result.err;
  const Json json = JsonOf(result);
  EXPECT_EQ(json["calls"], committed.load());
  EXPECT_EQ(json["rows"], committed * 3);
  EXPECT_EQ(json["errors"]["ABORTED SQL_ERROR"], rolled_back.load());
  EXPECT_EQ(committed + rolled_back, begun.load());
}

TEST(CliBench, TellsSlowCallsOfAMixApart) {
  std::atomic<int> slow{0};
  const FakeGateway gateway({.query = [&](const auto& request, auto& response) {
    if (request.statement().sql() == "select pg_sleep(0.02)") {
      ++slow;
      response.add_rows()->add_values();
      return grpc::Status::OK;
    }
    return OneRow(request, response);
  }});
  const CliResult result =
      RunCli(gateway.address(), Bench({"--workload", "mix", "--slow-share", "0.5", "--slow-ms",
                                       "20", "--rate", "1000", "--seconds", "0.1"}));
  EXPECT_EQ(result.status, 0) << result.err;
  const Json json = JsonOf(result);
  EXPECT_EQ(json["calls"], 100);
  EXPECT_EQ(json["slow"]["calls"], slow.load());
  EXPECT_GT(slow, 0);
  EXPECT_LT(slow, 100);
}

TEST(CliBench, OpensAndHoldsIdleConnections) {
  std::atomic<int> calls{0};
  const FakeGateway gateway({.query = [&](const auto& request, auto& response) {
    ++calls;
    return OneRow(request, response);
  }});
  const CliResult result = RunCli(
      gateway.address(), Bench({"--workload", "idle", "--connections", "40", "--seconds", "0.1"}));
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.err, "emsdb: 40 connections are ready\n");
  EXPECT_EQ(JsonOf(result)["calls"], 40);
  EXPECT_EQ(JsonOf(result)["channels"], 40);
  EXPECT_EQ(JsonOf(result)["errors"], Json::object());
  EXPECT_EQ(calls, 40);
}

TEST(CliBench, TellsOfConnectionsThatWereLostWhileTheyWereHeld) {
  std::promise<void> all;
  std::atomic<int> calls{0};
  FakeGateway gateway({.query = [&](const auto& request, auto& response) {
    if (++calls == 40) all.set_value();
    return OneRow(request, response);
  }});
  RunningCli cli(
      gateway.address(),
      {.arguments = Bench({"--workload", "idle", "--connections", "40", "--seconds", "2"})});
  all.get_future().wait();
  gateway.Break();
  const CliResult result = cli.Wait();
  const Json json = JsonOf(result);
  EXPECT_GE(json["calls"], 1);
  EXPECT_GT(json["errors"]["UNAVAILABLE CONNECTION_LOST"], 0) << json;
}

TEST(CliBench, WarnsWhereTheRowsAreNotThere) {
  const FakeGateway gateway({.query = [](const auto&, auto&) { return grpc::Status::OK; }});
  const CliResult result = RunCli(gateway.address(), Bench({"--rate", "100", "--seconds", "0.1"}));
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.err,
            "emsdb: 10 rows of 10 were not there: has --prepare been run with as many --keys?\n");
}

TEST(CliBench, SaysWhichOptionIsWrong) {
  const auto error = [](Arguments more) {
    const CliResult result = RunCli("127.0.0.1:1", Bench(std::move(more)));
    EXPECT_EQ(result.status, 2);
    EXPECT_EQ(result.out, "");
    return result.err;
  };
  EXPECT_THAT(error({"--workload", "nonsense"}), HasSubstr("--workload"));
  EXPECT_THAT(error({"--seconds", "nan"}), HasSubstr("--seconds"));
  EXPECT_THAT(error({"--rate", "0"}), HasSubstr("--rate"));
  EXPECT_THAT(error({"--in-flight", "0"}), HasSubstr("--in-flight"));
  EXPECT_THAT(error({"--keys", "0"}), HasSubstr("--keys"));
  EXPECT_THAT(error({"--slow-share", "1.5"}), HasSubstr("--slow-share"));
  EXPECT_THAT(error({"--deadline-min-ms", "5", "--deadline-max-ms", "4"}),
              HasSubstr("--deadline-min-ms"));
  EXPECT_THAT(error({"--workload", "idle", "--rate", "5"}), HasSubstr("--rate"));
  EXPECT_THAT(error({"--workload", "transaction", "--sql", "select 1"}), HasSubstr("--sql"));
  EXPECT_THAT(error({"--in-flight", "1", "--threads", "2"}), HasSubstr("--threads"));
}

TEST(CliBench, SaysThatTheGatewayIsAway) {
  const CliResult result = RunCli("127.0.0.1:1", Bench({}));
  EXPECT_EQ(result.status, 4);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("UNAVAILABLE"));
}

}  // namespace
}  // namespace emsdb
