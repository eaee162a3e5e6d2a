#include "server/rpc_status.h"

#include <gtest/gtest.h>

#include "emsdb/wire/v1/rpc_status.pb.h"
#include "pool/errors.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;

wire::v1::RpcStatus Details(const grpc::Status& status) {
  wire::v1::RpcStatus details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  return details;
}

template <typename Message>
Message Detail(const grpc::Status& status, const std::string& name) {
  Message message;
  const wire::v1::RpcStatus details = Details(status);
  for (const auto& any : details.details()) {
    if (any.type_url() == "type.googleapis.com/google.rpc." + name) {
      EXPECT_TRUE(message.ParseFromString(any.value()));
      return message;
    }
  }
  ADD_FAILURE() << "no " << name;
  return message;
}

TEST(RpcStatus, LeavesOkAlone) {
  const grpc::Status status = ToRpcStatus(absl::OkStatus(), milliseconds(1));
  EXPECT_TRUE(status.ok());
  EXPECT_TRUE(status.error_details().empty());
}

TEST(RpcStatus, TellsEverythingThatIsKnown) {
  const absl::Status refused =
      WithDetail(absl::AlreadyExistsError("duplicate key"), {.reason = "SQL_ERROR",
                                                             .sqlstate = "23505",
                                                             .constraint = "units_pkey",
                                                             .table = "units",
                                                             .position = 7,
                                                             .statement = 2,
                                                             .stage = Stage::kRunning,
                                                             .retry = Retry::kNo});
  const grpc::Status status = ToRpcStatus(refused, milliseconds(12));
  EXPECT_EQ(status.error_code(), grpc::ALREADY_EXISTS);
  EXPECT_EQ(Details(status).code(), 6);
  const auto info = Detail<wire::v1::ErrorInfo>(status, "ErrorInfo");
  EXPECT_EQ(info.reason(), "SQL_ERROR");
  EXPECT_EQ(info.domain(), "emsdb.v1");
  const std::map<std::string, std::string> metadata(info.metadata().begin(), info.metadata().end());
  EXPECT_EQ(metadata, (std::map<std::string, std::string>{{"sqlstate", "23505"},
                                                          {"constraint", "units_pkey"},
                                                          {"table", "units"},
                                                          {"position", "7"},
                                                          {"statement", "2"},
                                                          {"stage", "running"},
                                                          {"retryable", "false"},
                                                          {"elapsed_ms", "12"}}));
}

// T68
TEST(RpcStatus, ShowsAServersDetailWhereTheDriverWasAllowedToReadIt) {
  const absl::Status refused = WithDetail(absl::AlreadyExistsError("duplicate key"),
                                          {.server_detail = "Key (id)=(7) already exists."});
  const auto info = Detail<wire::v1::ErrorInfo>(ToRpcStatus(refused, {}), "ErrorInfo");
  EXPECT_EQ(info.metadata().at("detail"), "Key (id)=(7) already exists.");
}

// T68
TEST(RpcStatus, NeverHasWhatIsForOperators) {
  const absl::Status status =
      ConnectionUnavailable("no connection", Stage::kConnecting, "host db7, login app");
  const grpc::Status sent = ToRpcStatus(status, {});
  v1::TransactError inside;
  ToTransactError(status, {}, inside);
  for (const std::string& text :
       {sent.error_message(), sent.error_details(), inside.SerializeAsString()}) {
    EXPECT_EQ(text.find("db7"), std::string::npos);
    EXPECT_EQ(text.find("app"), std::string::npos);
  }
}

TEST(RpcStatus, SaysWhenToTryAgain) {
  const grpc::Status status =
      ToRpcStatus(ConnectionUnavailable("nobody answers", Stage::kConnecting), milliseconds(1));
  const auto retry = Detail<wire::v1::RetryInfo>(status, "RetryInfo");
  EXPECT_EQ(retry.retry_delay().nanos(), 500000000);
  EXPECT_EQ(Detail<wire::v1::ErrorInfo>(status, "ErrorInfo").metadata().at("retryable"), "true");
}

TEST(RpcStatus, NamesTheFieldOnceInItsPlace) {
  const grpc::Status status = ToRpcStatus(InvalidField("max_rows", "too many"), milliseconds(0));
  EXPECT_EQ(status.error_message(), "max_rows: too many");
  const auto bad = Detail<wire::v1::BadRequest>(status, "BadRequest");
  ASSERT_EQ(bad.field_violations_size(), 1);
  EXPECT_EQ(bad.field_violations(0).field(), "max_rows");
  EXPECT_EQ(bad.field_violations(0).description(), "too many");
}

// T14
TEST(RpcStatus, SaysWhenNobodyKnowsTheOutcome) {
  const grpc::Status status =
      ToRpcStatus(OutcomeUnknown("gone", Stage::kCommitting), milliseconds(1));
  EXPECT_EQ(status.error_code(), grpc::UNKNOWN);
  const auto info = Detail<wire::v1::ErrorInfo>(status, "ErrorInfo");
  EXPECT_EQ(info.reason(), "COMMIT_IN_DOUBT");
  EXPECT_EQ(info.metadata().at("outcome"), "unknown");
  EXPECT_EQ(info.metadata().at("retryable"), "false");
}

// Metadata of more than 8 KiB is refused by peers, and the whole error with it.
TEST(RpcStatus, KeepsWithinWhatHeadersMayCarry) {
  std::string long_text;
  while (long_text.size() < 20000) long_text += "ä";
  const grpc::Status status =
      ToRpcStatus(WithDetail(absl::InvalidArgumentError(long_text), {.reason = "SQL_ERROR",
                                                                     .constraint = long_text,
                                                                     .schema = long_text,
                                                                     .table = long_text,
                                                                     .column = long_text,
                                                                     .hint = long_text,
                                                                     .server_detail = long_text,
                                                                     .field = "statement.sql"}),
                  milliseconds(1));
  const std::size_t encoded =
      3 * status.error_message().size() + status.error_details().size() * 4 / 3;
  EXPECT_LT(encoded, 7U << 10);
}

}  // namespace
}  // namespace emsdb
