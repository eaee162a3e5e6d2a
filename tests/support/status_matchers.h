// Matchers for absl::Status and absl::StatusOr, with the details that pool/errors.h attaches.
#ifndef EMSDB_TESTS_SUPPORT_STATUS_MATCHERS_H_
#define EMSDB_TESTS_SUPPORT_STATUS_MATCHERS_H_

#include <gmock/gmock.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pool/errors.h"

namespace emsdb {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

// EXPECT_THAT(connection.Ping(bounds), IsOk());
MATCHER(IsOk, negation ? "is not OK" : "is OK") {
  *result_listener << "which is " << StatusOf(arg).ToString();
  return StatusOf(arg).ok();
}

// EXPECT_THAT(status, StatusIs(absl::StatusCode::kAborted));
MATCHER_P(StatusIs, code,
          std::string(negation ? "has not the code " : "has the code ") +
              absl::StatusCodeToString(code)) {
  *result_listener << "which is " << StatusOf(arg).ToString();
  return StatusOf(arg).code() == code;
}

// EXPECT_THAT(status, HasMessage(HasSubstr("units")));
MATCHER_P(HasMessage, message,
          "has a message that " + ::testing::DescribeMatcher<std::string>(
                                      ::testing::SafeMatcherCast<std::string>(message), negation)) {
  const std::string text(StatusOf(arg).message());
  *result_listener << "which is " << StatusOf(arg).ToString();
  return ::testing::SafeMatcherCast<std::string>(message).Matches(text);
}

// EXPECT_THAT(status, HasReason("SQL_ERROR"));
MATCHER_P(HasReason, reason,
          std::string(negation ? "has not the reason " : "has the reason ") + std::string(reason)) {
  *result_listener << "which is " << StatusOf(arg).ToString();
  return DetailOf(StatusOf(arg)).reason == reason;
}

// EXPECT_THAT(status, HasDetail(Field(&ErrorDetail::table, "units")));
MATCHER_P(HasDetail, detail,
          "has a detail that " + ::testing::DescribeMatcher<ErrorDetail>(
                                     ::testing::SafeMatcherCast<ErrorDetail>(detail), negation)) {
  *result_listener << "which is " << StatusOf(arg).ToString() << ", ";
  return ::testing::ExplainMatchResult(detail, DetailOf(StatusOf(arg)), result_listener);
}

}  // namespace emsdb

#endif  // EMSDB_TESTS_SUPPORT_STATUS_MATCHERS_H_
