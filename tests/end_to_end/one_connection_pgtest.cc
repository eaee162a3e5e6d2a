// A pool of one connection serves every kind of call: none needs a second one while it holds its
// first.
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <string>
#include <vector>

#include "client/client.h"
#include "client/error_info.h"
#include "tests/end_to_end/postgres_fixture.h"
#include "tests/support/gateway_process.h"

namespace emsdb {
namespace {

using client::Client;
using std::chrono::seconds;

// Each kind of call, once; the first that fails.
absl::Status EachKindOfCall(const Client& client) {
  if (auto read = client.Query("main", "select 1", {}, {.access = client::Access::kReadOnly});
      !read.ok()) {
    return read.status();
  }
  auto write = client.Query("main", "insert into notes values (1)", {},
                            {.resolving = client::Resolving::kOn});
  if (!write.ok()) return write.status();
  const std::vector<client::BatchStatement> both = {{"insert into notes values (2)", {}, 1},
                                                    {"select * from notes"}};
  if (auto batch = client.ExecuteBatch("main", both); !batch.ok()) return batch.status();
  {
    auto rows = client.StreamQuery("main", "select * from generate_series(1, 1000)");
    if (!rows.ok()) return rows.status();
    client::Row row;
    for (auto more = rows->Next(row);; more = rows->Next(row)) {
      if (!more.ok()) return more.status();
      if (!*more) break;
    }
  }
  {
    auto transaction = client.Begin("main");
    if (!transaction.ok()) return transaction.status();
    auto statement = transaction->Query("insert into notes values (3)");
    if (!statement.ok()) return statement.status();
    if (absl::Status done = transaction->Commit(); !done.ok()) return done;
  }
  {
    auto stream = client.Transact("main");
    if (!stream.ok()) return stream.status();
    auto statement = stream->Query("insert into notes values (4)");
    if (!statement.ok()) return statement.status();
    if (absl::Status done = stream->Commit(); !done.ok()) return done;
    const auto outcome = client.CommitOutcomeOf(stream->commit_token());
    if (!outcome.ok()) return outcome.status();
  }
  auto copy = client.CopyIn("main", {.table = "notes"});
  if (!copy.ok()) return copy.status();
  if (absl::Status added = copy->Add({5}); !added.ok()) return added;
  return copy->Commit().status();
}

// T34
TEST(PoolOfOneConnection, ServesEveryKindOfCallForManyCallersAtOnce) {
  const OwnDatabase database;
  database.Run("create table notes (id int)");
  // Leased transactions may hold all but one connection: with two, one is always left to them.
  for (const char* overflow : {"0", "1"}) {
    const GatewayProcess gateway({{"DATABASE_URL", database.url()},
                                  {"DB_POOL_SIZE", "1"},
                                  {"DB_MAX_OVERFLOW", overflow},
                                  {"EMSDB_MAX_LEASED", "1"}});
    const Client client = *Client::Connect({.address = gateway.address()});
    EXPECT_TRUE(EachKindOfCall(client).ok()) << EachKindOfCall(client);
    std::vector<std::future<absl::Status>> callers;
    for (int i = 0; i < 8; ++i) {
      callers.push_back(std::async(std::launch::async, [&] {
        absl::Status status;
        for (int n = 0; n < 5 && status.ok(); ++n) {
          status = EachKindOfCall(client);
          // At most one lease at a time, which is a refusal and no wait.
          if (client::ErrorInfoOf(status).reason == "LEASE_LIMIT") status = absl::OkStatus();
        }
        return status;
      }));
    }
    for (auto& caller : callers) {
      ASSERT_EQ(caller.wait_for(seconds(60)), std::future_status::ready)
          << "they wait for each other";
      const absl::Status status = caller.get();
      EXPECT_TRUE(status.ok()) << status;
    }
  }
}

}  // namespace
}  // namespace emsdb
