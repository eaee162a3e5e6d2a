// How the gateway starts, refuses to start, shows itself and is protected.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "client/client.h"
#include "emsdb/v1/query_service.grpc.pb.h"
#include "tests/end_to_end/certificates.h"
#include "tests/end_to_end/connect.h"
#include "tests/support/gateway_process.h"

namespace emsdb {
namespace {

using client::Client;
using ::testing::HasSubstr;
using ::testing::Not;

// Nothing listens on port 1.
constexpr char kNowhere[] = "postgresql://app:s3cret@127.0.0.1:1/ems";

// The pools as `emsdb pools --format json` shows them, by database.
nlohmann::json Pools(const Environment& settings) {
  GatewayProcess gateway(settings);
  const Ended shown = RunProgram(ClientProgram(), {"pools", "--format", "json"},
                                 {{"EMSDB_ADDRESS", gateway.address()}});
  EXPECT_EQ(shown.status, 0) << shown.err;
  nlohmann::json by_name;
  for (const nlohmann::json& pool : nlohmann::json::parse(shown.out)) {
    by_name[pool.at("database").get<std::string>()] = pool;
  }
  return by_name;
}

void ExpectLimits(const nlohmann::json& pool, int size, int overflow, double timeout,
                  double recycle) {
  EXPECT_EQ(pool.at("size"), size) << pool;
  EXPECT_EQ(pool.at("max_overflow"), overflow) << pool;
  EXPECT_EQ(pool.at("timeout").get<double>(), timeout) << pool;
  EXPECT_EQ(pool.at("recycle").get<double>(), recycle) << pool;
}

TEST(Start, GivesEveryDatabaseTheDefaultLimitsOfAPoolOfItsOwn) {
  const nlohmann::json pools = Pools({{"DATABASE_URL", kNowhere}});
  EXPECT_EQ(pools.size(), 4U);
  for (const char* name : {"main", "telehealth", "fire", "hems"}) {
    ExpectLimits(pools.at(name), 5, 10, 30, 1800);
    EXPECT_EQ(pools.at(name).at("engine"), "postgresql");
  }
}

TEST(Start, KnowsTheTiers) {
  ExpectLimits(Pools({{"DATABASE_URL", kNowhere}, {"DB_TIER", "pilot"}})["hems"], 10, 20, 30, 1800);
  ExpectLimits(Pools({{"DATABASE_URL", kNowhere}, {"DB_TIER", "medium"}})["main"], 20, 40, 30,
               1800);
  ExpectLimits(Pools({{"DATABASE_URL", kNowhere}, {"DB_TIER", "large"}})["fire"], 50, 100, 45,
               1800);
}

TEST(Start, LetsOverridesWinInTheirOrder) {
  const nlohmann::json pools = Pools({{"DATABASE_URL", kNowhere},
                                      {"DB_TIER", "pilot"},
                                      {"FIRE_DB_TIER", "large"},
                                      {"DB_POOL_TIMEOUT", "2.5"},
                                      {"TELEHEALTH_DB_POOL_SIZE", "7"},
                                      {"HEMS_DB_MAX_OVERFLOW", "0"},
                                      {"HEMS_DB_POOL_RECYCLE", "-1"}});
  ExpectLimits(pools["main"], 10, 20, 2.5, 1800);
  ExpectLimits(pools["telehealth"], 7, 20, 2.5, 1800);
  ExpectLimits(pools["fire"], 50, 100, 2.5, 1800);
  ExpectLimits(pools["hems"], 10, 0, 2.5, -1);
}

TEST(Start, EndsInProductionNamingEveryDatabaseThatDidNotAnswer) {
  TemporaryDirectory directory;
  const Ended ended = RunProgram(GatewayProgram(), {},
                                 {{"ENV", "production"},
                                  {"DATABASE_URL", "sqlite:///" + directory.File("main.db")},
                                  {"FIRE_DATABASE_URL", kNowhere},
                                  {"HEMS_DATABASE_URL", kNowhere},
                                  {"EMSDB_LISTEN", "127.0.0.1:0"},
                                  {"EMSDB_METRICS_LISTEN", "127.0.0.1:0"}});
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.err, HasSubstr("fire: "));
  EXPECT_THAT(ended.err, HasSubstr("hems: "));
  EXPECT_THAT(ended.err, Not(HasSubstr("main: ")));
  EXPECT_THAT(ended.err, Not(HasSubstr("s3cret")));
}

TEST(Start, ListsEveryComplaintAtOnce) {
  const Ended ended = RunProgram(
      GatewayProgram(), {"--check-config"},
      {{"DB_POOL_SIZE", "-3"}, {"DB_TIER", "huge"}, {"DATABASE_URL", "mysql://u:s3cret@h/d"}});
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.err, HasSubstr("DB_POOL_SIZE"));
  EXPECT_THAT(ended.err, HasSubstr("DB_TIER"));
  EXPECT_THAT(ended.err, HasSubstr("DATABASE_URL"));
  EXPECT_THAT(ended.err, Not(HasSubstr("s3cret")));
}

TEST(Start, ShowsTheSettingsAsUnderstood) {
  const Ended ended = RunProgram(GatewayProgram(), {"--check-config"},
                                 {{"DATABASE_URL", kNowhere}, {"DB_TIER", "medium"}});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("medium"));
  EXPECT_THAT(ended.out, Not(HasSubstr("s3cret")));
}

TEST(Start, SaysItsVersion) {
  for (const std::string& program : {GatewayProgram(), ClientProgram()}) {
    const Ended ended = RunProgram(program, {"--version"}, {});
    EXPECT_EQ(ended.status, 0);
    EXPECT_THAT(ended.out, HasSubstr("0.1.0"));
  }
}

TEST(Start, RefusesAPortThatIsTaken) {
  GatewayProcess first;
  TemporaryDirectory directory;
  const Ended second = RunProgram(GatewayProgram(), {},
                                  {{"EMSDB_LISTEN", first.address()},
                                   {"EMSDB_METRICS_LISTEN", "127.0.0.1:0"},
                                   {"EMSDB_DATA_DIR", directory.path()}});
  EXPECT_EQ(second.status, 1);
  EXPECT_THAT(second.err, HasSubstr("EMSDB_LISTEN"));
}

TEST(Start, AnswersTheHealthServiceForTheProcessAndEachDatabase) {
  GatewayProcess gateway;
  const Client client = Connect(gateway);
  for (const char* name : {"", "main", "telehealth", "fire", "hems"}) {
    const auto health = client.Health(name);
    ASSERT_TRUE(health.ok()) << name << health.status();
    EXPECT_EQ(*health, client::HealthStatus::kServing) << name;
  }
  EXPECT_EQ(client.Health("billing").status().code(), absl::StatusCode::kNotFound);
}

TEST(Start, ServesMetricsAndReadinessOverHttp) {
  GatewayProcess gateway;
  ASSERT_TRUE(Connect(gateway).Query("main", "select 1").ok());
  const auto get = [&](const std::string& path) {
    return RunProgram("/usr/bin/curl", {"-s", "http://" + gateway.metrics_address() + path}, {})
        .out;
  };
  EXPECT_EQ(get("/healthz"), "alive\n");
  EXPECT_THAT(get("/readyz"), HasSubstr("main: reachable"));
  const std::string metrics = get("/metrics");
  for (const char* name :
       {"emsdb_pool_utilisation_ratio", "emsdb_pool_timeouts_total",
        "emsdb_call_duration_seconds_bucket", "emsdb_pool_stale_connections_total"}) {
    EXPECT_THAT(metrics, HasSubstr(name));
  }
}

TEST(Start, LabelsMetricsByNamesOfRpcsAlone) {
  GatewayProcess gateway;
  auto transaction = Connect(gateway).Begin("main");
  ASSERT_TRUE(transaction.ok());
  EXPECT_TRUE(transaction->Query("select 1").ok());
  EXPECT_TRUE(transaction->Commit().ok());
  EXPECT_FALSE(Connect(gateway).Query("main", "").ok());
  const std::string metrics = gateway.Metrics();
  const std::regex label("rpc=\"([^\"]*)\"");
  std::set<std::string> rpcs;
  for (std::sregex_iterator at(metrics.begin(), metrics.end(), label), end; at != end; ++at) {
    rpcs.insert((*at)[1]);
  }
  EXPECT_EQ(rpcs, (std::set<std::string>{"BeginTransaction", "CommitTransaction", "Query"}));
}

TEST(Start, ProtectsCallsByTls) {
  const Certificates certificates;
  GatewayProcess gateway({{"EMSDB_TLS_CERT", certificates.File("server.pem")},
                          {"EMSDB_TLS_KEY", certificates.File("server.key")}});
  const auto secure =
      Client::Connect({.address = gateway.address(),
                       .tls = client::Tls{.roots = ReadText(certificates.File("ca.pem"))}});
  const auto answer = secure->Query("main", "select 1");
  EXPECT_TRUE(answer.ok()) << answer.status();
  EXPECT_FALSE(Connect(gateway)
                   .Query("main", "select 1", {}, {.call = {.deadline = std::chrono::seconds(2)}})
                   .ok());
}

TEST(Start, TakesTheCallersNameFromItsCertificate) {
  const Certificates certificates;
  GatewayProcess gateway({{"EMSDB_TLS_CERT", certificates.File("server.pem")},
                          {"EMSDB_TLS_KEY", certificates.File("server.key")},
                          {"EMSDB_TLS_CLIENT_CA", certificates.File("ca.pem")}});
  const client::Tls roots = {.roots = ReadText(certificates.File("ca.pem"))};
  const auto unknown =
      Client::Connect({.address = gateway.address(), .tls = roots, .retry = {.max_attempts = 1}});
  EXPECT_FALSE(
      unknown->Query("main", "select 1", {}, {.call = {.deadline = std::chrono::seconds(2)}}).ok());
  client::Tls own = roots;
  own.certificate = ReadText(certificates.File("cad-api.pem"));
  own.key = ReadText(certificates.File("cad-api.key"));
  const auto known =
      Client::Connect({.address = gateway.address(), .tls = own, .caller = "somebody-else"});
  const auto answer = known->Query("main", "select 1");
  EXPECT_TRUE(answer.ok()) << answer.status();
  EXPECT_FALSE(known->Query("main", "selec").ok());
  gateway.Terminate();
  EXPECT_THAT(gateway.log(), HasSubstr(R"("caller":"cad-api","caller_proven":true)"));
}

TEST(Start, SpeaksPlainTextBeyondThisMachineOnlyWhenToldTo) {
  const Ended refused =
      RunProgram(GatewayProgram(), {"--check-config"}, {{"EMSDB_LISTEN", "0.0.0.0:50051"}});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("EMSDB_INSECURE"));
  const Ended allowed = RunProgram(GatewayProgram(), {"--check-config"},
                                   {{"EMSDB_LISTEN", "0.0.0.0:50051"}, {"EMSDB_INSECURE", "1"}});
  EXPECT_EQ(allowed.status, 0) << allowed.err;
}

// Requests that a generated stub can send though the client library cannot.
class BadInput : public ::testing::Test {
 protected:
  BadInput()
      : stub_(v1::QueryService::NewStub(
            grpc::CreateChannel(gateway_.address(), grpc::InsecureChannelCredentials()))) {}

  grpc::Status Send(const v1::QueryRequest& request, const char* label = nullptr) {
    grpc::ClientContext context;
    if (label != nullptr) context.AddMetadata("emsdb-caller", label);
    v1::QueryResponse response;
    return stub_->Query(&context, request, &response);
  }

  void ExpectRefused(const v1::QueryRequest& request, const char* field) {
    const grpc::Status status = Send(request);
    EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT) << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr(field));
    // It lives on.
    v1::QueryRequest good;
    good.mutable_statement()->set_sql("select 1");
    EXPECT_TRUE(Send(good).ok());
  }

  GatewayProcess gateway_;
  std::unique_ptr<v1::QueryService::Stub> stub_;
};

// T49
TEST_F(BadInput, NamesAParameterThatIsNotSet) {
  v1::QueryRequest request;
  request.mutable_statement()->set_sql("select $1");
  request.mutable_statement()->add_parameters();
  ExpectRefused(request, "statement.parameters[0]");
}

TEST_F(BadInput, NamesAStatementThatIsMissing) { ExpectRefused({}, "statement.sql"); }

TEST_F(BadInput, NamesAPriorityThatDoesNotExist) {
  v1::QueryRequest request;
  request.mutable_statement()->set_sql("select 1");
  request.set_priority(static_cast<v1::Priority>(77));
  ExpectRefused(request, "priority");
}

TEST_F(BadInput, NamesAnIdThatIsNone) {
  v1::QueryRequest request;
  request.mutable_statement()->set_sql("select 1");
  request.mutable_transaction()->set_id("17");
  ExpectRefused(request, "transaction_id");
}

TEST_F(BadInput, TakesATransactionWithoutASelectorForNoAutocommit) {
  v1::QueryRequest request;
  request.mutable_statement()->set_sql("select 1");
  request.mutable_transaction();
  ExpectRefused(request, "transaction");
}

TEST_F(BadInput, NamesALimitThatIsTooLarge) {
  v1::QueryRequest request;
  request.mutable_statement()->set_sql("select 1");
  request.set_max_rows(10001);
  ExpectRefused(request, "max_rows");
}

TEST_F(BadInput, NamesATimeOutThatIsOutOfBounds) {
  v1::QueryRequest request;
  request.mutable_statement()->set_sql("select 1");
  auto* idle = request.mutable_transaction()->mutable_begin()->mutable_idle_timeout();
  for (const std::int64_t seconds :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{301}, INT64_MAX, INT64_MIN}) {
    idle->set_seconds(seconds);
    ExpectRefused(request, "idle_timeout");
  }
}

TEST_F(BadInput, NamesTheDatabasesThereAre) {
  v1::QueryRequest request;
  request.set_database("billing");
  request.mutable_statement()->set_sql("select 1");
  const grpc::Status status = Send(request);
  EXPECT_EQ(status.error_code(), grpc::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("fire, hems, main, telehealth"));
}

TEST_F(BadInput, RefusesACallersLabelThatIsTooLong) {
  v1::QueryRequest request;
  request.mutable_statement()->set_sql("select 1");
  EXPECT_EQ(Send(request, std::string(65, 'x').c_str()).error_code(), grpc::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace emsdb
