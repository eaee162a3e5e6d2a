#include "tests/end_to_end/bench_suite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/client.h"

namespace emsdb {

using ::testing::StartsWith;
using Json = nlohmann::json;

namespace {

Ended RunBench(const GatewayProcess& gateway, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(),
                   {"--address", gateway.address(), "bench", "--keys", std::to_string(kBenchKeys)});
  return RunProgram(ClientProgram(), arguments, {});
}

// What was added to all quantities since the table was made.
std::int64_t Added(const GatewayProcess& gateway) {
  return AskNumber(gateway, "select cast(sum(quantity - id % 100) as bigint) from bench_rows");
}

}  // namespace

Json Bench(const GatewayProcess& gateway, std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--format", "json", "--warm-up", "0", "--deadline-min-ms",
                                     "30000", "--in-flight", "8"});
  const Ended ended = RunBench(gateway, arguments);
  EXPECT_EQ(ended.status, 0) << ended.out << ended.err;
  Json json = Json::parse(ended.out, nullptr, /*allow_exceptions=*/false);
  EXPECT_TRUE(json.is_object()) << ended.out;
  EXPECT_EQ(json["errors"], Json::object());
  EXPECT_GT(json["calls"], 0);
  return json;
}

std::string PrepareBench(const GatewayProcess& gateway) {
  const Ended ended = RunBench(gateway, {"--prepare"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  return ended.out;
}

std::int64_t AskNumber(const GatewayProcess& gateway, const std::string& sql) {
  const auto client = client::Client::Connect({.address = gateway.address()});
  const auto result = client->Query("main", sql);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *result->rows.at(0).at(0).get_if<std::int64_t>() : -1;
}

void ReadsCountTheirRows(const GatewayProcess& gateway) {
  PrepareBench(gateway);
  const Json read = Bench(gateway, {"--seconds", "0.2"});
  EXPECT_EQ(read["rows"], read["calls"]);
  const Json two = Bench(gateway, {"--seconds", "0.2", "--channels", "3", "--threads", "2"});
  EXPECT_EQ(two["rows"], two["calls"]);
  const Json batch = Bench(gateway, {"--workload", "batch", "--seconds", "0.2"});
  EXPECT_EQ(batch["rows"], batch["calls"].get<std::int64_t>() * 5);
  const Json own = Bench(gateway, {"--sql", "select 1 union all select 2", "--seconds", "0.1"});
  EXPECT_EQ(own["rows"], own["calls"].get<std::int64_t>() * 2);
  const Json open = Bench(gateway, {"--rate", "200", "--seconds", "0.2"});
  EXPECT_EQ(open["calls"], 40);
}

void WritesThatAreCountedAreInTheTable(const GatewayProcess& gateway) {
  PrepareBench(gateway);
  const Json write = Bench(gateway, {"--workload", "write", "--seconds", "0.2"});
  EXPECT_EQ(write["rows"], write["calls"]);
  EXPECT_EQ(Added(gateway), write["calls"]);
}

void TransactionsThatAreCountedAreInTheTable(const GatewayProcess& gateway) {
  PrepareBench(gateway);
  const Json done = Bench(gateway, {"--workload", "transaction", "--seconds", "0.2"});
  EXPECT_EQ(done["rows"], done["calls"].get<std::int64_t>() * 3);
  EXPECT_EQ(Added(gateway), done["calls"].get<std::int64_t>() * 2);
}

void StreamsAreWhole(const GatewayProcess& gateway) {
  const Json stream =
      Bench(gateway, {"--workload", "stream", "--rows", "5000", "--seconds", "0.2"});
  EXPECT_EQ(stream["rows"], stream["calls"].get<std::int64_t>() * 5000);
}

void IdleConnectionsAreHeld(const GatewayProcess& gateway) {
  PrepareBench(gateway);
  const Json idle =
      Bench(gateway, {"--workload", "idle", "--connections", "30", "--seconds", "0.1"});
  EXPECT_EQ(idle["calls"], 30);
}

void TheTableIsMadeAnew(const GatewayProcess& gateway) {
  EXPECT_EQ(PrepareBench(gateway), "bench_rows has 200 rows\n");
  Bench(gateway, {"--workload", "write", "--seconds", "0.05"});
  EXPECT_THAT(PrepareBench(gateway), StartsWith("bench_rows has"));
  EXPECT_EQ(Added(gateway), 0);
  EXPECT_EQ(AskNumber(gateway, "select count(*) from bench_rows"), kBenchKeys);
}

}  // namespace emsdb
