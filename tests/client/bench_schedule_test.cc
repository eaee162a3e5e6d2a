#include "client/cli/bench_schedule.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <vector>

namespace emsdb::client::cli {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Instant kStart{std::chrono::hours(1000)};

Instant At(Duration after) { return kStart + after; }

StartCall Started(const NextStep& step) {
  const auto* call = std::get_if<StartCall>(&step);
  EXPECT_NE(call, nullptr);
  return call == nullptr ? StartCall{} : *call;
}

bool IsOver(const NextStep& step) { return std::holds_alternative<NoMoreCalls>(step); }

TEST(ClosedSchedule, CountsFromTheWarmUpToTheEnd) {
  ClosedSchedule schedule({kStart, seconds(1), seconds(10)});
  EXPECT_EQ(Started(schedule.Next(At(milliseconds(0)))).counting, Counting::kWarmUp);
  EXPECT_EQ(Started(schedule.Next(At(milliseconds(999)))).counting, Counting::kWarmUp);
  const StartCall first = Started(schedule.Next(At(seconds(1))));
  EXPECT_EQ(first.counting, Counting::kMeasured);
  EXPECT_EQ(first.from, At(seconds(1)));
  EXPECT_EQ(Started(schedule.Next(At(milliseconds(10'999)))).counting, Counting::kMeasured);
  EXPECT_TRUE(IsOver(schedule.Next(At(seconds(11)))));
  EXPECT_TRUE(IsOver(schedule.Next(At(seconds(100)))));
}

TEST(ClosedSchedule, MeasuresForAsLongEvenIfACallOfTheWarmUpLastsLonger) {
  ClosedSchedule schedule({kStart, seconds(1), seconds(10)});
  EXPECT_EQ(Started(schedule.Next(kStart)).counting, Counting::kWarmUp);
  EXPECT_EQ(Started(schedule.Next(At(seconds(20)))).counting, Counting::kMeasured);
  EXPECT_EQ(Started(schedule.Next(At(seconds(29)))).counting, Counting::kMeasured);
  EXPECT_TRUE(IsOver(schedule.Next(At(seconds(30)))));
}

TEST(OpenSchedule, BeginsCallsWhenTheyAreDue) {
  OpenSchedule schedule({kStart, seconds(0), seconds(1)}, 1000, seconds(5), {});
  EXPECT_EQ(Started(schedule.Next(kStart)).from, kStart);
  const NextStep early = schedule.Next(At(microseconds(300)));
  ASSERT_TRUE(std::holds_alternative<WaitUntil>(early));
  EXPECT_EQ(std::get<WaitUntil>(early).until, At(milliseconds(1)));
  EXPECT_EQ(Started(schedule.Next(At(milliseconds(1)))).from, At(milliseconds(1)));
}

// Or a server that stands still for a second would seem slow to one call only.
TEST(OpenSchedule, TimesCallsFromWhenTheyWereDueHoweverLateTheyBegin) {
  OpenSchedule schedule({kStart, seconds(0), seconds(10)}, 100, seconds(5), {});
  EXPECT_EQ(Started(schedule.Next(kStart)).from, kStart);
  const Instant late = At(seconds(1));
  for (int i = 1; i <= 100; ++i) {
    EXPECT_EQ(Started(schedule.Next(late)).from, At(milliseconds(10) * i)) << i;
  }
  EXPECT_TRUE(std::holds_alternative<WaitUntil>(schedule.Next(late)));
}

TEST(OpenSchedule, CountsCallsByWhenTheyWereDue) {
  OpenSchedule schedule({kStart, seconds(1), seconds(1)}, 10, seconds(5), {});
  const Instant late = At(milliseconds(1950));
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Started(schedule.Next(late)).counting, Counting::kWarmUp) << i;
  }
  for (int i = 10; i < 20; ++i) {
    EXPECT_EQ(Started(schedule.Next(late)).counting, Counting::kMeasured) << i;
  }
  EXPECT_TRUE(IsOver(schedule.Next(late)));
  EXPECT_EQ(schedule.never_begun(), 0U);
}

TEST(OpenSchedule, GivesUpWhatCouldNotBeBegunAndTellsHowMuch) {
  OpenSchedule schedule({kStart, seconds(1), seconds(1)}, 10, seconds(5), {});
  for (int i = 0; i < 13; ++i) Started(schedule.Next(At(milliseconds(1900))));
  EXPECT_FALSE(schedule.IsOver(At(milliseconds(6999))));
  EXPECT_TRUE(IsOver(schedule.Next(At(seconds(7)))));
  EXPECT_EQ(schedule.never_begun(), 7U);
}

TEST(OpenSchedule, TellsOfNoCallsOfTheWarmUpThatTheyWereNeverBegun) {
  const OpenSchedule schedule({kStart, seconds(1), seconds(1)}, 10, seconds(5), {});
  EXPECT_EQ(schedule.never_begun(), 10U);
}

TEST(OpenSchedule, GivesEachThreadEverySoManyth) {
  const Times times{kStart, seconds(0), seconds(1)};
  OpenSchedule second(times, 1000, seconds(5), {.index = 1, .of = 4});
  EXPECT_EQ(Started(second.Next(At(seconds(1)))).from, At(milliseconds(1)));
  EXPECT_EQ(Started(second.Next(At(seconds(1)))).from, At(milliseconds(5)));
  EXPECT_EQ(second.never_begun(), 248U);
}

class AnyRate : public ::testing::TestWithParam<std::uint32_t> {};

struct Played {
  std::uint64_t measured = 0;
  std::uint64_t never_begun = 0;
};

// A client that is kept busy by something else now and then.
Played Play(OpenSchedule schedule, const Times& times, Duration longest, std::mt19937_64& random) {
  Played played;
  Instant now = kStart;
  Instant last = kStart - seconds(1);
  while (true) {
    const NextStep step = schedule.Next(now);
    if (IsOver(step)) break;
    if (const auto* call = std::get_if<StartCall>(&step)) {
      EXPECT_GT(call->from, last);
      EXPECT_LE(call->from, now);
      last = call->from;
      const bool counts = call->from >= kStart + times.warm_up;
      EXPECT_EQ(call->counting, counts ? Counting::kMeasured : Counting::kWarmUp);
      played.measured += counts ? 1 : 0;
    }
    if (const auto* wait = std::get_if<WaitUntil>(&step)) {
      EXPECT_GT(wait->until, now);
      now = wait->until;
    }
    now += Duration(static_cast<std::int64_t>(random() % longest.count()));
  }
  played.never_begun = schedule.never_begun();
  return played;
}

// Every call that was due is begun once, in order, or is told of as never begun; by one thread or
// by several together.
TEST_P(AnyRate, LosesNoCall) {
  std::mt19937_64 random(GetParam());
  const double rate = std::uniform_real_distribution<double>(1, 3000)(random);
  const Times times{kStart, milliseconds(random() % 500), milliseconds(1 + random() % 2000)};
  const Duration patience = milliseconds(random() % 1000);
  const Duration longest = microseconds(GetParam() % 3 == 0 ? 5000 : 500);
  const int threads = 1 + static_cast<int>(GetParam() % 4);
  std::uint64_t all = 0;
  for (int i = 0; i < threads; ++i) {
    const Played played = Play(OpenSchedule(times, rate, patience, {.index = i, .of = threads}),
                               times, longest, random);
    all += played.measured + played.never_begun;
  }
  const double due = rate * std::chrono::duration<double>(times.measured).count();
  EXPECT_NEAR(static_cast<double>(all), due, 1.01);
}

INSTANTIATE_TEST_SUITE_P(OpenSchedule, AnyRate, ::testing::Range(1U, 61U));

}  // namespace
}  // namespace emsdb::client::cli
