#include "client/cli/bench_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "client/error_info.h"

namespace emsdb::client::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

// Two seconds with four calls of 1, 2, 3 and 4 ms, and three errors.
BenchOutcome SomeCalls() {
  BenchOutcome outcome{.most_under_way = 32, .cpu_seconds = 0.0014};
  for (int i = 1; i <= 4; ++i) outcome.tally.latency.Add(milliseconds(i));
  outcome.tally.calls = 4;
  outcome.tally.rows = 4;
  outcome.tally.begin = Instant(seconds(10));
  outcome.tally.end = Instant(seconds(12));
  outcome.tally.AddError(absl::UnavailableError("gone"), 2);
  outcome.tally.AddError(
      WithErrorInfo(absl::ResourceExhaustedError("QueuePool"), {.reason = "POOL_TIMEOUT"}), 1);
  return outcome;
}

TEST(BenchReport, HasEveryFieldAsJson) {
  EXPECT_EQ(BenchJson({}, SomeCalls()).dump(2), R"({
  "workload": "read",
  "in_flight": 32,
  "rate": null,
  "channels": 1,
  "threads": 1,
  "seconds": 2.0,
  "calls": 4,
  "rows": 4,
  "calls_per_second": 2.0,
  "rows_per_second": 2.0,
  "statements_per_second": 2.0,
  "errors": {
    "RESOURCE_EXHAUSTED POOL_TIMEOUT": 1,
    "UNAVAILABLE": 2
  },
  "latency_us": {
    "mean": 2500.0,
    "p50": 2002.9,
    "p90": 4000.0,
    "p99": 4000.0,
    "p999": 4000.0,
    "max": 4000.0
  },
  "client_cpu_seconds": 0.001
})");
}

TEST(BenchReport, CountsTheStatementsOfACall) {
  EXPECT_EQ(BenchJson({.workload = Workload::kBatch}, SomeCalls())["statements_per_second"], 10.0);
  EXPECT_EQ(BenchJson({.workload = Workload::kTransaction}, SomeCalls())["statements_per_second"],
            6.0);
}

TEST(BenchReport, TellsSlowCallsApart) {
  BenchOutcome outcome = SomeCalls();
  outcome.tally.slow_latency.Add(milliseconds(50));
  const Json json = BenchJson({.workload = Workload::kMix}, outcome);
  EXPECT_EQ(json["slow"]["calls"], 1);
  EXPECT_EQ(json["slow"]["latency_us"]["max"], 50000.0);
  EXPECT_EQ(json["latency_us"]["max"], 4000.0);
}

TEST(BenchReport, HasNoLatencyWhereNothingSucceeded) {
  BenchOutcome outcome;
  outcome.tally.AddError(absl::UnavailableError("gone"), 7);
  EXPECT_TRUE(BenchJson({}, outcome)["latency_us"].is_null());
  EXPECT_EQ(BenchJson({}, outcome)["calls_per_second"], 0);
  EXPECT_THAT(BenchTable({}, outcome), HasSubstr("latency, ms     none\n"));
}

TEST(BenchReport, IsATableForPeople) {
  const std::string table = BenchTable({}, SomeCalls());
  EXPECT_THAT(table, HasSubstr("read: 32 calls under way, 1 connection, 1 thread\n"));
  EXPECT_THAT(table, HasSubstr("calls                  4           2.0 /s\n"));
  EXPECT_THAT(table, HasSubstr("errors                 3\n"));
  EXPECT_THAT(table, HasSubstr("1  RESOURCE_EXHAUSTED POOL_TIMEOUT\n"));
  EXPECT_THAT(table, HasSubstr("2  UNAVAILABLE\n"));
  EXPECT_THAT(table, HasSubstr("200.0 us for a call\n"));
  EXPECT_THAT(table, Not(HasSubstr("slow")));
  EXPECT_THAT(BenchTable({.rate = 2.5, .channels = 4}, SomeCalls()),
              HasSubstr("read: 2.5 calls/s on a schedule, at most 32 under way, 4 connections"));
}

TEST(BenchReport, WarnsOfRowsThatWereNotThere) {
  EXPECT_EQ(BenchWarning({}, SomeCalls()), "");
  EXPECT_THAT(BenchWarning({.workload = Workload::kBatch}, SomeCalls()),
              HasSubstr("16 rows of 20 were not there"));
  EXPECT_EQ(BenchWarning({.workload = Workload::kBatch, .sql = "select 1"}, SomeCalls()), "");
}

TEST(BenchReport, MergesWhatSeveralThreadsHaveCounted) {
  Tally merged = SomeCalls().tally;
  Tally other = SomeCalls().tally;
  other.begin = Instant(seconds(9));
  other.end = Instant(seconds(11));
  merged.Merge(other);
  EXPECT_EQ(merged.calls, 8U);
  EXPECT_EQ(merged.rows, 8U);
  EXPECT_EQ(merged.latency.count(), 8U);
  EXPECT_EQ(merged.error_count(), 6U);
  EXPECT_EQ(merged.errors["UNAVAILABLE"], 4U);
  EXPECT_EQ(merged.elapsed(), seconds(3));
  EXPECT_EQ(merged.first_error.message(), "gone");
}

}  // namespace
}  // namespace emsdb::client::cli
