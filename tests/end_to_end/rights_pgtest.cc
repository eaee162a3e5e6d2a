// What a caller may do, on PostgreSQL.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "client/client.h"
#include "client/error_info.h"
#include "tests/end_to_end/known_callers.h"
#include "tests/end_to_end/postgres_fixture.h"

namespace emsdb {
namespace {

using client::Client;
using client::ErrorInfoOf;
using client::Priority;
using ::testing::ElementsAre;

class PostgresRights : public ::testing::Test {
 protected:
  PostgresRights() { database_.Run("create table calls (id integer primary key)"); }

  Environment Settings(Environment more = {}) const {
    more["DATABASE_URL"] = database_.url();
    return file_.With(more);
  }

  OwnDatabase database_;
  TokensFileOnDisk file_;
};

// T67
TEST_F(PostgresRights, LetTheDatabaseRefuseEveryWriteOfACallerThatOnlyReads) {
  database_.Run(
      "create function sneak() returns int language plpgsql as "
      "$$begin insert into calls values (9); return 9; end$$");
  database_.Run("create sequence numbers");
  GatewayProcess gateway(Settings());
  const Client reports = ConnectAs(gateway, kReportsToken);
  EXPECT_TRUE(reports.Query("main", "select * from calls").ok());
  const char* const writes[] = {"insert into calls values (1)",
                                "with n as (insert into calls values (2) returning id) table n",
                                "select sneak()", "create table more (id int)",
                                "select nextval('numbers')"};
  for (const char* sql : writes) {
    const absl::Status query = reports.Query("main", sql).status();
    EXPECT_EQ(ErrorInfoOf(query).sqlstate(), "25006") << sql << query;
    const absl::Status batch = reports.ExecuteBatch("main", {{.sql = sql}}).status();
    EXPECT_EQ(ErrorInfoOf(batch).sqlstate(), "25006") << sql << batch;
    const auto stream = reports.StreamQuery("main", sql);
    EXPECT_EQ(ErrorInfoOf(stream.status()).sqlstate(), "25006") << sql << stream.status();
    auto begun = reports.Begin("main");
    ASSERT_TRUE(begun.ok()) << begun.status();
    const absl::Status inside = begun->Query(sql).status();
    EXPECT_EQ(ErrorInfoOf(inside).sqlstate(), "25006") << sql << inside;
  }
  EXPECT_EQ(database_.Run("select count(*) from calls"), "0");
}

TEST_F(PostgresRights, KeepAReaderFromMakingItsTransactionOneThatWrites) {
  GatewayProcess gateway(Settings());
  const Client reports = ConnectAs(gateway, kReportsToken);
  for (const char* trick :
       {"set transaction read write", "set transaction_read_only = off",
        "set session characteristics as transaction read write",
        "set default_transaction_read_only = off",
        "select set_config('transaction_read_only', 'off', true)",
        "select set_config('transaction_read_only', 'off', false)",
        "do $$begin set transaction read write; insert into calls values (1); end$$",
        R"(do $$begin perform set_config('transaction_read_only', 'off', false);
           insert into calls values (1); end$$)"}) {
    reports.Query("main", trick).IgnoreError();
    reports.ExecuteBatch("main", {{.sql = trick}, {.sql = "insert into calls values (2)"}})
        .IgnoreError();
    auto begun = reports.Begin("main");
    ASSERT_TRUE(begun.ok()) << begun.status();
    if (begun->Query(trick).ok()) begun->Query("insert into calls values (3)").IgnoreError();
    begun->Commit().IgnoreError();
    EXPECT_FALSE(reports.Query("main", "insert into calls values (4)").ok()) << trick;
    EXPECT_EQ(database_.Run("select count(*) from calls"), "0") << trick;
  }
}

// One connection, held; two callers in line behind it. Who comes first is who was let through.
class PriorityOrder : public PostgresRights {
 protected:
  PriorityOrder()
      : gateway_(Settings({{"DB_POOL_SIZE", "1"}, {"DB_MAX_OVERFLOW", "0"}})),
        holder_(ConnectAs(gateway_, kCadToken)) {}

  void Await(int waiting) const {
    while (holder_.PoolStatus("main")->front().waiting() != waiting) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  // Both wait; then the connection is free. The names in the order in which they were served.
  std::vector<client::Row> Race(const std::function<void(const std::string&)>& first,
                                const std::function<void(const std::string&)>& second) {
    auto held = holder_.Begin("main");
    if (!held.ok()) throw std::runtime_error(held.status().ToString());
    database_.Run("create table order_of (n serial, name text)");
    std::thread one(first, "first");
    Await(1);
    std::thread other(second, "second");
    Await(2);
    EXPECT_TRUE(held->Commit().ok());
    one.join();
    other.join();
    return holder_.Query("main", "select name from order_of order by n")->rows;
  }

  static void Note(const Client& client, const std::string& name, Priority priority) {
    const auto noted = client.Query("main", "insert into order_of (name) values ($1)", {name},
                                    {.priority = priority});
    EXPECT_TRUE(noted.ok()) << noted.status();
  }

  GatewayProcess gateway_;
  Client holder_;
};

TEST_F(PriorityOrder, LowersAClassAboveTheCallersHighest) {
  file_.Write(R"({"callers": [
    {"caller": "cad", "tokens": ["token-of-the-cad-module"], "databases": "*"},
    {"caller": "low", "tokens": ["token-of-the-reports"], "databases": "*",
     "highest_priority": "reporting"}]})");
  const TokensFileOnDisk& file = file_;
  GatewayProcess gateway(file.With(
      {{"DATABASE_URL", database_.url()}, {"DB_POOL_SIZE", "1"}, {"DB_MAX_OVERFLOW", "0"}}));
  const Client cad = ConnectAs(gateway, kCadToken);
  const Client low = ConnectAs(gateway, kReportsToken);
  holder_ = cad;
  EXPECT_THAT(Race([&](const std::string& name) { Note(low, name, Priority::kDispatch); },
                   [&](const std::string& name) { Note(cad, name, Priority::kDefault); }),
              ElementsAre(client::Row{"second"}, client::Row{"first"}));
}

TEST_F(PriorityOrder, TakesACallersUsualClassFromItsMetadata) {
  const auto urgent = Client::Connect(
      {.address = gateway_.address(), .token = kCadToken, .usual_priority = Priority::kDispatch});
  ASSERT_TRUE(urgent.ok());
  EXPECT_THAT(Race([&](const std::string& name) { Note(holder_, name, Priority::kDefault); },
                   [&](const std::string& name) { Note(*urgent, name, Priority::kDefault); }),
              ElementsAre(client::Row{"second"}, client::Row{"first"}));
}

}  // namespace
}  // namespace emsdb
