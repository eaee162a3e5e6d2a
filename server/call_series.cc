#include "server/call_series.h"

#include "server/seconds.h"

namespace emsdb {

void CallSeries::Count(std::string_view database, std::string_view rpc, absl::StatusCode code,
                       Duration took) {
  Series& series = Of(database, rpc);
  series.latency.Observe(InSeconds(took));
  CounterOf(series, code).Increment();
}

CallSeries::Series& CallSeries::Of(std::string_view database, std::string_view rpc) {
  MutexLock lock(mutex_);
  if (const auto found = series_.find({database, rpc}); found != series_.end()) {
    return *found->second;
  }
  const std::string database_name(database);
  const std::string rpc_name(rpc);
  Histogram& latency =
      latency_.Add({{"database", database_name}, {"rpc", rpc_name}}, LatencyBuckets());
  std::unique_ptr<Series> made(new Series{database_name, rpc_name, latency});
  Series& series = *made;
  series_.emplace(std::pair<std::string_view, std::string_view>(series.database, series.rpc),
                  std::move(made));
  return series;
}

CallSeries::Counter& CallSeries::CounterOf(Series& series, absl::StatusCode code) {
  const auto make = [&]() -> Counter& {
    return calls_.Add({{"database", series.database},
                       {"rpc", series.rpc},
                       {"code", absl::StatusCodeToString(code)}});
  };
  const auto index = static_cast<std::size_t>(code);
  if (index >= kCodes) return make();
  // Two threads may both make it: the family gives both the same one.
  Counter* counter = series.by_code[index].load(std::memory_order_acquire);
  if (counter == nullptr) {
    counter = &make();
    series.by_code[index].store(counter, std::memory_order_release);
  }
  return *counter;
}

}  // namespace emsdb
