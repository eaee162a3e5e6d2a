// PostgreSQL behind a pool of one connection: the next caller sees nothing of the one before.
#include <gtest/gtest.h>

#include "pool/postgres/connector.h"
#include "tests/contract/session_portrait.h"
#include "tests/pool/recorded_call.h"
#include "tests/support/postgres_url.h"
#include "tests/support/status_matchers.h"
#include "tests/support/tcp_proxy.h"

namespace emsdb {
namespace {

PoolLimits OneConnection() {
  PoolLimits limits;
  limits.size = 1;
  limits.overflow = 0;
  return limits;
}

class PostgresResetPool : public testing::TestWithParam<Leftover> {
 protected:
  // In a call of its own.
  void Do(const Body& body) {
    auto call = std::make_shared<RecordedCall>(CallOptions{}, Clock::Real(), body);
    call->Start(*pool_, Purpose::kStatement);
    EXPECT_THAT(call->Await(), IsOk());
  }
  std::string Ask(const std::string& sql) {
    std::string answer;
    Do([&](Connection& connection, const Bounds&, Lease&) {
      answer = MustGetText(connection, sql);
      return absl::OkStatus();
    });
    return answer;
  }
  void Leave(const Leftover& leftover) {
    Do([&](Connection& connection, const Bounds&, Lease&) {
      for (const std::string& sql : leftover.statements) MustRun(connection, sql);
      return absl::OkStatus();
    });
  }
  std::string Backend() { return Ask("SELECT pg_backend_pid()::text"); }

  TcpProxy proxy_{ServerPort()};
  Upkeep upkeep_{Clock::Real()};
  std::unique_ptr<Pool> pool_ = std::make_unique<Pool>(
      OneConnection(), MakeConnector(UrlWithPort(proxy_.port())), Clock::Real(), upkeep_);
};

// T40, T42, T43, T44
TEST_P(PostgresResetPool, ShowsTheNextCallerNothingOfTheOneBefore) {
  const std::string backend = Backend();
  const std::string fresh = Ask(kPortrait);
  Leave(GetParam());
  EXPECT_EQ(Ask(kPortrait), fresh);
  EXPECT_EQ(Backend(), backend);  // reset, not closed
}

INSTANTIATE_TEST_SUITE_P(Leftovers, PostgresResetPool, testing::ValuesIn(Leftovers()),
                         [](const auto& leftover) { return std::string(leftover.param.name); });

using PostgresPool = PostgresResetPool;

TEST_F(PostgresPool, SendsNothingBesideTheStatementsWhileNothingIsChanged) {
  const std::string backend = Backend();
  const int before = proxy_.trips();
  for (int i = 0; i < 10; ++i) Ask("SELECT 'x'");
  EXPECT_EQ(proxy_.trips() - before, 10);
  Ask("SELECT set_config('leaked.value', 'x', false)");
  Ask("SELECT 'x'");
  EXPECT_EQ(proxy_.trips() - before, 13);  // one for the reset
  EXPECT_EQ(Backend(), backend);
}

TEST_F(PostgresPool, ClosesTheConnectionWhereNoCommandUndoesTheChange) {
  const std::string backend = Backend();
  Leave({"Load", {"LOAD 'plpgsql'"}});
  EXPECT_NE(Backend(), backend);
}

TEST_F(PostgresPool, ResetsWhatATransactionLeftThatWasNeverEnded) {
  const std::string backend = Backend();
  const std::string fresh = Ask(kPortrait);
  Do([](Connection& connection, const Bounds& bounds, Lease&) {
    EXPECT_THAT(connection.Begin({}, {}, bounds), IsOk());
    MustRun(connection, "SELECT pg_advisory_lock(4711)");
    MustRun(connection, "SET search_path = ''");
    return absl::OkStatus();
  });
  EXPECT_EQ(Ask(kPortrait), fresh);
  EXPECT_EQ(Backend(), backend);
}

}  // namespace
}  // namespace emsdb
