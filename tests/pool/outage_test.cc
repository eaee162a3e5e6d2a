#include "pool/outage.h"

#include <gtest/gtest.h>

namespace emsdb {
namespace {

using std::chrono::milliseconds;

constexpr Instant kStart{std::chrono::hours(1)};

TEST(Outage, TakesTheSecondFailureForProof) {
  Outage outage;
  outage.Failed(kStart, OpenFailure::kUnreachable, 0);
  EXPECT_FALSE(outage.down());
  EXPECT_FALSE(outage.cautious());
  outage.Failed(kStart, OpenFailure::kUnreachable, 0);
  EXPECT_TRUE(outage.down());
  EXPECT_EQ(outage.since(), kStart);
}

TEST(Outage, EndsWithAnOpening) {
  Outage outage;
  for (int i = 0; i < 9; ++i) outage.Failed(kStart, OpenFailure::kUnreachable, 0);
  outage.Opened();
  EXPECT_FALSE(outage.down());
  EXPECT_FALSE(outage.cautious());
  outage.Failed(kStart, OpenFailure::kUnreachable, 0);
  EXPECT_FALSE(outage.down()) << "counted from the last success";
}

TEST(Outage, EndsWhenAConnectionComesBackWellButOpeningsStayCautious) {
  Outage outage;
  for (int i = 0; i < 2; ++i) outage.Failed(kStart, OpenFailure::kUnreachable, 3);
  EXPECT_TRUE(outage.down());
  outage.CameBackWell();
  EXPECT_FALSE(outage.down());
  EXPECT_TRUE(outage.cautious());
}

TEST(Outage, IsNoneWhereTheServerIsOnlyFullAndOthersWork) {
  Outage outage;
  for (int i = 0; i < 5; ++i) outage.Failed(kStart, OpenFailure::kServerFull, 1);
  EXPECT_FALSE(outage.down());
  EXPECT_TRUE(outage.cautious());
  outage.Failed(kStart, OpenFailure::kServerFull, 0);
  EXPECT_TRUE(outage.down()) << "nobody is left who could come back";
}

TEST(Outage, TakesSilenceForProofAndTriesAnewAtOnce) {
  Outage outage;
  outage.Silent(kStart);
  EXPECT_TRUE(outage.down());
  EXPECT_TRUE(outage.cautious());
  EXPECT_EQ(outage.next_attempt(), kStart);
  outage.Silent(kStart + milliseconds(1));
  EXPECT_EQ(outage.since(), kStart);
  outage.Opened();
  EXPECT_FALSE(outage.down());
}

TEST(Outage, TriesAgainLaterAndLaterButNeverMoreThanHalfASecond) {
  Outage outage;
  outage.Failed(kStart, OpenFailure::kUnreachable, 0);
  Duration before{};
  for (int i = 0; i < 20; ++i) {
    outage.Failed(kStart, OpenFailure::kUnreachable, 0);
    const Duration pause = outage.next_attempt() - kStart;
    EXPECT_GE(pause, milliseconds(37));
    EXPECT_LE(pause, Outage::kLongestPause);
    if (i < 4) {
      EXPECT_GT(pause, before);
    }
    before = pause;
  }
  EXPECT_GE(before, milliseconds(375));
}

}  // namespace
}  // namespace emsdb
