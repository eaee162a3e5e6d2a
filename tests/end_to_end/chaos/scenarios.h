// The days on which a pool has to prove itself, each with a gateway and a PostgreSQL of its own.
// Sizes come from outside: small ones for every build, full ones for the benchmark.
#ifndef EMSDB_TESTS_END_TO_END_CHAOS_SCENARIOS_H_
#define EMSDB_TESTS_END_TO_END_CHAOS_SCENARIOS_H_

#include <chrono>
#include <string_view>

#include "pool/clock.h"
#include "tests/end_to_end/chaos/postgres_server.h"
#include "tests/end_to_end/chaos/report.h"

namespace emsdb::chaos {

// Thousands of calls wait for one busy connection, beside a server that holds as many calls with
// gRPC alone; then the connection comes free, and the order of the answers is looked at.
void ManyWait(const PostgresServer& postgres, int calls, Report& report);

// The line's bound: who comes behind it is refused at once, with a delay after which to come again.
void LineIsFull(const PostgresServer& postgres, int calls, int bound, Report& report);

// Everybody in line leaves at the same moment.
void EverybodyLeaves(const PostgresServer& postgres, int calls, Report& report);

// Callers come all at once to a pool that has no connection yet.
void ColdBurst(const PostgresServer& postgres, int callers, Report& report);

enum class StopKind { kFastShutdown, kKill, kFreeze };
inline constexpr StopKind kStopKinds[] = {StopKind::kFastShutdown, StopKind::kKill,
                                          StopKind::kFreeze};
std::string_view StopKindName(StopKind kind);

struct OutageSize {
  Duration stopped = std::chrono::seconds(10);
  Duration afterwards = std::chrono::seconds(3);
  Duration deadline = std::chrono::seconds(2);  // of every call
  int readers = 16;
  int writers = 16;
  int batches = 8;
};

// The database goes away under load and comes back; every answer is compared with what is in it.
void DatabaseStops(PostgresServer& postgres, StopKind kind, const OutageSize& size, Report& report);

struct FloodSize {
  int rounds = 5;
  Duration each = std::chrono::seconds(4);  // quiet, and flooded
  int reporters = 200;
};

// Slow reports want every connection, while dispatch reads single rows: beside them and without
// them, in turns.
void ReportsFlood(const PostgresServer& postgres, const FloodSize& size, Report& report);

}  // namespace emsdb::chaos

#endif  // EMSDB_TESTS_END_TO_END_CHAOS_SCENARIOS_H_
