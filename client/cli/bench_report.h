// A measurement's result, for people and for programs.
#ifndef EMSDB_CLIENT_CLI_BENCH_REPORT_H_
#define EMSDB_CLIENT_CLI_BENCH_REPORT_H_

#include <cstdint>
#include <string>

#include "client/cli/bench_runner.h"
#include "client/cli/list_text.h"

namespace emsdb::client::cli {

Json BenchJson(const BenchCommand& command, const BenchOutcome& outcome);

std::string BenchTable(const BenchCommand& command, const BenchOutcome& outcome);

// What a person should know before believing the result, in a line; else empty.
std::string BenchWarning(const BenchCommand& command, const BenchOutcome& outcome);

// Draws on standard error while it is a terminal.
class BenchProgress {
 public:
  explicit BenchProgress(double seconds);
  ~BenchProgress();
  BenchProgress(const BenchProgress&) = delete;
  BenchProgress& operator=(const BenchProgress&) = delete;

  void Update(std::uint64_t calls);

 private:
  const bool on_terminal_;
  const double seconds_;
  const Instant began_;
};

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_BENCH_REPORT_H_
