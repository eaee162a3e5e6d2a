// Runs a measurement: callers, the threads that serve them, and the clock.
#ifndef EMSDB_CLIENT_CLI_BENCH_RUNNER_H_
#define EMSDB_CLIENT_CLI_BENCH_RUNNER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "client/cancel.h"
#include "client/cli/bench_caller.h"
#include "client/cli/bench_tally.h"

namespace emsdb::client::cli {

struct BenchRun {
  const BenchCommand& command;
  Dialect dialect = Dialect::kPostgres;
  const Headers& headers;
  const std::vector<std::shared_ptr<Line>>& lines;
  CancelSource& cancel;  // Ctrl-C: the calls under way are cancelled, and not counted
  // Called a few times a second with the calls that have ended since the warm-up; may be empty.
  std::function<void(std::uint64_t calls)> progress;
};

struct BenchOutcome {
  Tally tally;
  std::uint64_t most_under_way = 0;  // calls at the same time
  double cpu_seconds = 0;            // of this process, from the end of the warm-up on
};

// Returns when the last call has ended, which each does by its deadline.
BenchOutcome RunClosedLoop(const BenchRun& run);
BenchOutcome RunOpenLoop(const BenchRun& run);

// One answered call on each line, as many at a time as the command says; then they are held for as
// long as it says. `ready` is called between the two. A line whose connection is lost meanwhile
// counts as an error.
BenchOutcome RunIdle(const BenchRun& run, const std::function<void()>& ready);

Times TimesOf(const BenchCommand& command, Instant start);

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_BENCH_RUNNER_H_
