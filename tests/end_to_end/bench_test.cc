// `emsdb bench` against the gateway on its embedded engine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/bench_suite.h"

namespace emsdb {
namespace {

TEST(BenchOnSqlite, ReadsCountTheirRows) { ReadsCountTheirRows(GatewayProcess()); }

TEST(BenchOnSqlite, WritesThatAreCountedAreInTheTable) {
  WritesThatAreCountedAreInTheTable(GatewayProcess());
}

TEST(BenchOnSqlite, TransactionsThatAreCountedAreInTheTable) {
  TransactionsThatAreCountedAreInTheTable(GatewayProcess());
}

TEST(BenchOnSqlite, StreamsAreWhole) { StreamsAreWhole(GatewayProcess()); }

TEST(BenchOnSqlite, IdleConnectionsAreHeld) { IdleConnectionsAreHeld(GatewayProcess()); }

TEST(BenchOnSqlite, TheTableIsMadeAnew) { TheTableIsMadeAnew(GatewayProcess()); }

TEST(BenchOnSqlite, SaysThatItCannotSleep) {
  const GatewayProcess gateway;
  const Ended ended = RunProgram(
      ClientProgram(), {"--address", gateway.address(), "bench", "--workload", "mix"}, {});
  EXPECT_EQ(ended.status, 2);
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(ended.err, "emsdb: --workload mix: SQLite cannot sleep\n");
}

TEST(BenchOnSqlite, SaysThatThereIsNoSuchDatabase) {
  const GatewayProcess gateway;
  const Ended ended =
      RunProgram(ClientProgram(), {"--address", gateway.address(), "bench", "--db", "nosuch"}, {});
  EXPECT_EQ(ended.status, 3);
  EXPECT_THAT(ended.err, ::testing::HasSubstr("NOT_FOUND"));
}

}  // namespace
}  // namespace emsdb
