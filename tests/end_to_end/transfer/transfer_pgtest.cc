// Money moves between a few accounts while everything breaks that may break: whatever each caller
// was told of its transfer must be what the ledger shows.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <iostream>
#include <random>
#include <regex>
#include <string>
#include <thread>

#include "client/client.h"
#include "tests/end_to_end/chaos/postgres_server.h"
#include "tests/end_to_end/transfer/office.h"
#include "tests/support/gateway_process.h"
#include "tests/support/tcp_proxy.h"

namespace emsdb::transfer {
namespace {

using chaos::PostgresServer;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

int PortOf(const std::string& url) {
  return std::stoi(url.substr(url.find(':', url.find('@')) + 1));
}

std::string Through(const TcpProxy& proxy, const std::string& url) {
  return std::regex_replace(url, std::regex("@127\\.0\\.0\\.1:[0-9]+"),
                            "@127.0.0.1:" + std::to_string(proxy.port()));
}

// Breaks things at random until it is told to stop.
class Trouble {
 public:
  Trouble(const PostgresServer& server, TcpProxy& proxy, std::uint64_t seed)
      : server_(server), proxy_(proxy), random_(seed), thread_([this] { Run(); }) {}
  ~Trouble() {
    over_ = true;
    thread_.join();
  }
  Trouble(const Trouble&) = delete;
  Trouble& operator=(const Trouble&) = delete;

  // The server goes and comes back: with a word to everybody, or without one.
  void Restart(Memory memory) {
    memory == Memory::kWhole ? server_.StopFast() : server_.Kill();
    server_.Start();
  }

  std::string Summary() const {
    return std::to_string(killed_) + " backends ended, " + std::to_string(cancelled_) +
           " statements cancelled by an operator, " + std::to_string(cut_) + " times links cut; ";
  }

 private:
  void Run() {
    while (!over_) {
      std::this_thread::sleep_for(milliseconds(5 + random_() % 60));
      try {
        Break();
      } catch (const std::runtime_error&) {
        // The server is away.
      }
    }
  }

  void Break() {
    const auto kind = random_() % 10;
    if (kind < 5) {
      server_.Ask("select pg_terminate_backend(pid) " + OneBackend());
      ++killed_;
    } else if (kind < 6) {
      server_.Ask("select pg_cancel_backend(pid) " + OneBackend());
      ++cancelled_;
    } else if (kind < 7) {
      proxy_.Refuse();
      std::this_thread::sleep_for(milliseconds(25));
      proxy_.Allow();
      ++cut_;
    } else {
      const std::string text = random_() % 3 == 0 ? "moved" : "COMMIT";
      const bool reached = random_() % 2 == 0;
      reached ? proxy_.CutAnswerTo(text) : proxy_.CutBefore(text);
      std::this_thread::sleep_for(milliseconds(random_() % 15));
      reached ? proxy_.CutAnswerTo("") : proxy_.CutBefore("");
      ++cut_;
    }
  }

  static std::string OneBackend() {
    return "from (select pid from pg_stat_activity where backend_type = 'client backend' "
           "and pid <> pg_backend_pid() order by state = 'idle', random() limit 1) one";
  }

  const PostgresServer& server_;
  TcpProxy& proxy_;
  std::mt19937_64 random_;
  std::atomic<bool> over_{false};
  std::atomic<int> killed_{0};
  std::atomic<int> cancelled_{0};
  std::atomic<int> cut_{0};
  std::thread thread_;  // last: it uses all of them
};

Ledger LedgerOf(const PostgresServer& server) {
  Ledger ledger;
  for (const auto& row : server.Ask("select number, attempt, source, target, amount from ledger")) {
    ++ledger[Order{std::stoi(row[0]), std::stoi(row[1]), std::stoi(row[2]), std::stoi(row[3]),
                   std::stoi(row[4])}];
  }
  return ledger;
}

std::vector<int> BalancesOf(const PostgresServer& server) {
  std::vector<int> balances;
  for (const auto& row : server.Ask("select balance from accounts order by id")) {
    balances.push_back(std::stoi(row[0]));
  }
  return balances;
}

// Whether `holds` comes true in time.
template <typename Condition>
bool Soon(Condition holds) {
  const auto until = steady_clock::now() + seconds(15);
  while (!holds()) {
    if (steady_clock::now() > until) return false;
    std::this_thread::sleep_for(milliseconds(20));
  }
  return true;
}

int Leased(const GatewayProcess& gateway) {
  const auto client = *client::Client::Connect({.address = gateway.address()});
  const auto status = client.PoolStatus("main");
  return status.ok() ? status->at(0).leased() : -1;
}

void MoveMoney(Memory memory, seconds length) {
  const std::uint64_t seed = SeedOfThisRun();
  SCOPED_TRACE("the choices of this run: EMSDB_SEED=" + std::to_string(seed));
  const PostgresServer server;
  server.Ask("alter database postgres set deadlock_timeout = '20ms'");
  TcpProxy proxy(PortOf(server.url()));
  const Environment pool = {{"DB_POOL_SIZE", "6"},
                            {"DB_MAX_OVERFLOW", "4"},
                            {"DATABASE_URL", Through(proxy, server.url())}};
  GatewayProcess gateway(pool);
  const GatewayProcess second(pool);
  Office office({.address = gateway.address(), .second_address = second.address(), .seed = seed});
  office.SetUp();
  if (::testing::Test::HasFatalFailure()) return;
  std::string trouble_had;
  {
    Trouble trouble(server, proxy, seed);
    std::thread restart([&] {
      std::this_thread::sleep_for(length / 2);
      trouble.Restart(memory);
    });
    office.Work(length);
    restart.join();
    trouble_had = trouble.Summary();
  }
  std::cout << trouble_had << office.sums_seen() << " sums seen, the longest attempt "
            << office.longest().count() << " ms, seed " << seed << ": " << office.book().Summary();

  // What callers have left is over soon, and nothing is kept.
  EXPECT_TRUE(Soon([&] { return Leased(gateway) == 0; })) << "a connection was not given back";
  EXPECT_EQ(gateway.Terminate(), 0);
  EXPECT_TRUE(Soon([&] {
    return server.AskNumber(
               "select count(*) from pg_stat_activity where state <> 'idle' and "
               "backend_type = 'client backend' and pid <> pg_backend_pid()") == 0;
  })) << "something still runs";

  const Ledger ledger = LedgerOf(server);
  Ways asking(grpc::CreateChannel(second.address(), grpc::InsecureChannelCredentials()),
              Engine::kPostgres, seed);
  office.book().CheckAgainst(
      ledger, [&](const std::string& token) { return asking.Resolve(token, seconds(10)); }, memory);
  EXPECT_EQ(BalancesOf(server), BalancesAfter(ledger));
  EXPECT_LT(office.longest(), seconds(60));
  // That there was something to find.
  EXPECT_GT(office.sums_seen(), 0);
  for (const Fate fate : {Fate::kDone, Fate::kNothing, Fate::kNoAnswer}) {
    EXPECT_GT(office.book().Count(fate), 0) << NameOf(fate);
  }
}

// T12, T14, T15, T17
TEST(Transfers, AreWhatTheirCallersWereToldWhileBackendsDieAndCallersLeave) {
  MoveMoney(Memory::kWhole, LengthOfThisRun(seconds(10)));
}

// T14: a crash of the server, with its memory of what was committed.
TEST(Transfers, AreWhatTheirCallersWereToldWhenTheServerCrashes) {
  MoveMoney(Memory::kLostByCrash, LengthOfThisRun(seconds(6)));
}

}  // namespace
}  // namespace emsdb::transfer
