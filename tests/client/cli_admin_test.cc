// `emsdb databases`, `pools` and `health`, the program, against a scripted gateway.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/client/run_cli.h"
#include "tests/support/fake_gateway.h"

namespace emsdb {
namespace {

using ::testing::HasSubstr;

FakeScript TwoPools() {
  return {.pools = [](const auto& request, auto& response) {
    if (request.database() == "nosuch") {
      return GatewayError(grpc::StatusCode::NOT_FOUND, "no database \"nosuch\"", "NO_DATABASE");
    }
    auto& main = *response.add_pools();
    main.set_database("main");
    main.set_engine(v1::ENGINE_POSTGRESQL);
    main.set_tier("medium");
    main.set_size(20);
    main.set_max_overflow(40);
    main.mutable_timeout()->set_seconds(30);
    main.mutable_recycle()->set_seconds(1800);
    main.set_leased(3);
    main.set_opened_total(1LL << 40);
    main.set_last_connect_error("connection refused");
    main.set_state(v1::POOL_STATE_DOWN);
    main.mutable_down_for()->set_seconds(12);
    main.mutable_down_for()->set_nanos(345'678'901);
    main.mutable_next_attempt()->set_seconds(1);
    auto& holder = *main.add_holders();
    holder.set_caller("cad");
    holder.set_statement("select ?");
    holder.mutable_held()->set_seconds(7);
    holder.mutable_held()->set_nanos(500'000'000);
    holder.set_transaction(true);
    auto& fire = *response.add_pools();
    fire.set_database("fire");
    fire.set_engine(v1::ENGINE_SQLITE);
    fire.mutable_timeout()->set_nanos(500'000'000);
    fire.mutable_writer()->set_leased(1);
    return grpc::Status::OK;
  }};
}

TEST(CliPools, PrintsEveryFieldAsJson) {
  const FakeGateway gateway(TwoPools());
  const CliResult result = RunCli(gateway.address(), {"pools", "--format", "json"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, R"([
  {
    "database": "main",
    "engine": "postgresql",
    "tier": "medium",
    "state": "down",
    "size": 20,
    "max_overflow": 40,
    "timeout": 30,
    "recycle": 1800,
    "idle": 0,
    "leased": 3,
    "opening": 0,
    "waiting": 0,
    "longest_wait": 0,
    "transactions": 0,
    "opened_total": 1099511627776,
    "timeouts_total": 0,
    "stale_total": 0,
    "writer": null,
    "last_connect_error": "connection refused",
    "down_for": 12.346,
    "next_attempt": 1.0,
    "holders": [
      {
        "caller": "cad",
        "statement": "select ?",
        "held": 7.5,
        "transaction": true
      }
    ]
  },
  {
    "database": "fire",
    "engine": "sqlite",
    "tier": "",
    "state": "unknown",
    "size": 0,
    "max_overflow": 0,
    "timeout": 0.5,
    "recycle": -1,
    "idle": 0,
    "leased": 0,
    "opening": 0,
    "waiting": 0,
    "longest_wait": 0,
    "transactions": 0,
    "opened_total": 0,
    "timeouts_total": 0,
    "stale_total": 0,
    "writer": {
      "leased": 1,
      "waiting": 0
    },
    "last_connect_error": "",
    "down_for": null,
    "next_attempt": null,
    "holders": []
  }
]
)");
}

TEST(CliPools, PrintsATable) {
  const FakeGateway gateway(TwoPools());
  const CliResult result = RunCli(gateway.address(), {"pools"});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, HasSubstr(" main     | postgresql | medium | down    |   20 |"));
  EXPECT_THAT(result.out, HasSubstr("(2 rows)"));
  EXPECT_THAT(result.out, HasSubstr(" main     | cad    | select ?  |  7.5 | yes\n(1 row)"));
}

TEST(CliPools, RefusesADatabaseThatDoesNotExist) {
  const FakeGateway gateway(TwoPools());
  const CliResult result = RunCli(gateway.address(), {"pools", "--db", "nosuch"});
  EXPECT_EQ(result.status, 3);
  EXPECT_THAT(result.err, HasSubstr("NOT_FOUND: no database \"nosuch\""));
}

TEST(CliDatabases, ListsThem) {
  const FakeGateway gateway({.databases = [](const auto&, auto& response) {
    auto& database = *response.add_databases();
    database.set_name("main");
    database.set_engine(v1::ENGINE_SQLITE);
    database.set_location(":memory:");
    database.set_reachable(true);
    return grpc::Status::OK;
  }});
  EXPECT_EQ(RunCli(gateway.address(), {"databases"}).out,
            " name | engine | location | tier | reachable\n"
            "------+--------+----------+------+-----------\n"
            " main | sqlite | :memory: |      | yes\n"
            "(1 row)\n");
  EXPECT_THAT(RunCli(gateway.address(), {"databases", "--format", "json"}).out,
              HasSubstr("\"reachable\": true"));
}

TEST(CliOutcome, SaysWhatBecameOfACommit) {
  v1::CommitOutcome outcome = v1::COMMIT_OUTCOME_COMMITTED;
  const FakeGateway gateway({.outcome = [&](const auto& request, auto& response) {
    if (request.commit_token() != "c1.token") {
      return GatewayError(grpc::StatusCode::NOT_FOUND, "too long ago", "OUTCOME_FORGOTTEN");
    }
    response.set_outcome(outcome);
    return grpc::Status::OK;
  }});
  CliResult asked = RunCli(gateway.address(), {"outcome", "c1.token"});
  EXPECT_EQ(asked.out, "COMMITTED\n") << asked.err;
  EXPECT_EQ(asked.status, 0);
  outcome = v1::COMMIT_OUTCOME_ROLLED_BACK;
  asked = RunCli(gateway.address(), {"outcome", "c1.token"});
  EXPECT_EQ(asked.out, "ROLLED_BACK\n");
  EXPECT_EQ(asked.status, 3);
  outcome = v1::COMMIT_OUTCOME_IN_PROGRESS;
  asked = RunCli(gateway.address(), {"outcome", "c1.token"});
  EXPECT_EQ(asked.out, "IN_PROGRESS\n");
  EXPECT_EQ(asked.status, 5);
  outcome = v1::COMMIT_OUTCOME_UNSPECIFIED;
  EXPECT_EQ(RunCli(gateway.address(), {"outcome", "c1.token"}).status, 5);
  asked = RunCli(gateway.address(), {"outcome", "c1.other"});
  EXPECT_EQ(asked.status, 3);
  EXPECT_EQ(asked.out, "");
  EXPECT_THAT(asked.err, HasSubstr("OUTCOME_FORGOTTEN"));
  EXPECT_EQ(RunCli(gateway.address(), {"outcome"}).status, 2);
}

TEST(CliOutcome, IsOfferedByTheErrorOfACommitInDoubt) {
  const FakeGateway gateway({.query = [](const auto& request, auto&) {
    EXPECT_TRUE(request.resolvable());
    return GatewayError(grpc::StatusCode::UNKNOWN, "lost", "COMMIT_IN_DOUBT",
                        {{"outcome", "unknown"}, {"commit_token", "c1.token"}});
  }});
  const CliResult lost = RunCli(gateway.address(), {"query", "--resolvable", "insert"});
  EXPECT_EQ(lost.status, 5);
  EXPECT_THAT(lost.err, HasSubstr("emsdb outcome c1.token\n"));
}

TEST(CliQuery, RunsAStatementOutsideOfTransactionsWhereItIsTold) {
  const FakeGateway gateway({.query = [](const auto& request, auto& response) {
    EXPECT_TRUE(request.outside_transaction());
    EXPECT_FALSE(request.resolvable());
    response.set_command("VACUUM");
    return grpc::Status::OK;
  }});
  EXPECT_EQ(RunCli(gateway.address(), {"query", "--outside-transaction", "vacuum"}).status, 0);
}

TEST(CliHealth, SaysWhetherItServes) {
  FakeGateway gateway({});
  gateway.SetHealth("fire", FakeGateway::Health::kNotServing);
  const CliResult process = RunCli(gateway.address(), {"health"});
  EXPECT_EQ(process.out, "SERVING\n");
  EXPECT_EQ(process.status, 0);
  const CliResult fire = RunCli(gateway.address(), {"health", "fire"});
  EXPECT_EQ(fire.out, "NOT_SERVING\n");
  EXPECT_EQ(fire.status, 4);
  EXPECT_EQ(RunCli(gateway.address(), {"health", "nosuch"}).status, 3);
}

TEST(CliHealth, TakesTheAddressFromTheCommandLineFirst) {
  const FakeGateway gateway({});
  EXPECT_EQ(RunCli("127.0.0.1:1", {"--address", gateway.address(), "health"}).status, 0);
  EXPECT_EQ(RunCli("127.0.0.1:1", {"health", "--address", gateway.address()}).status, 0);
  EXPECT_EQ(RunCli("127.0.0.1:1", {"health"}).status, 4);
}

}  // namespace
}  // namespace emsdb
