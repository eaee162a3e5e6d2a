// Where values may be seen: by default in the caller's own rows alone, with EMSDB_LOG_VALUES=1 in
// the log, and PostgreSQL's DETAIL in the error of the caller whose statement it was.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "client/client.h"
#include "client/error_info.h"
#include "tests/end_to_end/known_callers.h"
#include "tests/end_to_end/postgres_fixture.h"

namespace emsdb {
namespace {

using client::Client;
using client::ErrorInfoOf;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kSecret[] = "patient-Jane-Roe";
constexpr char kInsert[] = "insert into patients values ($1, $2)";

class LogValues : public ::testing::Test {
 protected:
  // The rows of `kInsert` break a rule whose DETAIL quotes the whole row, and another that quotes
  // the key.
  LogValues() {
    database_.Run(
        "create table patients (name text primary key, age int check (age < 200));"
        "insert into patients values ('patient-Jane-Roe', 41)");
  }

  Environment Settings(Environment more = {}) const {
    more["DATABASE_URL"] = database_.url();
    return file_.With(more);
  }

  // What goes wrong in every way in which a statement can be sent, by the way's name.
  static std::map<std::string, absl::Status> FailInEveryWay(const Client& client) {
    std::map<std::string, absl::Status> failed;
    failed["Query"] = client.Query("main", kInsert, {kSecret, 7}).status();
    failed["StreamQuery"] =
        client.StreamQuery("main", std::string(kInsert) + " returning name", {kSecret, 7}).status();
    failed["ExecuteBatch"] =
        client
            .ExecuteBatch("main", {{.sql = kInsert, .parameters = {"patient-Joe", 1}},
                                   {.sql = kInsert, .parameters = {kSecret, 7}}})
            .status();
    auto leased = client.Begin("main");
    failed["leased"] = leased->Query(kInsert, {"other", 4321}).status();
    EXPECT_TRUE(leased->RollBack().ok());
    auto held = client.Transact("main");
    failed["Transact"] = held->Query(kInsert, {kSecret, 7}).status();
    EXPECT_TRUE(held->RollBack().ok());
    return failed;
  }

  static std::vector<json> LinesOf(const std::string& log, const std::string& event) {
    std::vector<json> lines;
    std::istringstream text(log);
    for (std::string line; std::getline(text, line);) {
      const json parsed = json::parse(line, nullptr, false);
      if (parsed.is_object() && parsed.value("event", "") == event) lines.push_back(parsed);
    }
    return lines;
  }

  const OwnDatabase database_;
  TokensFileOnDisk file_;
};

// T68
TEST_F(LogValues, AreNowhereUnlessAskedFor) {
  GatewayProcess gateway(Settings());
  const Client client = ConnectAs(gateway, kCadToken);
  for (const auto& [way, status] : FailInEveryWay(client)) {
    EXPECT_EQ(ErrorInfoOf(status).sqlstate().substr(0, 2), "23") << way << status;
    EXPECT_EQ(ErrorInfoOf(status).Get("detail"), "") << way;
    EXPECT_THAT(status.ToString(), Not(HasSubstr(kSecret))) << way;
    for (const auto& [key, value] : ErrorInfoOf(status).metadata) {
      EXPECT_THAT(value, Not(HasSubstr("patient-"))) << way << key;
      EXPECT_THAT(value, Not(HasSubstr("4321"))) << way << key;
    }
  }
  // The message may quote what the caller sent, and is the caller's alone.
  const absl::Status bad = client.Query("main", "select $1::int", {kSecret}).status();
  EXPECT_THAT(std::string(bad.message()), HasSubstr(kSecret));
  EXPECT_TRUE(client.Query("main", "select pg_sleep(1.1), $1", {kSecret}).ok());
  EXPECT_EQ(gateway.Terminate(), 0);
  EXPECT_EQ(LinesOf(gateway.log(), "failed call").size(), 6U) << gateway.log();
  EXPECT_EQ(LinesOf(gateway.log(), "slow call").size(), 1U) << gateway.log();
  for (const char* value : {"patient-", "4321", "\"values\"", "\"detail\""}) {
    EXPECT_THAT(gateway.log(), Not(HasSubstr(value)));
  }
}

// T68
TEST_F(LogValues, AreShownToTheOperatorWhoAskedAndTheirDetailToTheirCaller) {
  GatewayProcess gateway(Settings({{"EMSDB_LOG_VALUES", "1"}}));
  const Client client = ConnectAs(gateway, kCadToken);
  for (const auto& [way, status] : FailInEveryWay(client)) {
    const std::string detail = ErrorInfoOf(status).Get("detail");
    if (way == "leased") {
      EXPECT_EQ(detail, "Failing row contains (other, 4321).") << status;
    } else {
      EXPECT_EQ(detail, "Key (name)=(patient-Jane-Roe) already exists.") << way << status;
    }
  }
  EXPECT_TRUE(client.Query("main", "select pg_sleep(1.1), $1", {kSecret}).ok());
  EXPECT_EQ(gateway.Terminate(), 0);
  const std::vector<json> failed = LinesOf(gateway.log(), "failed call");
  ASSERT_EQ(failed.size(), 5U) << gateway.log();
  for (const json& line : failed) {
    const bool leased = line.at("sqlstate") == "23514";
    EXPECT_EQ(line.at("values"), leased ? json({"other", 4321}) : json({kSecret, 7})) << line;
    EXPECT_THAT(line.at("detail").get<std::string>(),
                HasSubstr(leased ? "(other, 4321)" : "(patient-Jane-Roe)"));
    EXPECT_TRUE(line.contains("message")) << line;
  }
  const std::vector<json> slow = LinesOf(gateway.log(), "slow call");
  ASSERT_EQ(slow.size(), 1U);
  EXPECT_EQ(slow[0].at("values"), json({kSecret}));
  EXPECT_FALSE(slow[0].contains("detail"));
}

// T68
TEST_F(LogValues, AreNoOtherCallersToSee) {
  GatewayProcess gateway(
      Settings({{"EMSDB_LOG_VALUES", "1"}, {"DB_POOL_SIZE", "1"}, {"DB_MAX_OVERFLOW", "0"}}));
  const Client cad = ConnectAs(gateway, kCadToken);
  const Client other = ConnectAs(gateway, kOperatorToken);
  auto begun = cad.Begin("main");
  ASSERT_TRUE(begun.ok()) << begun.status();
  EXPECT_THAT(ErrorInfoOf(begun->Query(kInsert, {kSecret, 7}).status()).Get("detail"),
              HasSubstr(kSecret));
  // By whatever another one may hear of it: a refusal that names the holder, the pool's status, an
  // error of its own on the same connection.
  const absl::Status refused =
      other.Query("main", "select 1", {}, {.call = {.deadline = std::chrono::milliseconds(300)}})
          .status();
  EXPECT_FALSE(refused.ok());
  EXPECT_THAT(other.PoolStatus("main")->front().DebugString(), Not(HasSubstr("patient-")));
  EXPECT_TRUE(begun->RollBack().ok());
  const absl::Status own = other.Query("main", kInsert, {"someone", 999}).status();
  EXPECT_EQ(ErrorInfoOf(own).Get("detail"), "Failing row contains (someone, 999).") << own;
  for (const absl::Status& status : {refused, own}) {
    EXPECT_THAT(status.ToString(), Not(HasSubstr("patient-")));
    for (const auto& [key, value] : ErrorInfoOf(status).metadata) {
      EXPECT_THAT(value, Not(HasSubstr("patient-"))) << key;
    }
  }
}

// T68
TEST_F(LogValues, OfACommandLineUserAreInItsReport) {
  GatewayProcess gateway(Settings({{"EMSDB_LOG_VALUES", "1"}}));
  const Ended ended =
      RunProgram(ClientProgram(), {"query", "--param", kSecret, "--param", "7", kInsert},
                 {{"EMSDB_ADDRESS", gateway.address()}, {"EMSDB_TOKEN", kCadToken}});
  EXPECT_NE(ended.status, 0);
  EXPECT_THAT(ended.err, HasSubstr("detail: Key (name)=(patient-Jane-Roe) already exists."));
}

}  // namespace
}  // namespace emsdb
