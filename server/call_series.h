// The counts and latencies of finished calls, found again without putting their labels together:
// that would cost each call more than the counting.
#ifndef EMSDB_SERVER_CALL_SERIES_H_
#define EMSDB_SERVER_CALL_SERIES_H_

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "pool/clock.h"

namespace emsdb {

// Safe for use by any number of threads.
class CallSeries {
 public:
  using Histogram = prometheus::Histogram;
  using Counter = prometheus::Counter;

  // The families must outlive it.
  CallSeries(prometheus::Family<Histogram>& latency, prometheus::Family<Counter>& calls)
      : latency_(latency), calls_(calls) {}

  void Count(std::string_view database, std::string_view rpc, absl::StatusCode code, Duration took);

 private:
  static constexpr std::size_t kCodes = 17;  // gRPC's

  // Of one database and one RPC: as many as there are names, which are the gateway's own.
  struct Series {
    const std::string database;
    const std::string rpc;
    Histogram& latency;
    std::array<std::atomic<Counter*>, kCodes> by_code{};  // made when the code first comes
  };

  Series& Of(std::string_view database, std::string_view rpc);
  Counter& CounterOf(Series& series, absl::StatusCode code);

  prometheus::Family<Histogram>& latency_;
  prometheus::Family<Counter>& calls_;

  Mutex mutex_;
  // By views of what is in the series.
  absl::flat_hash_map<std::pair<std::string_view, std::string_view>, std::unique_ptr<Series>>
      series_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_CALL_SERIES_H_
