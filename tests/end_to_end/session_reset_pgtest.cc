// What one caller leaves in its PostgreSQL session, and that the next one does not meet it: the
// real gateway with one connection, under both values of EMSDB_SESSION_RESET.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "client/client.h"
#include "tests/end_to_end/connect.h"
#include "tests/end_to_end/postgres_fixture.h"
#include "tests/support/gateway_process.h"

namespace emsdb {
namespace {

using client::BatchStatement;
using client::Client;
using ::testing::HasSubstr;

constexpr char kLock[] = "select count(*) from pg_locks where locktype = 'advisory'";

class SessionResets : public ::testing::Test {
 protected:
  SessionResets() {
    database_.Run(
        "create function hide() returns int language plpgsql as $$ begin "
        "set search_path = ''; set leaked.value = 'x'; perform pg_advisory_lock(4711); "
        "return 1; end $$");
  }

  Environment Settings(const std::string& reset) const {
    return {{"DATABASE_URL", database_.url()},
            {"DB_POOL_SIZE", "1"},
            {"DB_MAX_OVERFLOW", "0"},
            {"EMSDB_SESSION_RESET", reset}};
  }
  static std::string Text(const absl::StatusOr<client::Result>& result) {
    if (!result.ok()) return result.status().ToString();
    const std::string* text = result->rows.at(0)[0].get_if<std::string>();
    return text == nullptr ? "no text" : *text;
  }
  // As the only connection's session has it.
  static std::string Leaked(const Client& client) {
    return Text(client.Query("main", "select coalesce(current_setting('leaked.value', true), '')"));
  }
  const OwnDatabase database_;
};

// T40, T43
TEST_F(SessionResets, HappenAfterAStatementThatCanBeSeenToChangeTheSession) {
  GatewayProcess gateway(Settings("dirty"));
  const Client client = Connect(gateway);
  ASSERT_TRUE(client.Query("main", "set leaked.value = 'x'").ok());
  EXPECT_EQ(Leaked(client), "");
  ASSERT_TRUE(client.Query("main", "select pg_advisory_lock(4711)").ok());
  EXPECT_EQ(Text(client.Query("main", std::string("select (") + kLock + ")::text")), "0");
  const std::string metrics = gateway.Metrics();
  EXPECT_THAT(metrics,
              HasSubstr("emsdb_pool_session_resets_total{pool=\"main\",result=\"done\"} 2"));
  EXPECT_THAT(metrics, HasSubstr("emsdb_pool_opened_total{pool=\"main\"} 1"));
}

// The limit that the README names.
TEST_F(SessionResets, DoNotHappenWhenAFunctionHidTheChange) {
  GatewayProcess gateway(Settings("dirty"));
  const Client client = Connect(gateway);
  ASSERT_TRUE(client.Query("main", "select hide()").ok());
  EXPECT_EQ(Leaked(client), "x");
}

// T40, T43
TEST_F(SessionResets, HappenBeforeEveryUseWhenToldSo) {
  GatewayProcess gateway(Settings("always"));
  const Client client = Connect(gateway);
  ASSERT_TRUE(client.Query("main", "select hide()").ok());
  EXPECT_EQ(Leaked(client), "");
  EXPECT_EQ(database_.Run(kLock), "0");

  ASSERT_TRUE(client.Query("main", "select hide()").ok());
  const auto batch = client.ExecuteBatch(
      "main", {BatchStatement{"create table taken as select "
                              "coalesce(current_setting('leaked.value', true), '') as value"}});
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_EQ(database_.Run("select value from taken"), "");

  ASSERT_TRUE(client.Query("main", "select hide()").ok());
  auto transaction = client.Begin("main");
  ASSERT_TRUE(transaction.ok()) << transaction.status();
  EXPECT_EQ(Text(transaction->Query("select coalesce(current_setting('leaked.value', true), '')")),
            "");
  ASSERT_TRUE(transaction->Query("set local leaked.value = 'own'").ok());
  EXPECT_EQ(Text(transaction->Query("show leaked.value")), "own");
  EXPECT_TRUE(transaction->Commit().ok());
  EXPECT_THAT(gateway.Metrics(), HasSubstr("emsdb_pool_opened_total{pool=\"main\"} 1"));
}

}  // namespace
}  // namespace emsdb
