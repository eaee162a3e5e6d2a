// The pools as they are at the time of a scrape, for Prometheus.
#ifndef EMSDB_SERVER_POOL_GAUGES_H_
#define EMSDB_SERVER_POOL_GAUGES_H_

#include <prometheus/metric_family.h>

#include <vector>

#include "pool/pool_manager.h"

namespace emsdb {

// One family for each number, with one metric for each pool. The writer of an SQLite file, which
// databases share, is a pool by itself.
std::vector<prometheus::MetricFamily> PoolFamilies(PoolManager& pools);

}  // namespace emsdb

#endif  // EMSDB_SERVER_POOL_GAUGES_H_
