// What a measurement has counted.
#ifndef EMSDB_CLIENT_CLI_BENCH_TALLY_H_
#define EMSDB_CLIENT_CLI_BENCH_TALLY_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "client/cancel.h"
#include "client/cli/bench_caller.h"
#include "client/cli/bench_histogram.h"

namespace emsdb::client::cli {

// "UNAVAILABLE CONNECTION_LOST": the code, and the gateway's reason where it gave one.
std::string ErrorName(const absl::Status& status);

// One thread; those of several are merged.
struct Tally {
  std::uint64_t calls = 0;  // that succeeded
  std::uint64_t rows = 0;
  Histogram latency;       // of calls that succeeded, but for the slow ones
  Histogram slow_latency;  // of a mix
  std::map<std::string, std::uint64_t> errors;
  absl::Status first_error;      // with its details
  std::optional<Instant> begin;  // of the first call that counts
  std::optional<Instant> end;    // of the last one

  // A call that has ended.
  void Add(const Caller& caller, const StartCall& call, Instant now);
  void AddError(const absl::Status& status, std::uint64_t times);
  void Merge(const Tally& other);

  std::uint64_t error_count() const;
  // From the first call's beginning to the last one's end.
  Duration elapsed() const { return begin && end ? *end - *begin : Duration(0); }
};

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_BENCH_TALLY_H_
