// Groups of reads through the whole gateway: whoever shares a packet gets his own answer, whatever
// happens to the others in it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "client/error_info.h"
#include "tests/end_to_end/group_callers.h"
#include "tests/end_to_end/postgres_fixture.h"

namespace emsdb {
namespace {

using client::Client;
using std::chrono::milliseconds;

class GroupsOfReads : public GroupCallers {
 protected:
  GroupsOfReads() {
    database_.Run("create table units (id bigint primary key, name text)");
    database_.Run("insert into units select g, 'unit ' || g from generate_series(1, 1000) g");
  }

  Environment Settings(const std::string& group_reads) const {
    return {{"DATABASE_URL", database_.url()},
            {"DB_POOL_SIZE", "4"},
            {"DB_MAX_OVERFLOW", "0"},
            {"EMSDB_GROUP_READS", group_reads}};
  }

  // Its own three rows, or a failure that says so.
  static absl::Status ReadOwnBatch(const Client& client, std::int64_t id) {
    const auto unit = [](std::int64_t key) {
      return client::BatchStatement{
          .sql = kRead, .parameters = {1 + key % kUnits}, .expect_rows = 1};
    };
    const auto results = client.ExecuteBatch("main", {unit(id), unit(id + 1), unit(id + 2)},
                                             {.access = client::Access::kReadOnly});
    if (!results.ok()) return results.status();
    EXPECT_EQ(results->size(), 3U);
    for (std::int64_t i = 0; i < 3; ++i) {
      const auto& rows = results->at(static_cast<std::size_t>(i)).rows;
      EXPECT_EQ(rows.size(), 1U);
      EXPECT_EQ(*rows.at(0)[0].get_if<std::int64_t>(), 1 + (id + i) % kUnits);
    }
    return absl::OkStatus();
  }

  const OwnDatabase database_;
};

TEST_F(GroupsOfReads, AnswerEachCallerWithItsOwnRow) {
  GatewayProcess gateway(Settings("1"));
  Prove(gateway);
  Read(gateway, milliseconds(1500), [](const Client&, int) {});
  ExpectGroups(gateway);
}

TEST_F(GroupsOfReads, AreOffByTheSetting) {
  GatewayProcess gateway(Settings("0"));
  Read(gateway, milliseconds(300), [](const Client&, int) {});
  EXPECT_EQ(failed_, 0);
  EXPECT_EQ(Metric(gateway, "emsdb_pool_groups_total"), 0);
}

// What others do meanwhile: writes, errors, a function that writes behind a read, a slow one, and
// callers that leave.
TEST_F(GroupsOfReads, AreUnharmedByWhatOthersDo) {
  database_.Run("create table notes (id bigserial primary key, note text)");
  database_.Run(
      "create function note(text) returns text language plpgsql as "
      "$$ begin insert into notes (note) values ($1); return $1; end $$");
  GatewayProcess gateway(Settings("1"));
  Prove(gateway);
  std::atomic<int> noted{0};
  Read(gateway, milliseconds(2000), [&](const Client& client, int i) {
    switch (i % 5) {
      case 0:
        if (client.Query("main", "insert into notes (note) values ('w')").ok()) ++noted;
        break;
      case 1:
        EXPECT_FALSE(client.Query("main", "select 1 / (id - id) from units where id = 1").ok());
        break;
      case 2:
        if (client.Query("main", "select note('f')").ok()) ++noted;
        break;
      case 3:
        EXPECT_TRUE(client
                        .Query("main", "select pg_sleep(0.02)::text", {},
                               {.access = client::Access::kReadOnly})
                        .ok());
        break;
      default:
        client
            .Query("main", "select pg_sleep(5)::text", {},
                   {.access = client::Access::kReadOnly, .call = {.deadline = milliseconds(20)}})
            .status()
            .IgnoreError();
    }
  });
  EXPECT_EQ(failed_, 0);
  EXPECT_EQ(database_.Run("select count(*) from notes"), std::to_string(noted));
  EXPECT_GT(Metric(gateway, "emsdb_pool_groups_total"), 0);
}

// A group's time limit is none of the caller's.
TEST_F(GroupsOfReads, LeaveAReadThatIsHeldUpItsWholeDeadline) {
  GatewayProcess gateway(Settings("1"));
  Prove(gateway);
  auto client = Client::Connect({.address = gateway.address()});
  ASSERT_TRUE(client.ok()) << client.status();
  std::thread locker([&] {
    database_.Run("begin; lock table units in access exclusive mode; select pg_sleep(0.4); commit");
  });
  while (database_.Run("select count(*) from pg_locks where mode = 'AccessExclusiveLock' "
                       "and granted and relation = 'units'::regclass") != "1") {
    std::this_thread::sleep_for(milliseconds(5));
  }
  EXPECT_EQ(ReadOwn(*client, 7), absl::OkStatus());
  locker.join();
}

TEST_F(GroupsOfReads, LoseNoAnswerWhenTheirConnectionsAreKilled) {
  GatewayProcess gateway(Settings("1"));
  Prove(gateway);
  std::atomic<bool> over{false};
  std::thread killer([&] {
    while (!over) {
      std::this_thread::sleep_for(milliseconds(100));
      database_.KillBackends();
    }
  });
  Read(gateway, milliseconds(2000), [](const Client&, int) {});
  over = true;
  killer.join();
  EXPECT_GT(read_, kCallers);
  EXPECT_GT(Metric(gateway, "emsdb_pool_groups_total"), 0);
}

TEST_F(GroupsOfReads, AnswerEachBatchWithItsOwnRowsAndKeepItsFailureToIt) {
  GatewayProcess gateway(Settings("1"));
  Prove(gateway, &ReadOwnBatch);
  Read(
      gateway, milliseconds(1500),
      [](const Client& client, int i) {
        if (i % 3 == 0) {
          EXPECT_EQ(ReadOwn(client, 1 + i % kUnits), absl::OkStatus());
          return;
        }
        // The same texts: in a group as well, once they are proved.
        const auto unit = [](std::int64_t key) {
          return client::BatchStatement{.sql = kRead, .parameters = {key}, .expect_rows = 1};
        };
        const auto missed = client.ExecuteBatch("main", {unit(1), unit(kUnits + 7), unit(2)},
                                                {.access = client::Access::kReadOnly});
        const client::ErrorInfo error = client::ErrorInfoOf(missed.status());
        EXPECT_EQ(error.reason, "ROWS_MISMATCH") << missed.status();
        EXPECT_EQ(error.statement(), 1);
        EXPECT_EQ(error.Get("attempts"), "1");
      },
      &ReadOwnBatch);
  ExpectGroups(gateway);
}

TEST_F(GroupsOfReads, LoseNoBatchWhenTheirConnectionsAreKilled) {
  GatewayProcess gateway(Settings("1"));
  Prove(gateway, &ReadOwnBatch);
  std::atomic<bool> over{false};
  std::thread killer([&] {
    while (!over) {
      std::this_thread::sleep_for(milliseconds(100));
      database_.KillBackends();
    }
  });
  Read(
      gateway, milliseconds(1500), [](const Client&, int) {}, &ReadOwnBatch);
  over = true;
  killer.join();
  EXPECT_GT(read_, kCallers);
  EXPECT_GT(Metric(gateway, "emsdb_pool_groups_total"), 0);
}

}  // namespace
}  // namespace emsdb
