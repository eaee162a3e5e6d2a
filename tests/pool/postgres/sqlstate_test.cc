#include "pool/postgres/sqlstate.h"

#include <gtest/gtest.h>

namespace emsdb {
namespace {

using enum absl::StatusCode;

TEST(Sqlstate, SaysWhatEachMeansToACaller) {
  const struct {
    const char* sqlstate;
    absl::StatusCode code;
    Retry retry;
  } cases[] = {
      {"40001", kAborted, Retry::kYes},
      {"40P01", kAborted, Retry::kYes},
      {"25P02", kAborted, Retry::kNo},
      {"25P03", kAborted, Retry::kNo},
      {"23505", kAlreadyExists, Retry::kNo},
      {"23503", kFailedPrecondition, Retry::kNo},
      {"23502", kFailedPrecondition, Retry::kNo},
      {"23514", kFailedPrecondition, Retry::kNo},
      {"25006", kFailedPrecondition, Retry::kNo},
      {"55000", kFailedPrecondition, Retry::kNo},
      {"22P02", kInvalidArgument, Retry::kNo},
      {"22003", kInvalidArgument, Retry::kNo},
      {"42601", kInvalidArgument, Retry::kNo},
      {"42703", kInvalidArgument, Retry::kNo},
      {"08P01", kInvalidArgument, Retry::kNo},
      {"42501", kPermissionDenied, Retry::kNo},
      {"28000", kPermissionDenied, Retry::kNo},
      {"42P01", kNotFound, Retry::kNo},
      {"3D000", kNotFound, Retry::kNo},
      {"53300", kResourceExhausted, Retry::kYes},
      {"53200", kResourceExhausted, Retry::kYes},
      {"53100", kResourceExhausted, Retry::kNo},
      {"02000", kNotFound, Retry::kNo},
      {"0LP01", kInvalidArgument, Retry::kNo},
      {"20000", kFailedPrecondition, Retry::kNo},
      {"24000", kFailedPrecondition, Retry::kNo},
      {"2BP01", kFailedPrecondition, Retry::kNo},
      {"2F005", kFailedPrecondition, Retry::kNo},
      {"HV000", kFailedPrecondition, Retry::kNo},
      {"XX001", kDataLoss, Retry::kNo},
      {"XX002", kDataLoss, Retry::kNo},
      {"57P01", kUnavailable, Retry::kYes},
      {"57P03", kUnavailable, Retry::kYes},
      {"08006", kUnavailable, Retry::kYes},
      {"40003", kUnknown, Retry::kNo},
      {"57014", kAborted, Retry::kYes},
      {"XX000", kInternal, Retry::kNo},
      {"", kInternal, Retry::kNo},
  };
  for (const auto& [sqlstate, code, retry] : cases) {
    EXPECT_EQ(MeaningOf(sqlstate).code, code) << sqlstate;
    EXPECT_EQ(MeaningOf(sqlstate).retry, retry) << sqlstate;
  }
}

// The gateway's own login is the operator's trouble: for a caller the database is not there.
TEST(Sqlstate, CallsADatabaseUnavailableThatRefusesTheGateway) {
  for (const char* sqlstate : {"28P01", "28000", "3D000"}) {
    EXPECT_EQ(ConnectMeaningOf(sqlstate).code, kUnavailable);
    EXPECT_EQ(ConnectMeaningOf(sqlstate).retry, Retry::kNo);
  }
  EXPECT_EQ(ConnectMeaningOf("57P03").retry, Retry::kYes);
  EXPECT_EQ(ConnectMeaningOf("53300").code, kResourceExhausted);
}

}  // namespace
}  // namespace emsdb
