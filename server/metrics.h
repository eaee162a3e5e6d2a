// What the process counts, for Prometheus. Labels are names of databases, RPCs, states and reasons:
// never a caller's text.
#ifndef EMSDB_SERVER_METRICS_H_
#define EMSDB_SERVER_METRICS_H_

#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "pool/observer.h"
#include "pool/pool_manager.h"
#include "server/call_series.h"
#include "server/result_memory.h"

namespace emsdb {

// Safe for use by any number of threads.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  // The observer of one database's pools; lives as long as this object.
  PoolObserver& ObserverOf(const std::string& database);

  // A request that was refused before any call was made of it: it has no latency to speak of.
  void CallRefused(const std::string& rpc, absl::StatusCode code);

  // An operator's call that was carried out: it has no latency either.
  void Operated(const std::string& database, const std::string& rpc);

  void CallFinished(std::string_view database, std::string_view rpc, absl::StatusCode code,
                    Duration took);

  void BatchRetried(const std::string& database);
  void CommitInDoubt(const std::string& database, const std::string& found);

  // Everything in Prometheus' text format, with the pools and the results as they are now.
  std::string Render(PoolManager& pools, const ResultMemory& results) const;

 private:
  class DatabaseObserver;

  prometheus::Registry registry_;
  prometheus::Family<prometheus::Histogram>& latency_;
  prometheus::Family<prometheus::Counter>& calls_;
  prometheus::Family<prometheus::Histogram>& wait_;
  prometheus::Family<prometheus::Histogram>& create_;
  prometheus::Family<prometheus::Counter>& closed_;
  prometheus::Family<prometheus::Counter>& refused_;
  prometheus::Family<prometheus::Counter>& resets_;
  prometheus::Family<prometheus::Counter>& groups_;
  prometheus::Family<prometheus::Counter>& grouped_reads_;
  prometheus::Family<prometheus::Counter>& connect_failures_;
  prometheus::Family<prometheus::Counter>& batch_retries_;
  prometheus::Family<prometheus::Counter>& in_doubt_;
  prometheus::Family<prometheus::Counter>& outages_;
  prometheus::Family<prometheus::Counter>& held_long_;
  CallSeries series_;

  Mutex mutex_;
  std::vector<std::unique_ptr<DatabaseObserver>> observers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_METRICS_H_
