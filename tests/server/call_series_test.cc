#include "server/call_series.h"

#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include <map>
#include <thread>
#include <vector>

#include "server/seconds.h"

namespace emsdb {
namespace {

class CallSeriesTest : public testing::Test {
 protected:
  // "main Query OK" -> how many.
  std::map<std::string, double> Counted() {
    std::map<std::string, double> counted;
    for (const auto& family : registry_.Collect()) {
      if (family.name != "calls") continue;
      for (const auto& metric : family.metric) {
        std::map<std::string, std::string> labels;
        for (const auto& label : metric.label) labels[label.name] = label.value;
        counted[labels["database"] + " " + labels["rpc"] + " " + labels["code"]] =
            metric.counter.value;
      }
    }
    return counted;
  }

  std::uint64_t Observed() {
    std::uint64_t observed = 0;
    for (const auto& family : registry_.Collect()) {
      for (const auto& metric : family.metric) observed += metric.histogram.sample_count;
    }
    return observed;
  }

  prometheus::Registry registry_;
  prometheus::Family<prometheus::Counter>& calls_ =
      prometheus::BuildCounter().Name("calls").Register(registry_);
  CallSeries series_{prometheus::BuildHistogram().Name("latency").Register(registry_), calls_};
};

TEST_F(CallSeriesTest, CountsByDatabaseRpcAndCode) {
  using absl::StatusCode;
  series_.Count("main", "Query", StatusCode::kOk, std::chrono::milliseconds(1));
  series_.Count("main", "Query", StatusCode::kOk, std::chrono::milliseconds(1));
  series_.Count("main", "Query", StatusCode::kUnauthenticated, std::chrono::milliseconds(1));
  series_.Count("fire", "Query", StatusCode::kOk, std::chrono::milliseconds(1));
  series_.Count("main", "ExecuteBatch", StatusCode::kOk, std::chrono::milliseconds(1));
  EXPECT_EQ(Counted(), (std::map<std::string, double>{{"main Query OK", 2},
                                                      {"main Query UNAUTHENTICATED", 1},
                                                      {"fire Query OK", 1},
                                                      {"main ExecuteBatch OK", 1}}));
  EXPECT_EQ(Observed(), 5);
}

TEST_F(CallSeriesTest, KeepsItsNamesWhenTheCallersAreGone) {
  for (int i = 0; i < 2; ++i) {
    const std::string database = "a database with a long name";
    series_.Count(database, "Query", absl::StatusCode::kOk, Duration::zero());
  }
  EXPECT_EQ(Counted(),
            (std::map<std::string, double>{{"a database with a long name Query OK", 2}}));
}

TEST_F(CallSeriesTest, CountsACodeThatGrpcDoesNotKnow) {
  series_.Count("main", "Query", static_cast<absl::StatusCode>(99), Duration::zero());
  EXPECT_EQ(Counted().size(), 1);
}

TEST_F(CallSeriesTest, AddsToTheSameSeriesThatOthersMade) {
  calls_.Add({{"database", "main"}, {"rpc", "Query"}, {"code", "OK"}}).Increment();
  series_.Count("main", "Query", absl::StatusCode::kOk, Duration::zero());
  EXPECT_EQ(Counted(), (std::map<std::string, double>{{"main Query OK", 2}}));
}

TEST_F(CallSeriesTest, LosesNoCallOfSeveralThreads) {
  constexpr int kThreads = 4;
  constexpr int kCalls = 1000;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, code = static_cast<absl::StatusCode>(i % 2)] {
      for (int call = 0; call < kCalls; ++call) {
        series_.Count("main", "Query", code, Duration::zero());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  double sum = 0;
  for (const auto& [labels, count] : Counted()) sum += count;
  EXPECT_EQ(sum, kThreads * kCalls);
  EXPECT_EQ(Observed(), kThreads * kCalls);
}

}  // namespace
}  // namespace emsdb
