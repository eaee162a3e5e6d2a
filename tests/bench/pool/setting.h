// What the benchmarks of the pool share: limits, and how waits are told.
#ifndef EMSDB_TESTS_BENCH_POOL_SETTING_H_
#define EMSDB_TESTS_BENCH_POOL_SETTING_H_

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <vector>

#include "pool/pool.h"

namespace emsdb {

inline PoolLimits Limits(int size, int overflow) {
  PoolLimits limits;
  limits.size = size;
  limits.overflow = overflow;
  return limits;
}

// As long as they are in practice: a statement's fingerprint does not fit into a short string.
inline Holder SomeHolder() { return {"cad", "SELECT id, status FROM units WHERE id = $1"}; }

// Nothing is refused in a benchmark; if it is, there is nothing to measure.
[[noreturn]] inline void Unexpected(const absl::Status&) { std::abort(); }

inline double Nanoseconds(Duration time) { return static_cast<double>(time.count()); }

inline double Seconds(Duration time) { return std::chrono::duration<double>(time).count(); }

// As counters of the benchmark: median, p99.9 and the worst.
inline void ReportWaits(benchmark::State& state, std::vector<Duration> waits) {
  if (waits.empty()) return;
  std::sort(waits.begin(), waits.end());
  const auto at = [&](double share) {
    return Nanoseconds(
        waits[static_cast<std::size_t>(share * static_cast<double>(waits.size() - 1))]);
  };
  state.counters["wait_p50_ns"] = at(0.5);
  state.counters["wait_p999_ns"] = at(0.999);
  state.counters["wait_worst_ns"] = at(1);
}

}  // namespace emsdb

#endif  // EMSDB_TESTS_BENCH_POOL_SETTING_H_
