#include "client/cli/bench_workload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>

namespace emsdb::client::cli {
namespace {

using std::chrono::milliseconds;
using ::testing::Each;
using ::testing::HasSubstr;

std::int64_t KeyIn(const v1::QueryRequest& request) {
  return request.statement().parameters(0).int64_value();
}

std::vector<std::int64_t> Keys(std::uint64_t seed, std::int64_t keys, int count) {
  BenchRandom random(seed);
  v1::QueryRequest request = ReadRequest({});
  std::vector<std::int64_t> chosen;
  for (int i = 0; i < count; ++i) {
    ChooseKeys(keys, random, request);
    chosen.push_back(KeyIn(request));
  }
  return chosen;
}

TEST(BenchWorkload, ChoosesEveryKeyAndNoOther) {
  const auto chosen = Keys(7, 50, 5000);
  EXPECT_EQ(std::set<std::int64_t>(chosen.begin(), chosen.end()).size(), 50U);
  EXPECT_THAT(chosen, Each(::testing::AllOf(::testing::Ge(1), ::testing::Le(50))));
  EXPECT_THAT(Keys(1, 1, 100), Each(1));
  EXPECT_THAT(Keys(1, std::int64_t{1} << 32, 100), ::testing::Contains(::testing::Gt(1 << 30)));
}

TEST(BenchWorkload, ChoosesTheSameKeysForTheSameSeed) {
  EXPECT_EQ(Keys(3, 10'000, 100), Keys(3, 10'000, 100));
  EXPECT_NE(Keys(3, 10'000, 100), Keys(4, 10'000, 100));
}

TEST(BenchWorkload, ReadsAreReadOnlyAndWritesAreNot) {
  EXPECT_TRUE(ReadRequest({}).read_only());
  EXPECT_TRUE(BatchRequest({}).options().read_only());
  EXPECT_EQ(BatchRequest({}).statements_size(), 5);
  EXPECT_TRUE(StreamRequest({}, Dialect::kPostgres).read_only());
  EXPECT_FALSE(WriteRequest({}).read_only());
  // The operator's own statement may be a write.
  EXPECT_FALSE(BatchRequest({.sql = "delete from t"}).options().read_only());
}

TEST(BenchWorkload, TakesAStatementInPlaceOfItsOwn) {
  v1::QueryRequest request = ReadRequest({.sql = "select now()"});
  EXPECT_EQ(request.statement().sql(), "select now()");
  EXPECT_EQ(request.statement().parameters_size(), 0);
  BenchRandom random(1);
  ChooseKeys(10, random, request);
  EXPECT_EQ(request.statement().parameters_size(), 0);
  EXPECT_EQ(ReadRequest({.sql = "select $1::int8"}).statement().parameters_size(), 1);
}

TEST(BenchWorkload, ATransactionBeginsWithItsFirstStatementAndCommitsWithItsLast) {
  TransactionRequests requests = MakeTransactionRequests({.database = "fire"});
  EXPECT_TRUE(requests[0].transaction().has_begin());
  EXPECT_FALSE(requests[0].commit());
  EXPECT_FALSE(requests[1].commit());
  EXPECT_TRUE(requests[2].commit());
  BenchRandom random(5);
  for (int i = 0; i < 100; ++i) {
    ChooseKeys(10'000, random, requests);
    EXPECT_LE(KeyIn(requests[1]), KeyIn(requests[2]));  // two of them cannot wait for each other
    for (const v1::QueryRequest& one : requests) EXPECT_EQ(one.database(), "fire");
  }
}

TEST(BenchWorkload, StreamsAsManyRowsAsAskedForOnBothEngines) {
  for (const Dialect dialect : {Dialect::kPostgres, Dialect::kSqlite}) {
    const v1::StreamQueryRequest request = StreamRequest({.rows = 12}, dialect);
    EXPECT_EQ(request.statement().parameters(0).int64_value(), 12);
  }
  EXPECT_THAT(StreamRequest({}, Dialect::kPostgres).statement().sql(),
              HasSubstr("generate_series(1, $1)"));
}

TEST(BenchWorkload, SleepsForMilliseconds) {
  EXPECT_EQ(SlowRequest({.slow_ms = 12.5}).statement().sql(), "select pg_sleep(0.0125)");
}

// The cost of a call grows with the number of distinct deadlines on a connection.
TEST(BenchWorkload, SpreadsDeadlinesOverTheWholeRangeInAFewSteps) {
  const DeadlineChoice choice({milliseconds(1000), milliseconds(5000)});
  BenchRandom random(1);
  std::set<Duration> chosen;
  for (int i = 0; i < 2000; ++i) chosen.insert(choice.Choose(random));
  EXPECT_EQ(*chosen.begin(), milliseconds(1000));
  EXPECT_EQ(*chosen.rbegin(), milliseconds(5000));
  EXPECT_EQ(chosen.size(), DeadlineChoice::kSteps);
  const DeadlineChoice one({milliseconds(7), milliseconds(7)});
  EXPECT_EQ(one.Choose(random), milliseconds(7));
}

TEST(BenchOptions, OneDeadlineAloneTakesTheOtherAlong) {
  const auto range = [](const BenchCommand& command) {
    const DeadlineRange deadlines = Deadlines(command);
    return std::pair<Duration, Duration>(deadlines.min, deadlines.max);
  };
  using Range = std::pair<Duration, Duration>;
  EXPECT_EQ(range({}), Range(milliseconds(1000), milliseconds(5000)));
  EXPECT_EQ(range({.deadline_min_ms = 9000}), Range(milliseconds(9000), milliseconds(9000)));
  EXPECT_EQ(range({.deadline_max_ms = 20}), Range(milliseconds(20), milliseconds(20)));
  EXPECT_EQ(range({.workload = Workload::kStream}),
            Range(milliseconds(300'000), milliseconds(300'000)));
  EXPECT_EQ(CheckBench({.deadline_min_ms = 3, .deadline_max_ms = 2}),
            "--deadline-min-ms: must not be greater than --deadline-max-ms");
}

}  // namespace
}  // namespace emsdb::client::cli
