#include "pool/postgres/commit_fate.h"

#include <gtest/gtest.h>

#include "pool/errors.h"

namespace emsdb {
namespace {

using Status = NumberStatus;

constexpr ServerIdentity kServer{.system = 7, .incarnation = 100, .timeline = 2};
constexpr ServerIdentity kAfterACrash{.system = 7, .incarnation = 200, .timeline = 2};
constexpr ServerIdentity kAfterAFailOver{.system = 7, .incarnation = 300, .timeline = 3};
constexpr ServerIdentity kIsolated{.system = 7, .incarnation = 50, .timeline = 1};
constexpr ServerIdentity kFollower{.system = 7, .incarnation = 60, .timeline = 0};
constexpr ServerIdentity kAnother{.system = 8, .incarnation = 100, .timeline = 2};

absl::StatusOr<CommitFate> Fate(const ServerIdentity& server, Status status) {
  return FateOf({.transaction = 41, .server = kServer}, server, status);
}

void ExpectForgotten(const ServerIdentity& server, Status status) {
  const auto fate = Fate(server, status);
  EXPECT_EQ(fate.status().code(), absl::StatusCode::kNotFound) << fate.status();
  EXPECT_EQ(DetailOf(fate.status()).reason, "OUTCOME_FORGOTTEN");
}

TEST(CommitFate, IsTheServersWordAsLongAsItHasNotCrashed) {
  EXPECT_EQ(*Fate(kServer, Status::kCommitted), CommitFate::kCommitted);
  EXPECT_EQ(*Fate(kServer, Status::kAborted), CommitFate::kRolledBack);
  EXPECT_EQ(*Fate(kServer, Status::kInProgress), CommitFate::kInProgress);
  ExpectForgotten(kServer, Status::kForgotten);
}

TEST(CommitFate, IsNeverARollBackForANumberThatTheSameServerHasNotGivenOutYet) {
  ExpectForgotten(kServer, Status::kFuture);
}

// T14: a number whose log was lost in a crash is given out again.
TEST(CommitFate, IsNeverACommitByANumberThatMayStandForALaterTransaction) {
  ExpectForgotten(kAfterACrash, Status::kCommitted);
  ExpectForgotten(kAfterAFailOver, Status::kCommitted);
  ExpectForgotten(kFollower, Status::kCommitted);
}

TEST(CommitFate, IsARollBackWhenWhatSurvivedACrashDoesNotHaveIt) {
  EXPECT_EQ(*Fate(kAfterACrash, Status::kAborted), CommitFate::kRolledBack);
  EXPECT_EQ(*Fate(kAfterACrash, Status::kFuture), CommitFate::kRolledBack);
  EXPECT_EQ(*Fate(kAfterAFailOver, Status::kAborted), CommitFate::kRolledBack);
  EXPECT_EQ(*Fate(kAfterACrash, Status::kInProgress), CommitFate::kInProgress);
  ExpectForgotten(kAfterAFailOver, Status::kFuture);
}

TEST(CommitFate, IsNotToldByAServerThatMayLackWhatThePresentOneHas) {
  for (const ServerIdentity& server : {kIsolated, kFollower}) {
    ExpectForgotten(server, Status::kAborted);
    ExpectForgotten(server, Status::kFuture);
    ExpectForgotten(server, Status::kCommitted);
  }
}

TEST(CommitFate, IsNotForAnotherServerToSay) {
  for (const ServerIdentity& server : {kAnother, ServerIdentity{}}) {
    const auto fate = Fate(server, Status::kCommitted);
    EXPECT_EQ(fate.status().code(), absl::StatusCode::kFailedPrecondition) << fate.status();
    EXPECT_EQ(DetailOf(fate.status()).reason, "OUTCOME_ELSEWHERE");
  }
}

TEST(CommitFate, ReadsTheServersWords) {
  EXPECT_EQ(NumberStatusOf("committed"), Status::kCommitted);
  EXPECT_EQ(NumberStatusOf("aborted"), Status::kAborted);
  EXPECT_EQ(NumberStatusOf("in progress"), Status::kInProgress);
  EXPECT_EQ(NumberStatusOf(""), Status::kForgotten);
}

}  // namespace
}  // namespace emsdb
