#include "client/cli/bench_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace emsdb::client::cli {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::nanoseconds;

constexpr double kShares[] = {0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1};

// The one that is in this place among all of them, in order.
Duration Exact(const std::vector<Duration>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

void ExpectQuantiles(const Histogram& histogram, std::vector<Duration> all) {
  std::sort(all.begin(), all.end());
  ASSERT_EQ(histogram.count(), all.size());
  EXPECT_EQ(histogram.min(), all.front());
  EXPECT_EQ(histogram.max(), all.back());
  for (const double share : kShares) {
    const auto exact = static_cast<double>(Exact(all, share).count());
    EXPECT_NEAR(static_cast<double>(histogram.Quantile(share).count()), exact, exact * 0.01)
        << share << " of " << all.size();
  }
}

// Durations of all magnitudes, from nanoseconds to an hour, or those of one neighbourhood.
std::vector<Duration> Draw(std::uint32_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> magnitude(0, seed % 2 == 0 ? 42 : 3);
  const double lowest = seed % 2 == 0 ? 0 : static_cast<double>(seed % 39);
  std::vector<Duration> all(1 + random() % 3000);
  for (Duration& one : all) {
    one = nanoseconds(static_cast<std::int64_t>(std::exp2(lowest + magnitude(random))) - 1);
  }
  return all;
}

class AnyDurations : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(AnyDurations, HaveQuantilesThatAreRightToOnePercent) {
  const std::vector<Duration> all = Draw(GetParam());
  Histogram histogram;
  for (const Duration one : all) histogram.Add(one);
  ExpectQuantiles(histogram, all);
}

TEST_P(AnyDurations, AreTheSameWhenTheyAreMerged) {
  const std::vector<Duration> all = Draw(GetParam());
  Histogram whole;
  std::vector<Histogram> parts(3);
  for (std::size_t i = 0; i < all.size(); ++i) {
    whole.Add(all[i]);
    parts[i % 2 * 2].Add(all[i]);  // one part stays empty
  }
  Histogram merged;
  for (const Histogram& part : parts) merged.Merge(part);
  EXPECT_EQ(merged.count(), whole.count());
  EXPECT_EQ(merged.mean(), whole.mean());
  EXPECT_EQ(merged.min(), whole.min());
  EXPECT_EQ(merged.max(), whole.max());
  for (const double share : kShares) EXPECT_EQ(merged.Quantile(share), whole.Quantile(share));
}

INSTANTIATE_TEST_SUITE_P(Histogram, AnyDurations, ::testing::Range(1U, 81U));

TEST(Histogram, IsExactBelowAQuarterOfAMicrosecond) {
  for (int i = 0; i < 256; ++i) {
    Histogram histogram;
    histogram.Add(nanoseconds(i));
    histogram.Add(microseconds(1));
    EXPECT_EQ(histogram.Quantile(0.5), nanoseconds(i));
  }
}

TEST(Histogram, IsRightAtTheEdgesOfItsBuckets) {
  for (int bit = 1; bit < Histogram::kLongestBits; ++bit) {
    for (const int beside : {-1, 0, 1}) {
      const Duration duration((std::int64_t{1} << bit) + beside);
      Histogram histogram;
      histogram.Add(duration);
      histogram.Add(duration * 2);
      const auto exact = static_cast<double>(duration.count());
      EXPECT_NEAR(static_cast<double>(histogram.Quantile(0.5).count()), exact, exact * 0.01);
    }
  }
}

TEST(Histogram, TakesWhatIsTooLongForItsLongest) {
  Histogram histogram;
  histogram.Add(hours(100));
  histogram.Add(hours(200));
  EXPECT_EQ(histogram.max(), hours(200));
  EXPECT_EQ(histogram.mean(), hours(150));
  const auto longest = static_cast<double>(Histogram::kLongest.count());
  // Not less than the shortest that was added, which is exact.
  EXPECT_EQ(histogram.Quantile(0.5), hours(100));
  histogram.Add(microseconds(1));
  EXPECT_NEAR(static_cast<double>(histogram.Quantile(0.6).count()), longest, longest * 0.01);
}

TEST(Histogram, TakesLessThanNothingForNothing) {
  Histogram histogram;
  histogram.Add(nanoseconds(-5));
  EXPECT_EQ(histogram.max(), nanoseconds(0));
  EXPECT_EQ(histogram.Quantile(0.5), nanoseconds(0));
}

TEST(Histogram, KeepsItsSumWithinBounds) {
  Histogram histogram;
  for (int i = 0; i < 3; ++i) histogram.Add(Duration(std::numeric_limits<std::int64_t>::max()));
  EXPECT_GT(histogram.mean(), nanoseconds(0));
  Histogram other = histogram;
  other.Merge(histogram);
  EXPECT_GT(other.mean(), nanoseconds(0));
  EXPECT_EQ(other.count(), 6U);
}

TEST(Histogram, HasNothingToSayOfNothing) {
  const Histogram histogram;
  EXPECT_EQ(histogram.Quantile(0.5), nanoseconds(0));
  EXPECT_EQ(histogram.mean(), nanoseconds(0));
  EXPECT_EQ(histogram.count(), 0U);
}

}  // namespace
}  // namespace emsdb::client::cli
