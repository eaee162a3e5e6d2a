#include "pool/errors.h"

#include <gtest/gtest.h>

namespace emsdb {
namespace {

TEST(Errors, CarryEveryDetailAlong) {
  const ErrorDetail detail = {.reason = "SQL_ERROR",
                              .sqlstate = "23505",
                              .constraint = "units_pkey",
                              .schema = "public",
                              .table = "units",
                              .column = "id",
                              .hint = "h",
                              .position = 7,
                              .statement = 0,
                              .field = "f",
                              .stage = Stage::kRunning,
                              .retry = Retry::kNo,
                              .outcome = Outcome::kUnknown,
                              .retry_after = std::chrono::milliseconds(3)};
  EXPECT_EQ(DetailOf(WithDetail(absl::InternalError("x"), detail)), detail);
}

TEST(Errors, KnowNothingOfAPlainStatus) {
  EXPECT_EQ(DetailOf(absl::InternalError("x")), ErrorDetail{});
  EXPECT_EQ(DetailOf(absl::OkStatus()), ErrorDetail{});
}

TEST(Errors, KeepTheInnermostStage) {
  const absl::Status inner = DeadlineExceeded(Stage::kConnecting);
  EXPECT_EQ(DetailOf(AtStage(inner, Stage::kWaiting)).stage, Stage::kConnecting);
  EXPECT_EQ(DetailOf(AtStage(absl::InternalError("x"), Stage::kWaiting)).stage, Stage::kWaiting);
}

TEST(Errors, ReplaceEarlierDetailsWhole) {
  absl::Status status = WithDetail(absl::InternalError("x"), {.reason = "A", .position = 3});
  status = WithDetail(status, {.reason = "B"});
  EXPECT_EQ(DetailOf(status), ErrorDetail{.reason = "B"});
}

// T14, T17
TEST(Errors, NeverCallADoubtfulWriteRetryable) {
  for (const Stage stage : {Stage::kRunning, Stage::kCommitting}) {
    const absl::Status status = OutcomeUnknown("gone", stage);
    EXPECT_EQ(status.code(), absl::StatusCode::kUnknown);
    EXPECT_EQ(DetailOf(status).retry, Retry::kNo);
    EXPECT_EQ(DetailOf(status).outcome, Outcome::kUnknown);
  }
}

TEST(Errors, NameTheStageThatUsedUpTheDeadline) {
  EXPECT_EQ(DeadlineExceeded(Stage::kWaiting).message(), "the deadline passed while waiting");
}

}  // namespace
}  // namespace emsdb
