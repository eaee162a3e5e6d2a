// Groups of reads on SQLite through the whole gateway: whoever is served together with others gets
// his own answer, whatever happens to them.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "tests/end_to_end/group_callers.h"

namespace emsdb {
namespace {

using client::Client;
using std::chrono::milliseconds;

constexpr char kFile[] = "sqlite:///units.db";
constexpr char kMemory[] = "sqlite://";
// Takes as long as its parameter says.
constexpr char kCount[] =
    "select n.i from (with recursive n(i) as (select 1 union all select i + 1 from n "
    "where i < $1) select i from n) n where n.i = $1";

class GroupsOfSqliteReads : public GroupCallers {
 protected:
  static Environment Settings(const char* url, const char* group_reads = "1") {
    return {{"DATABASE_URL", url}, {"EMSDB_GROUP_READS", group_reads}};
  }

  static void MakeUnits(const GatewayProcess& gateway) {
    const auto client = Client::Connect({.address = gateway.address()});
    ASSERT_TRUE(client.ok()) << client.status();
    for (const char* sql : {"create table units (id integer primary key, name text)",
                            "create table notes (note text)",
                            "with recursive n(i) as (select 1 union all select i + 1 from n "
                            "where i < 1000) insert into units select i, 'unit ' || i from n"}) {
      ASSERT_TRUE(client->Query("main", sql).ok()) << sql;
    }
    Prove(gateway);
  }

  static client::QueryOptions ReadOnlyWithin(milliseconds deadline) {
    return {.access = client::Access::kReadOnly, .call = {.deadline = deadline}};
  }
};

TEST_F(GroupsOfSqliteReads, AnswerEachCallerWithItsOwnRow) {
  for (const char* url : {kFile, kMemory}) {
    const GatewayProcess gateway(Settings(url));
    MakeUnits(gateway);
    Read(gateway, milliseconds(1000), [](const Client&, int) {});
    SCOPED_TRACE(url);
    ExpectGroups(gateway);
  }
}

TEST_F(GroupsOfSqliteReads, AreOffByTheSetting) {
  const GatewayProcess gateway(Settings(kFile, "0"));
  MakeUnits(gateway);
  Read(gateway, milliseconds(300), [](const Client&, int) {});
  EXPECT_EQ(failed_, 0);
  EXPECT_EQ(Metric(gateway, "emsdb_pool_groups_total"), 0);
}

// What others do meanwhile: writes, whose writers read them at once, errors, a read that takes much
// longer than it used to, and callers that leave.
TEST_F(GroupsOfSqliteReads, AreUnharmedByWhatOthersDo) {
  for (const char* url : {kFile, kMemory}) {
    const GatewayProcess gateway(Settings(url));
    MakeUnits(gateway);
    std::atomic<int> noted{0};
    Read(gateway, milliseconds(1500), [&](const Client& client, int i) {
      const std::string note = "note " + std::to_string(i);
      switch (i % 5) {
        case 0:
          if (client.Query("main", "insert into notes values ($1)", {note}).ok()) {
            ++noted;
            const auto read = client.Query("main", "select note from notes where note = $1", {note},
                                           {.access = client::Access::kReadOnly});
            EXPECT_TRUE(read.ok() && !read->rows.empty()) << read.status();
          }
          break;
        case 1:
          EXPECT_FALSE(client
                           .Query("main", "select abs(id - 9223372036854775807 - 2) from units", {},
                                  {.access = client::Access::kReadOnly})
                           .ok());
          break;
        case 2:
          EXPECT_TRUE(
              client.Query("main", kCount, {std::int64_t{10}}, ReadOnlyWithin(milliseconds(20'000)))
                  .ok());
          break;
        case 3: {
          const auto slow = client.Query("main", kCount, {std::int64_t{200'000}},
                                         ReadOnlyWithin(milliseconds(20'000)));
          EXPECT_TRUE(slow.ok() && slow->rows.size() == 1) << slow.status();
          break;
        }
        default: {
          const auto endless = client.Query("main", kCount, {std::int64_t{1'000'000'000}},
                                            ReadOnlyWithin(milliseconds(250)));
          EXPECT_TRUE(absl::IsDeadlineExceeded(endless.status())) << endless.status();
        }
      }
    });
    EXPECT_EQ(failed_, 0);
    const auto client = Client::Connect({.address = gateway.address()});
    ASSERT_TRUE(client.ok()) << client.status();
    EXPECT_EQ(client->Query("main", "select count(*) from notes")->rows[0][0],
              client::Value(std::int64_t{noted}));
    EXPECT_GT(Metric(gateway, "emsdb_pool_groups_total"), 0) << url;
  }
}

}  // namespace
}  // namespace emsdb
