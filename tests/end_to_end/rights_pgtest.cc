// What a caller may do, on PostgreSQL.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
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
using std::chrono::milliseconds;
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

// T21, T67: such a statement has no transaction that could be read-only, so a caller that only
// reads has none.
TEST_F(PostgresRights, RefuseACallerThatOnlyReadsWhatRunsOutsideOfTransactions) {
  GatewayProcess gateway(Settings());
  const Client reports = ConnectAs(gateway, kReportsToken);
  for (const char* sql :
       {"insert into calls values (1)", "vacuum calls", "create index concurrently i on calls (id)",
        "create table more (id int)", "select 1", "set default_transaction_read_only = off",
        "do $$begin insert into calls values (2); end$$"}) {
    const absl::Status status =
        reports.Query("main", sql, {}, {.wrapping = client::Wrapping::kNone}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << sql << status;
    EXPECT_EQ(ErrorInfoOf(status).reason, "READ_ONLY_CALLER") << sql;
  }
  EXPECT_EQ(database_.Run("select count(*) from calls"), "0");
  EXPECT_EQ(database_.Run("select count(*) from pg_class where relname in ('i', 'more')"), "0");
  EXPECT_TRUE(ConnectAs(gateway, kCadToken)
                  .Query("main", "vacuum calls", {}, {.wrapping = client::Wrapping::kNone})
                  .ok());
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

// T66: what reaches out of the database is for its own rights to refuse, and the login that the
// README describes has none of them; what such a login may do is bounded by its deadline.
TEST_F(PostgresRights, AreThoseOfTheLoginWhereAFunctionReachesOutOfTheDatabase) {
  const std::string role = "plain_" + database_.name();
  database_.Run("create role " + role + " login password 'plain'");
  database_.Run("grant select, insert, update, delete on calls to " + role);
  const std::string url = database_.url();
  GatewayProcess gateway(file_.With(
      {{"DATABASE_URL", "postgresql://" + role + ":plain" + url.substr(url.find('@'))}}));
  const Client cad = ConnectAs(gateway, kCadToken);
  EXPECT_TRUE(cad.Query("main", "insert into calls values (1)").ok());
  for (const char* sql :
       {"select pg_read_file('/etc/passwd')", "select pg_ls_dir('.')",
        "select lo_import('/etc/passwd')", "select lo_export(1, '/tmp/x')",
        "do $$begin perform pg_read_file('/etc/passwd'); end$$", "create extension dblink",
        "create table more (id int)", "alter table calls add column more int",
        "select pg_reload_conf()", "select * from pg_authid",
        "create function f() returns int language c as '/lib/x.so', 'f'"}) {
    const absl::Status status = cad.Query("main", sql).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << sql << status;
    EXPECT_EQ(ErrorInfoOf(status).sqlstate(), "42501") << sql;
  }
  EXPECT_EQ(cad.Query("main", "copy calls to program 'cat'").status().code(),
            absl::StatusCode::kInvalidArgument);
  const absl::Status slept =
      cad.Query("main", "select pg_sleep(60)", {}, {.call = {.deadline = milliseconds(200)}})
          .status();
  EXPECT_EQ(slept.code(), absl::StatusCode::kDeadlineExceeded) << slept;
  EXPECT_EQ(gateway.Terminate(), 0);
  database_.Run("drop owned by " + role);
  database_.Run("drop role " + role);
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
