#include "client/error_info.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "emsdb/wire/v1/rpc_status.pb.h"

namespace emsdb::client {
namespace {

using ::testing::ElementsAre;

TEST(ErrorInfo, SurvivesTheWire) {
  const ErrorInfo info{
      .reason = "SQL_ERROR",
      .metadata = {{"sqlstate", "42703"},
                   {"position", "8"},
                   {"statement", "2"},
                   {"retryable", "false"}},
      .retry_after = std::chrono::milliseconds(1500),
      .violations = {{.field = "statement.sql", .description = "must not be empty"}}};
  const absl::Status sent = WithErrorInfo(absl::InvalidArgumentError("no such column"), info);
  const ErrorInfo got = ErrorInfoOf(
      StatusFromWire(absl::StatusCode::kInvalidArgument, "no such column", WireDetails(sent)));
  EXPECT_EQ(got.reason, "SQL_ERROR");
  EXPECT_EQ(got.sqlstate(), "42703");
  EXPECT_EQ(got.position(), 8);
  EXPECT_EQ(got.statement(), 2);
  EXPECT_EQ(got.retryable(), false);
  EXPECT_EQ(got.retry_after, std::chrono::milliseconds(1500));
  EXPECT_THAT(got.violations, ElementsAre(info.violations[0]));
}

TEST(ErrorInfo, IsEmptyWithoutDetails) {
  const ErrorInfo info = ErrorInfoOf(absl::InternalError("x"));
  EXPECT_EQ(info.reason, "");
  EXPECT_EQ(info.position(), 0);
  EXPECT_EQ(info.retryable(), std::nullopt);
}

TEST(ErrorInfo, IsEmptyWhereTheDetailsAreNoMessage) {
  EXPECT_EQ(ErrorInfoOf(StatusFromWire(absl::StatusCode::kInternal, "x", "\xff\xff\xff")).reason,
            "");
}

TEST(ErrorInfo, DoesNotBelieveWhatAProxySaysAboutRepeating) {
  wire::v1::ErrorInfo foreign;
  foreign.set_domain("proxy.example");
  foreign.set_reason("UPSTREAM_GONE");
  (*foreign.mutable_metadata())["retryable"] = "true";
  wire::v1::RpcStatus status;
  auto& any = *status.add_details();
  any.set_type_url("type.googleapis.com/google.rpc.ErrorInfo");
  any.set_value(foreign.SerializeAsString());
  const ErrorInfo info =
      ErrorInfoOf(StatusFromWire(absl::StatusCode::kUnavailable, "x", status.SerializeAsString()));
  EXPECT_EQ(info.reason, "");
  EXPECT_EQ(info.retryable(), std::nullopt);
}

TEST(ErrorInfo, TakesAPositionThatIsNoNumberForUnknown) {
  const ErrorInfo info{.metadata = {{"position", "here"}}};
  EXPECT_EQ(info.position(), 0);
}

TEST(ErrorInfo, BearsADelayThatNoClockCouldCount) {
  wire::v1::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(std::numeric_limits<std::int64_t>::max());
  retry.mutable_retry_delay()->set_nanos(std::numeric_limits<std::int32_t>::max());
  wire::v1::RpcStatus sent;
  google::protobuf::Any& any = *sent.add_details();
  any.set_type_url("type.googleapis.com/google.rpc.RetryInfo");
  any.set_value(retry.SerializeAsString());
  const ErrorInfo info = ErrorInfoOf(
      StatusFromWire(absl::StatusCode::kUnavailable, "later", sent.SerializeAsString()));
  EXPECT_GT(info.retry_after, std::chrono::hours(24 * 365 * 289));
}

}  // namespace
}  // namespace emsdb::client
