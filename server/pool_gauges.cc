#include "server/pool_gauges.h"

#include <array>
#include <set>
#include <string>
#include <utility>

namespace emsdb {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;

double InSeconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// One number of one pool at the time of the scrape.
struct PoolGauge {
  const char* name;
  const char* help;
  const char* state;  // a further label, or null
  prometheus::MetricType type;
  double (*read)(const PoolNumbers& numbers, const PoolLimits& limits);
};

constexpr char kConnections[] = "emsdb_pool_connections";
constexpr char kConnectionsHelp[] = "Connections by state";

double Share(int part, int whole) { return static_cast<double>(part) / whole; }

const std::array<PoolGauge, 14>& PoolGauges() {
  using prometheus::MetricType;
  using N = PoolNumbers;
  using L = PoolLimits;
  static const std::array<PoolGauge, 14> gauges = {{
      {kConnections, kConnectionsHelp, "idle", MetricType::Gauge,
       [](const N& n, const L&) -> double { return n.counts.idle; }},
      {kConnections, kConnectionsHelp, "used", MetricType::Gauge,
       [](const N& n, const L&) -> double { return n.counts.leased; }},
      {kConnections, kConnectionsHelp, "opening", MetricType::Gauge,
       [](const N& n, const L&) -> double { return n.counts.opening; }},
      {"emsdb_pool_connections_max", "Size and overflow together", nullptr, MetricType::Gauge,
       [](const N&, const L& l) -> double { return l.limit(); }},
      {"emsdb_pool_utilisation_ratio", "Connections in use, as a share of size and overflow",
       nullptr, MetricType::Gauge,
       [](const N& n, const L& l) { return Share(n.counts.leased, l.limit()); }},
      {"emsdb_pool_pending_requests", "Calls in line for a connection", nullptr, MetricType::Gauge,
       [](const N& n, const L&) -> double { return n.counts.waiting; }},
      {"emsdb_pool_leases", "Leased transactions that hold a connection or wait for one", nullptr,
       MetricType::Gauge, [](const N& n, const L&) -> double { return n.counts.leases; }},
      {"emsdb_pool_longest_wait_seconds", "How long the first in line has waited", nullptr,
       MetricType::Gauge, [](const N& n, const L&) { return InSeconds(n.longest_wait); }},
      {"emsdb_pool_longest_held_seconds",
       "How long the connection that was given out first has been held", nullptr, MetricType::Gauge,
       [](const N& n, const L&) { return InSeconds(n.longest_held); }},
      {"emsdb_pool_down", "1 while no connection can be opened and calls fail at once", nullptr,
       MetricType::Gauge,
       [](const N& n, const L&) { return n.mode == PoolMode::kDown ? 1.0 : 0.0; }},
      {"emsdb_pool_paused", "1 while an operator has paused it", nullptr, MetricType::Gauge,
       [](const N& n, const L&) { return n.mode == PoolMode::kPaused ? 1.0 : 0.0; }},
      {"emsdb_pool_timeouts_total", "Waits for a connection that took DB_POOL_TIMEOUT", nullptr,
       MetricType::Counter,
       [](const N& n, const L&) { return static_cast<double>(n.timeouts_total); }},
      {"emsdb_pool_stale_connections_total", "Connections found dead, before use or in use",
       nullptr, MetricType::Counter,
       [](const N& n, const L&) { return static_cast<double>(n.stale_total); }},
      {"emsdb_pool_opened_total", "Connections opened", nullptr, MetricType::Counter,
       [](const N& n, const L&) { return static_cast<double>(n.opened_total); }},
  }};
  return gauges;
}

void Add(std::vector<MetricFamily>& families, const PoolGauge& gauge, const std::string& pool,
         double value) {
  if (families.empty() || families.back().name != gauge.name) {
    families.push_back({gauge.name, gauge.help, gauge.type, {}});
  }
  ClientMetric metric;
  metric.label.push_back({"pool", pool});
  if (gauge.state != nullptr) metric.label.push_back({"state", gauge.state});
  metric.gauge.value = value;
  metric.counter.value = value;
  families.back().metric.push_back(std::move(metric));
}

}  // namespace

std::vector<MetricFamily> PoolFamilies(PoolManager& pools) {
  struct Reading {
    std::string name;
    PoolNumbers numbers;
    PoolLimits limits;
  };
  std::vector<Reading> readings;
  std::set<const Pool*> seen;  // databases in one SQLite file share its writer
  for (Database* database : pools.databases()) {
    const DatabaseSettings& settings = database->settings();
    const Pool& pool = database->pool();
    if (seen.insert(&pool).second)
      readings.push_back({settings.name, pool.numbers(), pool.limits()});
    const Pool* writer = database->writer();
    if (writer != nullptr && seen.insert(writer).second) {
      readings.push_back({"writer of " + settings.location, writer->numbers(), writer->limits()});
    }
  }
  std::vector<MetricFamily> families;
  for (const PoolGauge& gauge : PoolGauges()) {
    for (const Reading& reading : readings) {
      Add(families, gauge, reading.name, gauge.read(reading.numbers, reading.limits));
    }
  }
  return families;
}

}  // namespace emsdb
