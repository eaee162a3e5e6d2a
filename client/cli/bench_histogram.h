// How long calls took, in a fixed amount of memory: as many buckets for each power of two, so that
// an error is a share of the value and not a number of microseconds.
#ifndef EMSDB_CLIENT_CLI_BENCH_HISTOGRAM_H_
#define EMSDB_CLIENT_CLI_BENCH_HISTOGRAM_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "client/cancel.h"

namespace emsdb::client::cli {

// Adding is a few instructions and never allocates. One thread; those of several threads are merged
// at the end. Quantiles are right to 0.4 %; the mean, the smallest and the greatest are exact.
class Histogram {
 public:
  // What is longer than kLongest (73 minutes) counts as that long in quantiles; less than nothing
  // is nothing.
  static constexpr int kLongestBits = 42;
  static constexpr Duration kLongest{(std::int64_t{1} << kLongestBits) - 1};

  void Add(Duration duration);
  void Merge(const Histogram& other);

  std::uint64_t count() const { return count_; }
  Duration min() const { return Duration(min_); }
  Duration max() const { return Duration(max_); }
  Duration mean() const;

  // The smallest duration that at least this share of all (0 to 1) does not exceed; zero where
  // there are none.
  Duration Quantile(double share) const;

 private:
  // 128 buckets for each power of two; what is below 256 ns has a bucket for each nanosecond.
  static constexpr int kBits = 7;
  static constexpr std::size_t kEach = std::size_t{1} << kBits;
  static constexpr std::size_t kBuckets = (kLongestBits - kBits + 1) * kEach;

  static std::size_t BucketOf(std::int64_t nanoseconds);
  static std::int64_t MiddleOf(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::int64_t sum_ = 0;  // stays at its greatest value
  std::int64_t min_ = 0;
  std::int64_t max_ = 0;
};

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_BENCH_HISTOGRAM_H_
