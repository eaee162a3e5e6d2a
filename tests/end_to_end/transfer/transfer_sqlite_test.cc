// Money moves between a few accounts in an embedded database, while callers leave at any moment.
#include <gtest/gtest.h>

#include <chrono>
#include <iostream>
#include <string>
#include <thread>

#include "client/client.h"
#include "tests/end_to_end/transfer/office.h"
#include "tests/support/gateway_process.h"

namespace emsdb::transfer {
namespace {

using std::chrono::seconds;

int NumberOf(const client::Value& value) {
  const auto* number = value.get_if<std::int64_t>();
  return number == nullptr ? -1 : static_cast<int>(*number);
}

Ledger LedgerOf(const client::Client& client) {
  Ledger ledger;
  auto rows =
      client.StreamQuery("main", "select number, attempt, source, target, amount from ledger");
  EXPECT_TRUE(rows.ok()) << rows.status();
  if (!rows.ok()) return ledger;
  client::Row cells;
  for (;;) {
    const auto more = rows->Next(cells);
    EXPECT_TRUE(more.ok()) << more.status();
    if (!more.ok() || !*more) return ledger;
    ++ledger[Order{NumberOf(cells[0]), NumberOf(cells[1]), NumberOf(cells[2]), NumberOf(cells[3]),
                   NumberOf(cells[4])}];
  }
}

std::vector<int> BalancesOf(const client::Client& client) {
  std::vector<int> balances;
  const auto result = client.Query("main", "select balance from accounts order by id");
  EXPECT_TRUE(result.ok()) << result.status();
  if (!result.ok()) return balances;
  for (const client::Row& row : result->rows) balances.push_back(NumberOf(row[0]));
  return balances;
}

TEST(Transfers, InAFileAreWhatTheirCallersWereToldWhileCallersLeave) {
  const std::uint64_t seed = SeedOfThisRun();
  SCOPED_TRACE("the choices of this run: EMSDB_SEED=" + std::to_string(seed));
  const TemporaryDirectory data;
  const std::string url = "sqlite:///" + data.File("accounts.db");
  const GatewayProcess gateway({{"DATABASE_URL", url}});
  Office office({.engine = Engine::kSqlite,
                 .address = gateway.address(),
                 .second_address = gateway.address(),
                 .seed = seed});
  office.SetUp();
  if (HasFatalFailure()) return;
  office.Work(LengthOfThisRun(seconds(6)));
  std::cout << office.sums_seen() << " sums seen, the longest attempt " << office.longest().count()
            << " ms, seed " << seed << ": " << office.book().Summary();

  // Behind all that callers have left: a transaction of theirs is over after two seconds.
  const auto client = *client::Client::Connect({.address = gateway.address()});
  const auto last = client.ExecuteBatch("main", {{"update accounts set balance = balance"}});
  EXPECT_TRUE(last.ok()) << last.status();
  const Ledger ledger = LedgerOf(client);
  const auto no_tokens = [](const std::string&) { return std::nullopt; };
  office.book().CheckAgainst(ledger, no_tokens, Memory::kWhole);
  EXPECT_EQ(BalancesOf(client), BalancesAfter(ledger));
  EXPECT_LT(office.longest(), seconds(60));
  EXPECT_GT(office.sums_seen(), 0);
  EXPECT_EQ(office.book().Count(Fate::kUnknown), 0);
  for (const Fate fate : {Fate::kDone, Fate::kNothing, Fate::kNoAnswer}) {
    EXPECT_GT(office.book().Count(fate), 0) << NameOf(fate);
  }
}

}  // namespace
}  // namespace emsdb::transfer
