#include "client/cli/bench_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace emsdb::client::cli {
namespace {

std::int64_t AddUpTo(std::int64_t sum, std::int64_t more) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  return more > kMost - sum ? kMost : sum + more;
}

}  // namespace

std::size_t Histogram::BucketOf(std::int64_t nanoseconds) {
  const auto value = static_cast<std::uint64_t>(std::min(nanoseconds, kLongest.count()));
  // How often it is halved until 8 bits are left, of which the first one is set.
  const int halved = std::max(0, static_cast<int>(std::bit_width(value)) - (kBits + 1));
  return static_cast<std::size_t>(halved) * kEach + static_cast<std::size_t>(value >> halved);
}

std::int64_t Histogram::MiddleOf(std::size_t bucket) {
  if (bucket < 2 * kEach) return static_cast<std::int64_t>(bucket);
  const std::size_t halved = bucket / kEach - 1;
  const auto first = static_cast<std::int64_t>((bucket - halved * kEach) << halved);
  return first + (std::int64_t{1} << halved) / 2;
}

void Histogram::Add(Duration duration) {
  const std::int64_t value = std::max<std::int64_t>(duration.count(), 0);
  ++buckets_[BucketOf(value)];
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = std::max(max_, value);
  sum_ = AddUpTo(sum_, value);
  ++count_;
}

void Histogram::Merge(const Histogram& other) {
  if (other.count_ == 0) return;
  for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ = AddUpTo(sum_, other.sum_);
  count_ += other.count_;
}

Duration Histogram::mean() const {
  if (count_ == 0) return Duration(0);
  return Duration(
      static_cast<std::int64_t>(static_cast<double>(sum_) / static_cast<double>(count_)));
}

Duration Histogram::Quantile(double share) const {
  if (count_ == 0) return Duration(0);
  const double wanted = std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_));
  const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, count_);
  if (rank == count_) return max();
  std::uint64_t passed = 0;
  std::size_t bucket = 0;
  while ((passed += buckets_[bucket]) < rank) ++bucket;
  return Duration(std::clamp(MiddleOf(bucket), min_, max_));
}

}  // namespace emsdb::client::cli
