// Durations as metrics tell them.
#ifndef EMSDB_SERVER_SECONDS_H_
#define EMSDB_SERVER_SECONDS_H_

#include <prometheus/histogram.h>

#include "pool/clock.h"

namespace emsdb {

inline double InSeconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// The buckets of every histogram of seconds.
inline const prometheus::Histogram::BucketBoundaries& LatencyBuckets() {
  static const prometheus::Histogram::BucketBoundaries buckets = {
      0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
      0.1,    0.25,    0.5,    1,     2.5,    5,     10,   30};
  return buckets;
}

}  // namespace emsdb

#endif  // EMSDB_SERVER_SECONDS_H_
