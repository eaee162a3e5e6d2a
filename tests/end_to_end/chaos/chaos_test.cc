// The scenarios with small numbers, on a build with sanitizers: promises decide, figures are only
// printed. The full numbers are in tests/bench/chaos/run.
#include <gtest/gtest.h>

#include <chrono>
#include <iostream>

#include "tests/end_to_end/chaos/scenarios.h"

namespace emsdb::chaos {
namespace {

using std::chrono::seconds;

constexpr OutageSize kShort = {.stopped = seconds(2),
                               .afterwards = seconds(1),
                               .deadline = seconds(1),
                               .readers = 4,
                               .writers = 4,
                               .batches = 2};

// Each case has a server of its own: it is its to stop.
class Chaos : public testing::Test {
 protected:
  void TearDown() override {
    for (const Figure& figure : report.figures()) {
      std::cout << "  " << figure.name << ": " << figure.value << "\n";
    }
    EXPECT_GT(report.promises(), 0);
    for (const std::string& broken : report.broken()) ADD_FAILURE() << "broken: " << broken;
  }

  PostgresServer postgres;
  Report report;
};

TEST_F(Chaos, WaitingCallsCostNoThreadsAndAreAnsweredInOrder) { ManyWait(postgres, 500, report); }

TEST_F(Chaos, WhoDoesNotFitIntoTheLineIsRefusedAtOnce) { LineIsFull(postgres, 500, 100, report); }

TEST_F(Chaos, WaitersWhoLeaveAtOnceLeaveNothing) { EverybodyLeaves(postgres, 500, report); }

TEST_F(Chaos, ABurstOnAColdPoolIsServedWithinItsLimit) { ColdBurst(postgres, 200, report); }

TEST_F(Chaos, AFastShutdownUnderLoadIsToldTruly) {
  DatabaseStops(postgres, StopKind::kFastShutdown, kShort, report);
}

TEST_F(Chaos, ACrashUnderLoadIsToldTruly) {
  DatabaseStops(postgres, StopKind::kKill, kShort, report);
}

TEST_F(Chaos, AFrozenServerUnderLoadIsToldTruly) {
  DatabaseStops(postgres, StopKind::kFreeze, kShort, report);
}

TEST_F(Chaos, DispatchIsServedBesideAFloodOfReports) {
  ReportsFlood(postgres, {.rounds = 1, .each = seconds(1), .reporters = 50}, report);
}

}  // namespace
}  // namespace emsdb::chaos
