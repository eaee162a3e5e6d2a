#include "server/batch_course.h"

#include <gtest/gtest.h>

#include <chrono>

#include "pool/errors.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Step = BatchCourse::Step;

constexpr bool kTold = true;
constexpr bool kUntold = false;
const Instant kStart{std::chrono::hours(1)};

absl::Status Conflict(const char* sqlstate = "40001") {
  return WithDetail(absl::AbortedError("conflict"),
                    {.reason = "SQL_ERROR", .sqlstate = sqlstate, .retry = Retry::kYes});
}

absl::Status InDoubt() {
  return WithCommitToken(OutcomeUnknown("the link was lost", Stage::kCommitting), "c1.token");
}

class ABatchCourse : public ::testing::Test {
 protected:
  ABatchCourse() { course.AttemptBegins(); }

  Step After(const absl::Status& status, bool told = kUntold) {
    return course.After(status, told, kStart, 0.5).step;
  }

  BatchCourse course{kStart + seconds(1)};
};

// T15, T16
TEST_F(ABatchCourse, RunsAgainAfterAConflictWithAnother) {
  EXPECT_EQ(After(Conflict("40001")), Step::kRun);
  EXPECT_EQ(After(Conflict("40P01")), Step::kRun);
}

// T46
TEST_F(ABatchCourse, RunsAgainWhereATableWasChangedUnderWhatWasPrepared) {
  EXPECT_EQ(
      After(WithDetail(absl::AbortedError("changed"),
                       {.reason = "PLAN_CHANGED", .sqlstate = "0A000", .retry = Retry::kYes})),
      Step::kRun);
}

TEST_F(ABatchCourse, RunsNothingElseAgain) {
  EXPECT_EQ(After(absl::OkStatus()), Step::kAnswer);
  EXPECT_EQ(After(Conflict("23505")), Step::kAnswer);
  EXPECT_EQ(After(RowsMismatch(0, 1, 0)), Step::kAnswer);
  EXPECT_EQ(After(ConnectionUnavailable("away", Stage::kConnecting)), Step::kAnswer);
  EXPECT_EQ(After(DeadlineExceeded(Stage::kRunning)), Step::kAnswer);
}

// T14: the token that the caller has would call the next attempt rolled back.
TEST_F(ABatchCourse, IsNotRunAgainOnceTheCallerHasAToken) {
  EXPECT_EQ(After(Conflict(), kTold), Step::kAnswer);
  EXPECT_EQ(DetailOf(course.Answer(Conflict())).retry, Retry::kYes);
}

TEST_F(ABatchCourse, WaitsALittleLongerEachTimeAndNeverBeyondTheDeadline) {
  Instant now = kStart;
  Duration last{};
  int runs = 0;
  for (;; ++runs) {
    const auto next = course.After(Conflict(), kUntold, now, 0.5);
    if (next.step != Step::kRun) break;
    EXPECT_LT(next.at, kStart + seconds(1));
    EXPECT_GE(next.at - now, last);
    last = next.at - now;
    now = next.at;
    course.AttemptBegins();
  }
  EXPECT_GT(runs, 4);
  EXPECT_LE(last, milliseconds(250));
  const absl::Status answer = course.Answer(Conflict());
  EXPECT_EQ(answer.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(DetailOf(answer).attempts, runs + 1);
}

TEST_F(ABatchCourse, SpreadsThoseThatMetEachOther) {
  EXPECT_NE(course.After(Conflict(), kUntold, kStart, 0.1).at,
            course.After(Conflict(), kUntold, kStart, 0.9).at);
}

// T14
TEST_F(ABatchCourse, AsksWhatBecameOfACommitUntilItIsTold) {
  EXPECT_EQ(After(InDoubt(), kTold), Step::kAsk);
  EXPECT_TRUE(course.asking());
  EXPECT_EQ(After(ConnectionUnavailable("away", Stage::kConnecting), kTold), Step::kAsk);
  EXPECT_EQ(After(course.Asked(CommitFate::kInProgress), kTold), Step::kAsk);
  const absl::Status found = course.Asked(CommitFate::kCommitted);
  EXPECT_EQ(After(found, kTold), Step::kAnswer);
  EXPECT_EQ(course.Answer(found), absl::OkStatus());
}

TEST_F(ABatchCourse, SaysAbortedOfACommitThatWasFoundRolledBack) {
  EXPECT_EQ(After(InDoubt(), kTold), Step::kAsk);
  const absl::Status found = course.Asked(CommitFate::kRolledBack);
  EXPECT_EQ(After(found, kTold), Step::kAnswer);
  const absl::Status answer = course.Answer(found);
  EXPECT_EQ(answer.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(DetailOf(answer).retry, Retry::kYes);
  EXPECT_EQ(DetailOf(answer).outcome, Outcome::kNothingDone);
}

TEST_F(ABatchCourse, LeavesItUnknownWithItsTokenWhereNobodyCanTell) {
  for (const absl::Status& why :
       {OutcomeForgotten("too long ago"), OutcomeElsewhere(), DeadlineExceeded(Stage::kWaiting),
        Stopped(StopReason::kExpired, Stage::kWaiting),
        Stopped(StopReason::kCallerLeft, Stage::kWaiting)}) {
    BatchCourse fresh(kStart + seconds(1));
    EXPECT_EQ(fresh.After(InDoubt(), kTold, kStart, 0.5).step, Step::kAsk);
    const absl::Status asked = fresh.Asked(why);
    const auto next = fresh.After(asked, kTold, kStart + milliseconds(960), 0.5);
    EXPECT_EQ(next.step, Step::kAnswer) << why;
    const absl::Status answer = fresh.Answer(asked);
    EXPECT_EQ(answer.code(), absl::StatusCode::kUnknown) << answer;
    EXPECT_EQ(DetailOf(answer).commit_token, "c1.token");
  }
}

TEST_F(ABatchCourse, AsksNothingOfACommitThatCannotBeNamed) {
  EXPECT_EQ(After(OutcomeUnknown("lost", Stage::kCommitting)), Step::kAnswer);
}

}  // namespace
}  // namespace emsdb
