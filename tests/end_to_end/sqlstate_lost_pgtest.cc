// What a caller sees of those errors of PostgreSQL that no single statement brings about: a lost
// connection, other transactions, time and a refused login.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/client.h"
#include "client/error_info.h"
#include "tests/end_to_end/connect.h"
#include "tests/end_to_end/postgres_fixture.h"
#include "tests/support/gateway_process.h"

namespace emsdb {
namespace {

using client::Client;
using client::ErrorInfo;
using client::ErrorInfoOf;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;
using enum absl::StatusCode;

class SqlstateOfTheWorld : public ::testing::Test {
 protected:
  SqlstateOfTheWorld() {
    database_.Run(
        "create table units (id int primary key, n int);"
        "insert into units values (1, 0), (2, 0)");
  }

  void AwaitWaitingForALock() const {
    while (database_.Run("select count(*) from pg_stat_activity where wait_event_type = 'Lock' "
                         "and datname = current_database()") == "0") {
    }
  }
  void AwaitRunning(const std::string& text) const {
    while (database_.Run("select count(*) from pg_stat_activity where state = 'active' and query "
                         "like '%" +
                         text + "%' and pid <> pg_backend_pid()") == "0") {
    }
  }

  // The database's URL with another user in it.
  std::string UrlOf(const std::string& user) const {
    const std::string url = database_.url();
    return "postgresql://" + user + url.substr(url.find('@'));
  }

  const OwnDatabase database_;
};

void ExpectError(const absl::Status& status, absl::StatusCode code, const std::string& reason,
                 const std::string& sqlstate, bool retryable) {
  const ErrorInfo info = ErrorInfoOf(status);
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_EQ(info.reason, reason) << status;
  EXPECT_EQ(info.sqlstate(), sqlstate) << status;
  EXPECT_EQ(info.retryable(), retryable) << status;
}

// 40001, on a row and at the commit (T15)
TEST_F(SqlstateOfTheWorld, AbortsWhatCannotBeSerialized) {
  const GatewayProcess gateway({{"DATABASE_URL", database_.url()}});
  const Client client = Connect(gateway);
  auto one = client.Begin("main", {.isolation = client::Isolation::kSerializable});
  auto other = client.Begin("main", {.isolation = client::Isolation::kSerializable});
  ASSERT_TRUE(one->Query("select sum(n) from units").ok());
  ASSERT_TRUE(other->Query("select sum(n) from units").ok());
  ASSERT_TRUE(one->Query("insert into units values (3, 1)").ok());
  ASSERT_TRUE(other->Query("insert into units values (4, 1)").ok());
  ASSERT_TRUE(one->Commit().ok());
  ExpectError(other->Commit(), kAborted, "SQL_ERROR", "40001", true);

  auto late = client.Begin("main", {.isolation = client::Isolation::kRepeatableRead});
  ASSERT_TRUE(late->Query("select n from units").ok());
  database_.Run("update units set n = 1 where id = 1");
  const absl::Status status = late->Query("update units set n = 2 where id = 1").status();
  ExpectError(status, kAborted, "SQL_ERROR", "40001", true);
}

// 40P01
TEST_F(SqlstateOfTheWorld, AbortsOneOfADeadlock) {
  const GatewayProcess gateway({{"DATABASE_URL", database_.url()}});
  const Client client = Connect(gateway);
  auto one = client.Begin("main");
  auto other = client.Begin("main");
  ASSERT_TRUE(one->Query("update units set n = 1 where id = 1").ok());
  ASSERT_TRUE(other->Query("update units set n = 2 where id = 2").ok());
  auto first = std::async(std::launch::async, [&one] {
    return one->Query("update units set n = 1 where id = 2").status();
  });
  AwaitWaitingForALock();
  const absl::Status second = other->Query("update units set n = 2 where id = 1").status();
  // The loser keeps its locks until it rolls back.
  if (!second.ok()) {
    EXPECT_TRUE(other->RollBack().ok());
  }
  const absl::Status winner = first.get();
  ASSERT_NE(winner.ok(), second.ok());
  ExpectError(winner.ok() ? second : winner, kAborted, "SQL_ERROR", "40P01", true);
}

// 25P02 (T13)
TEST_F(SqlstateOfTheWorld, SaysThatATransactionHasFailedBefore) {
  const GatewayProcess gateway({{"DATABASE_URL", database_.url()}});
  auto transaction = Connect(gateway).Begin("main");
  ASSERT_FALSE(transaction->Query("select 1/0").ok());
  const absl::Status status = transaction->Query("select 1").status();
  ExpectError(status, kAborted, "TX_FAILED", "25P02", false);
}

// 57014 by time, and by the caller (T3)
TEST_F(SqlstateOfTheWorld, TellsWhoCancelled) {
  const GatewayProcess gateway({{"DATABASE_URL", database_.url()}});
  const Client client = Connect(gateway);
  const absl::Status late =
      client.Query("main", "select pg_sleep(60)", {}, {.call = {.deadline = milliseconds(200)}})
          .status();
  EXPECT_EQ(late.code(), kDeadlineExceeded) << late;

  const auto cancel = std::make_shared<client::CancelSource>();
  auto left = std::async(std::launch::async, [&client, cancel] {
    return client.Query("main", "select pg_sleep(61)", {}, {.call = {.cancel = cancel}}).status();
  });
  AwaitRunning("pg_sleep(61)");
  cancel->Cancel();
  EXPECT_EQ(left.get().code(), kCancelled);

  auto stopped = std::async(std::launch::async, [&client] {
    return client.Query("main", "select pg_sleep(62)").status();
  });
  AwaitRunning("pg_sleep(62)");
  database_.Run(
      "select pg_cancel_backend(pid) from pg_stat_activity where state = 'active' "
      "and query like '%pg_sleep(62)%' and pid <> pg_backend_pid()");
  ExpectError(stopped.get(), kAborted, "SQL_ERROR", "57014", true);
}

// 57P01: the server ends the session with a word in place of the answer: nothing was done (T17). In
// a transaction nothing can be repeated but the whole of it (T12).
TEST_F(SqlstateOfTheWorld, RepeatsTheServersLastWord) {
  const GatewayProcess gateway({{"DATABASE_URL", database_.url()}});
  const Client client = Connect(gateway);
  for (const char* sql :
       {"select pg_sleep(60)", "insert into units select 7, 7 from pg_sleep(60)"}) {
    auto call = std::async(std::launch::async,
                           [&client, sql] { return client.Query("main", sql).status(); });
    AwaitRunning("pg_sleep");
    database_.KillBackends();
    const absl::Status status = call.get();
    ExpectError(status, kUnavailable, "SQL_ERROR", "57P01", true);
    EXPECT_TRUE(ErrorInfoOf(status).retry_after.has_value());
  }
  EXPECT_EQ(database_.Run("select count(*) from units where id = 7"), "0");

  auto transaction = client.Begin("main");
  ASSERT_TRUE(transaction->Query("insert into units values (8, 8)").ok());
  database_.KillBackends();
  const absl::Status status = transaction->Query("select 1").status();
  ExpectError(status, kAborted, "TX_CONNECTION_LOST", "57P01", false);
}

// 28P01, 3D000, 53300 and 08001 when a connection is opened: the operator's trouble, no caller's.
// The log names the login, the database and the host; a caller hears of none of them, and nobody of
// the password (T68).
TEST_F(SqlstateOfTheWorld, CallsADatabaseUnavailableThatItCannotOpen) {
  const std::string role = database_.name();
  database_.Run("create role " + role + " login password 'secret' connection limit 0");
  GatewayProcess gateway({
      {"DATABASE_URL", database_.url()},
      {"FIRE_DATABASE_URL", UrlOf(role + ":wrong")},
      {"HEMS_DATABASE_URL", database_.url() + "_nosuch"},
      {"TELEHEALTH_DATABASE_URL", UrlOf(role + ":secret")},
      {"EMSDB_DATABASES", "away"},
      {"AWAY_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nosuch"},
  });
  const Client client = Connect(gateway);
  const struct {
    const char* database;
    absl::StatusCode code;
    const char* sqlstate;
    bool retryable;
  } cases[] = {{"fire", kUnavailable, "28P01", false},
               {"hems", kUnavailable, "3D000", false},
               {"telehealth", kResourceExhausted, "53300", true},
               {"away", kUnavailable, "", true}};
  for (const auto& [database, code, sqlstate, retryable] : cases) {
    SCOPED_TRACE(database);
    const absl::Status status = client.Query(database, "select 1").status();
    ExpectError(status, code, "CONNECTION_UNAVAILABLE", sqlstate, retryable);
    EXPECT_EQ(ErrorInfoOf(status).Get("stage"), "connecting");
    EXPECT_TRUE(ErrorInfoOf(status).retry_after.has_value()) << status;
    const auto pools = client.PoolStatus(database);
    ASSERT_TRUE(pools.ok()) << pools.status();
    EXPECT_FALSE(pools->front().last_connect_error().empty());
    for (const std::string& name :
         {role, std::string("secret"), std::string("wrong"), std::string("nosuch"),
          std::string("nobody"), std::string("127.0.0.1"), std::string("localhost")}) {
      EXPECT_THAT(std::string(status.message()), Not(HasSubstr(name)));
      EXPECT_THAT(pools->front().last_connect_error(), Not(HasSubstr(name)));
      for (const auto& [key, value] : ErrorInfoOf(status).metadata) {
        EXPECT_THAT(value, Not(HasSubstr(name))) << key;
      }
    }
  }
  EXPECT_EQ(gateway.Terminate(), 0);
  for (const std::string& cause :
       {"password authentication failed for user \\\"" + role, std::string("_nosuch\\\" does not"),
        std::string("\"cause\":\"connection to server at \\\"127.0.0.1\\\", port 1 failed")}) {
    EXPECT_THAT(gateway.log(), HasSubstr(cause));
  }
  EXPECT_THAT(gateway.log(), Not(HasSubstr("secret")));
  EXPECT_THAT(gateway.log(), Not(HasSubstr("wrong")));
  database_.Run("drop role " + role);
}

}  // namespace
}  // namespace emsdb
