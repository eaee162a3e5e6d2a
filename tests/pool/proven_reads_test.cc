// Which texts may be served in groups, and for how long each may run there.
#include "pool/proven_reads.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace emsdb {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr char kRead[] = "select name from units where id = $1";

class ProvenReadsOfOneText : public ::testing::Test {
 protected:
  std::optional<Duration> Limit() { return reads_->LimitOf(key_, kRead, Access::kReadWrite); }
  void RunAlone(int times, Duration took, bool harmless = true) {
    for (int i = 0; i < times; ++i) {
      Limit();
      reads_->RanAlone(key_, took, harmless);
    }
  }

  const std::unique_ptr<ProvenReads> reads_ = std::make_unique<ProvenReads>();
  const ProvenReads::Key key_ = ProvenReads::KeyOf(kRead, Access::kReadWrite);
};

TEST_F(ProvenReadsOfOneText, IsProvedByRunsAlone) {
  EXPECT_FALSE(Limit());
  RunAlone(ProvenReads::kProofs - 1, microseconds(100));
  EXPECT_FALSE(Limit());
  RunAlone(1, microseconds(100));
  EXPECT_EQ(Limit(), ProvenReads::kLimits.front());
}

TEST_F(ProvenReadsOfOneText, HasTheFirstTimeLimitThatIsAFewTimesWhatItUsuallyTakes) {
  RunAlone(ProvenReads::kProofs, milliseconds(4));
  EXPECT_EQ(Limit(), milliseconds(20));
  for (int i = 0; i < 1000; ++i) reads_->RanInGroup(key_, microseconds(50));
  EXPECT_EQ(Limit(), ProvenReads::kLimits.front());
}

TEST_F(ProvenReadsOfOneText, HasNeverMoreThanTheLastTimeLimit) {
  RunAlone(ProvenReads::kProofs, milliseconds(12));
  EXPECT_EQ(Limit(), ProvenReads::kLimits.back());
}

TEST_F(ProvenReadsOfOneText, IsNotProvedWhileItIsSlow) {
  RunAlone(10, milliseconds(40));
  EXPECT_FALSE(Limit());
  RunAlone(200, microseconds(100));
  EXPECT_TRUE(Limit());
}

TEST_F(ProvenReadsOfOneText, IsNotDisprovedByOneSlowRun) {
  RunAlone(100, microseconds(100));
  RunAlone(1, milliseconds(40));
  EXPECT_TRUE(Limit());
}

TEST_F(ProvenReadsOfOneText, RunsAloneForLongAfterItMetItsBounds) {
  RunAlone(ProvenReads::kProofs, microseconds(100));
  ASSERT_TRUE(Limit());
  reads_->FailedInGroup(key_);
  RunAlone(ProvenReads::kPenalty, microseconds(100));
  EXPECT_FALSE(Limit());
  RunAlone(ProvenReads::kProofs, microseconds(100));
  EXPECT_TRUE(Limit());
}

TEST_F(ProvenReadsOfOneText, IsDisprovedByWhatItLeavesBehind) {
  RunAlone(ProvenReads::kProofs, microseconds(100));
  RunAlone(1, microseconds(100), false);
  RunAlone(ProvenReads::kProofs, microseconds(100));
  EXPECT_FALSE(Limit());
}

TEST(ProvenReads, AreNoWritesAndNoCallsOfFunctionsUnlessDeclaredToRead) {
  ProvenReads reads;
  const auto proved = [&](const std::string& sql, Access access) {
    const ProvenReads::Key key = ProvenReads::KeyOf(sql, access);
    for (int i = 0; i < 10; ++i) {
      reads.LimitOf(key, sql, access);
      reads.RanAlone(key, microseconds(10), true);
    }
    return reads.LimitOf(key, sql, access).has_value();
  };
  EXPECT_TRUE(proved("select 1", Access::kReadWrite));
  EXPECT_FALSE(proved("update units set name = 'x'", Access::kReadWrite));
  EXPECT_FALSE(proved("select f(1)", Access::kReadWrite));
  EXPECT_TRUE(proved("select f(1)", Access::kReadOnly));
  EXPECT_FALSE(proved("select 1 for update", Access::kReadOnly));
}

TEST(ProvenReads, ForgetTheLeastRecentlyUsed) {
  const auto reads = std::make_unique<ProvenReads>();
  const auto prove = [&](const std::string& sql) {
    const ProvenReads::Key key = ProvenReads::KeyOf(sql, Access::kReadWrite);
    for (int i = 0; i < ProvenReads::kProofs; ++i) {
      reads->LimitOf(key, sql, Access::kReadWrite);
      reads->RanAlone(key, microseconds(10), true);
    }
    return key;
  };
  const ProvenReads::Key often = prove(kRead);
  for (int i = 0; i < 100'000; ++i) {
    prove("select " + std::to_string(i));
    ASSERT_TRUE(reads->LimitOf(often, kRead, Access::kReadWrite)) << i;
  }
}

TEST(ProvenBatches, AreProvedAsAWholeAndShareTheirLimit) {
  const auto reads = std::make_unique<ProvenReads>();
  std::vector<GuardedStatement> batch(4, {{.sql = kRead}, std::nullopt});
  const ProvenReads::Key key = ProvenReads::KeyOf(batch);
  for (int i = 0; i < ProvenReads::kProofs; ++i) {
    EXPECT_FALSE(reads->LimitOf(key, batch));
    reads->RanAlone(key, milliseconds(12), true);
  }
  EXPECT_EQ(reads->LimitOf(key, batch), milliseconds(10));  // of 50, four statements
  const std::span<const GuardedStatement> pair = std::span(batch).first(2);
  for (int i = 0; i < ProvenReads::kProofs; ++i) {
    EXPECT_FALSE(reads->LimitOf(ProvenReads::KeyOf(pair), pair));
    reads->RanAlone(ProvenReads::KeyOf(pair), milliseconds(12), true);
  }
  EXPECT_EQ(reads->LimitOf(ProvenReads::KeyOf(pair), pair), milliseconds(20));
  for (int i = 0; i < 1000; ++i) reads->RanInGroup(key, microseconds(50));
  EXPECT_EQ(reads->LimitOf(key, batch), ProvenReads::kLimits.front());
  // Its statement is not, nor is a batch with one more of it.
  EXPECT_FALSE(
      reads->LimitOf(ProvenReads::KeyOf(kRead, Access::kReadOnly), kRead, Access::kReadOnly));
  batch.push_back(batch.front());
  EXPECT_FALSE(reads->LimitOf(ProvenReads::KeyOf(batch), batch));
}

TEST(ProvenBatches, AreNoneWhereAFunctionIsCalledOrSomethingWritten) {
  for (const char* other : {"select note('x')", "update units set name = 'x'"}) {
    const auto reads = std::make_unique<ProvenReads>();
    const std::vector<GuardedStatement> batch = {{{.sql = kRead}, std::nullopt},
                                                 {{.sql = other}, std::nullopt}};
    const ProvenReads::Key key = ProvenReads::KeyOf(batch);
    for (int i = 0; i < 2 * ProvenReads::kProofs; ++i) {
      EXPECT_FALSE(reads->LimitOf(key, batch)) << other;
      reads->RanAlone(key, microseconds(100), true);
    }
  }
}

}  // namespace
}  // namespace emsdb
