#include "pool/line.h"

#include <gtest/gtest.h>

namespace emsdb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Instant kStart{std::chrono::hours(1)};

Claim At(Duration arrived, Priority priority = Priority::kOperations) {
  return {.priority = priority, .arrived = kStart + arrived};
}

TEST(Line, IsFirstInFirstOutWithinAClass) {
  Line line;
  const Ticket first = line.Join(At(seconds(0)));
  const Ticket second = line.Join(At(seconds(0)));
  EXPECT_EQ(line.Next(Priority::kReporting), first);
  line.Leave(first);
  EXPECT_EQ(line.Next(Priority::kReporting), second);
}

TEST(Line, LetsAHigherClassGoFirst) {
  Line line;
  line.Join(At(seconds(0), Priority::kReporting));
  line.Join(At(seconds(0), Priority::kOperations));
  line.Join(At(seconds(1), Priority::kClinical));
  const Ticket dispatch = line.Join(At(seconds(2), Priority::kDispatch));
  EXPECT_EQ(line.Next(Priority::kReporting), dispatch);
}

TEST(Line, CountsWaitingSoThatNoClassStarves) {
  Line line;
  const Ticket report = line.Join(At(seconds(0), Priority::kReporting));
  const Ticket early = line.Join(At(3 * Line::kAgeingStep - milliseconds(1), Priority::kDispatch));
  EXPECT_EQ(line.Next(Priority::kReporting), early);
  line.Leave(early);
  line.Join(At(3 * Line::kAgeingStep + milliseconds(1), Priority::kDispatch));
  EXPECT_EQ(line.Next(Priority::kReporting), report);
}

TEST(Line, LooksNoLowerThanItIsAsked) {
  Line line;
  line.Join(At(seconds(0), Priority::kReporting));
  EXPECT_EQ(line.Next(Priority::kOperations), std::nullopt);
}

TEST(Line, ForgetsATicketThatHasLeftAlsoWhenItsPlaceIsUsedAgain) {
  Line line;
  const Ticket gone = line.Join(At(seconds(0)));
  line.Leave(gone);
  const Ticket next = line.Join(At(seconds(0)));
  EXPECT_EQ(next.index, gone.index);
  EXPECT_EQ(line.Find(gone), nullptr);
  EXPECT_NE(line.Find(next), nullptr);
  EXPECT_EQ(line.Find(Ticket{}), nullptr);
}

TEST(Line, LetsOneLeaveFromTheMiddle) {
  Line line;
  const Ticket first = line.Join(At(seconds(0)));
  const Ticket middle = line.Join(At(seconds(0)));
  const Ticket last = line.Join(At(seconds(0)));
  line.Leave(middle);
  line.Leave(first);
  EXPECT_EQ(line.Next(Priority::kReporting), last);
  line.Leave(last);
  EXPECT_EQ(line.Next(Priority::kReporting), std::nullopt);
  EXPECT_EQ(line.size(), 0);
}

TEST(Line, PutsWhoComesBackInFrontOfThoseWhoCameLater) {
  Line line;
  const Ticket handed = line.Join(At(seconds(0)));
  line.Join(At(seconds(1)));
  const Ticket back = line.Rejoin(line.Leave(handed));
  EXPECT_EQ(line.Next(Priority::kReporting), back);
}

// All connections die at once, and two waiters come back, in any order. T29
TEST(Line, KeepsTheOrderOfSeveralWhoComeBack) {
  Line line;
  const Claim first = line.Leave(line.Join(At(seconds(0))));
  const Claim second = line.Leave(line.Join(At(seconds(0))));
  const Claim third = line.Leave(line.Join(At(seconds(0))));
  const Ticket waiting = line.Join(At(seconds(0)));
  const Ticket back2 = line.Rejoin(second);
  const Ticket back1 = line.Rejoin(first);
  const Ticket back3 = line.Rejoin(third);
  for (const Ticket expected : {back1, back2, back3, waiting}) {
    ASSERT_EQ(line.Next(Priority::kReporting), expected);
    line.Leave(expected);
  }
}

TEST(Line, KnowsTheEarliestOfTheWatchedDeadlines) {
  Line line;
  Claim claim = At(seconds(0));
  claim.caller_deadline = kStart + seconds(1);
  line.Join(claim);
  EXPECT_EQ(line.NextDeadline(), kNever) << "nobody watches it";
  claim.caller_deadline = kStart + seconds(3);
  const Ticket later = line.Join(claim);
  claim.caller_deadline = kStart + seconds(2);
  const Ticket sooner = line.Join(claim);
  line.Watch(later);
  line.Watch(sooner);
  line.Watch(sooner);
  EXPECT_EQ(line.NextDeadline(), kStart + seconds(2));
  EXPECT_EQ(line.Overdue(kStart + seconds(1)), std::nullopt);
  EXPECT_EQ(line.Overdue(kStart + seconds(2)), sooner);
  line.Leave(sooner);
  EXPECT_EQ(line.NextDeadline(), kStart + seconds(3));
}

}  // namespace
}  // namespace emsdb
