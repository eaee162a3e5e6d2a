#include "client/outcome.h"

#include <gtest/gtest.h>

#include "client/error_info.h"

namespace emsdb::client {
namespace {

struct Case {
  absl::StatusCode before;
  absl::StatusCode after;
  bool outcome_unknown;
};

// Without the gateway's word on it.
TEST(Outcome, OfACommitTakesItsTokenAlong) {
  for (const absl::StatusCode code :
       {absl::StatusCode::kUnavailable, absl::StatusCode::kDeadlineExceeded}) {
    const absl::Status lost = WithCommitToken(absl::Status(code, "x"), "c1.token");
    EXPECT_EQ(ErrorInfoOf(WithOutcome(lost, Effect::kMayWrite)).commit_token(), "c1.token");
    EXPECT_EQ(ErrorInfoOf(WithOutcome(lost, Effect::kNone)).commit_token(), "");
  }
  EXPECT_EQ(WithCommitToken(absl::OkStatus(), "c1.token"), absl::OkStatus());
}

TEST(Outcome, OfAWriteIsUnknownUnlessTheErrorProvesThatItWasRefused) {
  for (const Case& one : {
           Case{absl::StatusCode::kUnavailable, absl::StatusCode::kUnknown, true},
           Case{absl::StatusCode::kInternal, absl::StatusCode::kUnknown, true},
           Case{absl::StatusCode::kUnknown, absl::StatusCode::kUnknown, true},
           Case{absl::StatusCode::kDeadlineExceeded, absl::StatusCode::kDeadlineExceeded, true},
           Case{absl::StatusCode::kCancelled, absl::StatusCode::kCancelled, true},
           Case{absl::StatusCode::kResourceExhausted, absl::StatusCode::kResourceExhausted, true},
           Case{absl::StatusCode::kDataLoss, absl::StatusCode::kDataLoss, true},
           Case{absl::StatusCode::kUnauthenticated, absl::StatusCode::kUnauthenticated, false},
           Case{absl::StatusCode::kUnimplemented, absl::StatusCode::kUnimplemented, false},
       }) {
    const absl::Status status = WithOutcome(absl::Status(one.before, "x"), Effect::kMayWrite);
    EXPECT_EQ(status.code(), one.after) << status;
    EXPECT_EQ(ErrorInfoOf(status).outcome_unknown(), one.outcome_unknown) << status;
  }
}

TEST(Outcome, OfACallThatCannotWriteIsNotInDoubt) {
  const absl::Status status = WithOutcome(absl::UnavailableError("x"), Effect::kNone);
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_FALSE(ErrorInfoOf(status).outcome_unknown());
}

TEST(Outcome, IsWhatTheGatewaySaysWhereItSaysSomething) {
  const absl::Status said = WithErrorInfo(absl::UnavailableError("away"),
                                          {.reason = "DOWN", .metadata = {{"retryable", "true"}}});
  EXPECT_EQ(WithOutcome(said, Effect::kMayWrite), said);
}

TEST(Outcome, OfACallThatNeverLeftIsKnown) {
  const absl::Status status =
      WithOutcome(GatewayUnreachable("127.0.0.1:1", "refused"), Effect::kMayWrite);
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_FALSE(ErrorInfoOf(status).outcome_unknown());
}

}  // namespace
}  // namespace emsdb::client
