#include "server/metrics.h"

#include <prometheus/text_serializer.h>

#include <utility>

#include "server/pool_gauges.h"
#include "server/seconds.h"

namespace emsdb {
namespace {

using prometheus::Histogram;
using prometheus::MetricFamily;

prometheus::Family<Histogram>& HistogramFamily(prometheus::Registry& registry, const char* name,
                                               const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

prometheus::Family<prometheus::Counter>& CounterFamily(prometheus::Registry& registry,
                                                       const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

// T24: an old transaction keeps the database from cleaning up behind it.
MetricFamily OldestTransactions(PoolManager& pools) {
  MetricFamily family{"emsdb_oldest_transaction_seconds",
                      "Age of the oldest open leased transaction; 0 without one",
                      prometheus::MetricType::Gauge,
                      {}};
  for (Database* database : pools.databases()) {
    const std::string& name = database->settings().name;
    prometheus::ClientMetric metric;
    metric.label = {{"database", name}};
    metric.gauge.value = InSeconds(pools.transactions().OldestIn(name));
    family.metric.push_back(std::move(metric));
  }
  return family;
}

void AddResultMemory(std::vector<MetricFamily>& families, const ResultMemory& results) {
  const auto add = [&](const char* name, const char* help, prometheus::MetricType type,
                       double value) {
    prometheus::ClientMetric metric;
    metric.gauge.value = value;
    metric.counter.value = value;
    families.push_back({name, help, type, {metric}});
  };
  using prometheus::MetricType;
  add("emsdb_result_memory_bytes", "Memory of the results that are being built or sent",
      MetricType::Gauge, static_cast<double>(results.used()));
  add("emsdb_result_memory_max_bytes", "The most that it may be", MetricType::Gauge,
      static_cast<double>(results.most()));
  add("emsdb_result_memory_refused_total", "Calls that failed since it was used up",
      MetricType::Counter, static_cast<double>(results.refused()));
}

}  // namespace

// Counts in metrics that are looked up once, at the start.
class Metrics::DatabaseObserver final : public PoolObserver {
 public:
  DatabaseObserver(Metrics& metrics, const std::string& database)
      : metrics_(metrics),
        database_(database),
        wait_(metrics.wait_.Add({{"pool", database}}, LatencyBuckets())),
        create_(metrics.create_.Add({{"pool", database}}, LatencyBuckets())),
        connect_failures_(metrics.connect_failures_.Add({{"pool", database}})),
        outages_(metrics.outages_.Add({{"pool", database}})),
        held_long_(metrics.held_long_.Add({{"pool", database}})),
        groups_(metrics.groups_.Add({{"pool", database}})),
        grouped_reads_(metrics.grouped_reads_.Add({{"pool", database}})) {}

  void Opened(Duration took) override { create_.Observe(InSeconds(took)); }
  void OpenFailed() override { connect_failures_.Increment(); }
  void WentDown(const absl::Status& /*why*/) override { outages_.Increment(); }
  void HeldLong(const Holder& /*who*/, Duration /*held*/) override { held_long_.Increment(); }
  void Grouped(int members) override {
    groups_.Increment();
    grouped_reads_.Increment(members);
  }
  void Waited(Duration wait) override { wait_.Observe(InSeconds(wait)); }
  void Closed(CloseReason reason) override {
    metrics_.closed_.Add({{"pool", database_}, {"reason", std::string(CloseReasonName(reason))}})
        .Increment();
  }
  void Refused(RefusalReason reason) override {
    metrics_.refused_.Add({{"pool", database_}, {"reason", std::string(RefusalReasonName(reason))}})
        .Increment();
  }
  void Reset(ResetResult result) override {
    metrics_.resets_.Add({{"pool", database_}, {"result", std::string(ResetResultName(result))}})
        .Increment();
  }

 private:
  Metrics& metrics_;
  const std::string database_;
  Histogram& wait_;
  Histogram& create_;
  prometheus::Counter& connect_failures_;
  prometheus::Counter& outages_;
  prometheus::Counter& held_long_;
  prometheus::Counter& groups_;
  prometheus::Counter& grouped_reads_;
};

Metrics::Metrics()
    : latency_(HistogramFamily(registry_, "emsdb_call_duration_seconds",
                               "Calls by what they took, waiting included")),
      calls_(CounterFamily(registry_, "emsdb_calls_total", "Calls by how they ended")),
      wait_(HistogramFamily(registry_, "emsdb_pool_wait_seconds",
                            "Waits for a connection that ended with one")),
      create_(HistogramFamily(registry_, "emsdb_pool_create_seconds", "Openings of connections")),
      closed_(CounterFamily(registry_, "emsdb_pool_closed_total", "Connections closed, and why")),
      refused_(CounterFamily(registry_, "emsdb_pool_refused_total",
                             "Calls that got no connection, and why")),
      resets_(CounterFamily(registry_, "emsdb_pool_session_resets_total",
                            "Sessions that a call had changed, and whether they could be reset")),
      groups_(CounterFamily(registry_, "emsdb_pool_groups_total",
                            "Packets that carried several callers' reads")),
      grouped_reads_(CounterFamily(registry_, "emsdb_pool_grouped_reads_total",
                                   "Reads that were sent in such a packet")),
      connect_failures_(CounterFamily(registry_, "emsdb_pool_connect_failures_total",
                                      "Openings of connections that failed")),
      batch_retries_(CounterFamily(registry_, "emsdb_batch_retries_total",
                                   "Batches run again after a conflict with another transaction")),
      in_doubt_(CounterFamily(registry_, "emsdb_commits_in_doubt_total",
                              "Commits whose answer was lost, by what they were found to be")),
      outages_(CounterFamily(registry_, "emsdb_pool_outages_total",
                             "Times that no connection could be opened any more")),
      held_long_(CounterFamily(registry_, "emsdb_pool_held_long_total",
                               "Connections held for longer than others may wait for one")),
      series_(latency_, calls_) {}

Metrics::~Metrics() = default;

PoolObserver& Metrics::ObserverOf(const std::string& database) {
  MutexLock lock(mutex_);
  observers_.push_back(std::make_unique<DatabaseObserver>(*this, database));
  return *observers_.back();
}

void Metrics::CallRefused(const std::string& rpc, absl::StatusCode code) {
  calls_.Add({{"database", ""}, {"rpc", rpc}, {"code", absl::StatusCodeToString(code)}})
      .Increment();
}

void Metrics::Operated(const std::string& database, const std::string& rpc) {
  calls_.Add({{"database", database}, {"rpc", rpc}, {"code", "OK"}}).Increment();
}

void Metrics::CallFinished(std::string_view database, std::string_view rpc, absl::StatusCode code,
                           Duration took) {
  series_.Count(database, rpc, code, took);
}

void Metrics::BatchRetried(const std::string& database) {
  batch_retries_.Add({{"database", database}}).Increment();
}

void Metrics::CommitInDoubt(const std::string& database, const std::string& found) {
  in_doubt_.Add({{"database", database}, {"found", found}}).Increment();
}

std::string Metrics::Render(PoolManager& pools, const ResultMemory& results) const {
  std::vector<MetricFamily> families = registry_.Collect();
  AddResultMemory(families, results);
  std::vector<MetricFamily> of_pools = PoolFamilies(pools);
  families.insert(families.end(), of_pools.begin(), of_pools.end());
  families.push_back(OldestTransactions(pools));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace emsdb
