#include "client/retry.h"

#include <gtest/gtest.h>

#include "client/error_info.h"

namespace emsdb::client {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

absl::Status With(absl::StatusCode code, ErrorInfo info) {
  return WithErrorInfo(absl::Status(code, "x"), info);
}

const absl::Status& NothingSent() {
  static const auto& status = *new absl::Status(
      With(absl::StatusCode::kUnavailable, {.reason = "R", .metadata = {{"retryable", "true"}}}));
  return status;
}

bool Repeats(const absl::Status& status, Repeat repeat) {
  return WaitBeforeRepeat(status, repeat, {}, 1, 0.5, hours(1)).has_value();
}

TEST(Retry, RepeatsWhatWasNotSent) {
  EXPECT_TRUE(Repeats(NothingSent(), Repeat::kIfNothingWasSent));
  EXPECT_TRUE(Repeats(NothingSent(), Repeat::kRead));
}

TEST(Retry, NeverRepeatsACommit) { EXPECT_FALSE(Repeats(NothingSent(), Repeat::kNever)); }

// T17
TEST(Retry, RepeatsALostConnectionForReadsOnly) {
  EXPECT_FALSE(Repeats(absl::UnavailableError("Socket closed"), Repeat::kIfNothingWasSent));
  EXPECT_TRUE(Repeats(absl::UnavailableError("Socket closed"), Repeat::kRead));
}

TEST(Retry, BelievesTheGatewayWhenItSaysNo) {
  EXPECT_FALSE(Repeats(
      With(absl::StatusCode::kUnavailable, {.reason = "R", .metadata = {{"retryable", "false"}}}),
      Repeat::kRead));
}

// T15, T16
TEST(Retry, RepeatsABatchThatWasRolledBackWhereTheGatewaySaysSo) {
  const auto aborted = [](const char* retryable) {
    return With(absl::StatusCode::kAborted,
                {.reason = "SQL_ERROR", .metadata = {{"retryable", retryable}}});
  };
  EXPECT_TRUE(Repeats(aborted("true"), Repeat::kUnit));
  EXPECT_FALSE(Repeats(aborted("false"), Repeat::kUnit));
  EXPECT_FALSE(Repeats(absl::AbortedError("x"), Repeat::kUnit));
  EXPECT_FALSE(Repeats(aborted("true"), Repeat::kIfNothingWasSent));
  EXPECT_TRUE(Repeats(NothingSent(), Repeat::kUnit));
  EXPECT_FALSE(Repeats(absl::UnavailableError("Socket closed"), Repeat::kUnit));
}

// T14
TEST(Retry, NeverRepeatsOtherCodesEvenWhereTheyCallThemselvesRetryable) {
  for (const absl::StatusCode code :
       {absl::StatusCode::kUnknown, absl::StatusCode::kAborted,
        absl::StatusCode::kResourceExhausted, absl::StatusCode::kDeadlineExceeded,
        absl::StatusCode::kInternal, absl::StatusCode::kCancelled}) {
    EXPECT_FALSE(
        Repeats(With(code, {.reason = "R", .metadata = {{"retryable", "true"}}}), Repeat::kRead))
        << static_cast<int>(code);
  }
}

TEST(Retry, WaitsLongerEachTimeUpToItsLimit) {
  const RetryPolicy policy{
      .max_attempts = 100, .first_wait = milliseconds(100), .longest_wait = milliseconds(300)};
  const auto wait = [&](int made) {
    return WaitBeforeRepeat(NothingSent(), Repeat::kRead, policy, made, 1.0, hours(1));
  };
  EXPECT_EQ(wait(1), milliseconds(100));
  EXPECT_EQ(wait(2), milliseconds(200));
  EXPECT_EQ(wait(3), milliseconds(300));
  EXPECT_EQ(wait(99), milliseconds(300));
}

TEST(Retry, SpreadsCallersOverHalfOfTheWait) {
  EXPECT_EQ(WaitBeforeRepeat(NothingSent(), Repeat::kRead, {}, 1, 0.0, hours(1)), milliseconds(50));
}

TEST(Retry, WaitsAtLeastAsLongAsTheGatewayAsks) {
  const absl::Status status =
      With(absl::StatusCode::kUnavailable,
           {.reason = "R", .metadata = {{"retryable", "true"}}, .retry_after = seconds(5)});
  EXPECT_EQ(WaitBeforeRepeat(status, Repeat::kRead, {}, 1, 0.5, hours(1)), seconds(5));
}

TEST(Retry, GivesUpRatherThanWaitPastTheDeadline) {
  EXPECT_EQ(WaitBeforeRepeat(NothingSent(), Repeat::kRead, {}, 1, 1.0, milliseconds(100)),
            std::nullopt);
}

TEST(Retry, GivesUpAfterItsLastAttempt) {
  EXPECT_EQ(WaitBeforeRepeat(NothingSent(), Repeat::kRead, {.max_attempts = 3}, 3, 0.5, hours(1)),
            std::nullopt);
}

}  // namespace
}  // namespace emsdb::client
