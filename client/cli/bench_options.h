// What `emsdb bench` is asked for.
#ifndef EMSDB_CLIENT_CLI_BENCH_OPTIONS_H_
#define EMSDB_CLIENT_CLI_BENCH_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "client/cancel.h"
#include "client/cli/result_writer.h"

namespace CLI {
class App;
}

namespace emsdb::client::cli {

enum class Workload { kRead, kWrite, kBatch, kTransaction, kStream, kMix, kIdle };

std::string WorkloadName(Workload workload);

struct BenchCommand {
  enum class Task { kMeasure, kPrepare };

  Task task = Task::kMeasure;
  std::string database = "main";
  Workload workload = Workload::kRead;
  std::optional<int> in_flight;  // none: 32, or in the open loop as many as fit
  std::optional<double> rate;    // calls a second; none: the closed loop
  double seconds = 10;
  double warm_up_seconds = 1;
  int channels = 1;
  int threads = 1;
  std::int64_t keys = 10'000;
  std::uint64_t seed = 1;
  std::optional<int> deadline_min_ms;  // none: as the workload needs it
  std::optional<int> deadline_max_ms;
  double slow_share = 0.01;
  double slow_ms = 50;
  std::int64_t rows = 1'000'000;
  int connections = 100;
  std::string sql;  // empty: the workload's own
  Format format = Format::kTable;
};

// How many calls are under way at most.
int InFlight(const BenchCommand& command);

// Where each call's deadline lies, from its beginning on.
struct DeadlineRange {
  Duration min;
  Duration max;
};
DeadlineRange Deadlines(const BenchCommand& command);

// What is wrong with options that do not go together, naming them; empty if nothing is.
std::string CheckBench(const BenchCommand& command);

// Makes the subcommand. `into` is filled when the command line is read and must live until then.
void AddBench(CLI::App& app, BenchCommand& into);

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_BENCH_OPTIONS_H_
