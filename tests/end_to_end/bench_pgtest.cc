// `emsdb bench` against the gateway on PostgreSQL.
#include <gtest/gtest.h>

#include "tests/end_to_end/bench_suite.h"
#include "tests/end_to_end/postgres_fixture.h"

namespace emsdb {
namespace {

class BenchOnPostgres : public ::testing::Test {
 protected:
  OwnDatabase database_;
  GatewayProcess gateway_{Environment{{"DATABASE_URL", database_.url()}}};
};

TEST_F(BenchOnPostgres, ReadsCountTheirRows) { ReadsCountTheirRows(gateway_); }

TEST_F(BenchOnPostgres, WritesThatAreCountedAreInTheTable) {
  WritesThatAreCountedAreInTheTable(gateway_);
}

TEST_F(BenchOnPostgres, TransactionsThatAreCountedAreInTheTable) {
  TransactionsThatAreCountedAreInTheTable(gateway_);
}

TEST_F(BenchOnPostgres, StreamsAreWhole) { StreamsAreWhole(gateway_); }

TEST_F(BenchOnPostgres, IdleConnectionsAreHeld) { IdleConnectionsAreHeld(gateway_); }

TEST_F(BenchOnPostgres, TheTableIsMadeAnew) { TheTableIsMadeAnew(gateway_); }

TEST_F(BenchOnPostgres, CallsOfAMixThatSleepAreToldApart) {
  PrepareBench(gateway_);
  const auto mix = Bench(gateway_, {"--workload", "mix", "--slow-share", "0.3", "--slow-ms", "1",
                                    "--rate", "500", "--seconds", "0.2"});
  EXPECT_EQ(mix["calls"], 100);
  EXPECT_EQ(mix["rows"], 100);
  EXPECT_GT(mix["slow"]["calls"], 0);
  EXPECT_LT(mix["slow"]["calls"], 100);
}

}  // namespace
}  // namespace emsdb
