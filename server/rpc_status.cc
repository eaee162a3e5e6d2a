#include "server/rpc_status.h"

#include <google/protobuf/util/time_util.h>

#include <string>
#include <string_view>

#include "emsdb/wire/v1/rpc_status.pb.h"
#include "pool/errors.h"
#include "pool/utf8.h"

namespace emsdb {
namespace {

constexpr char kDomain[] = "emsdb.v1";
// gRPC refuses metadata of more than 8 KiB, and the whole status with it. There the message takes
// up to three times its bytes (percent-encoding), and once more inside the details, which take four
// thirds of theirs (base64).
constexpr std::size_t kLongestMessage = 700;
constexpr std::size_t kLongestText = 160;

template <typename Message>
void Attach(wire::v1::RpcStatus& status, const char* name, const Message& message) {
  auto* detail = status.add_details();
  detail->set_type_url(std::string("type.googleapis.com/google.rpc.") + name);
  detail->set_value(message.SerializeAsString());
}

wire::v1::ErrorInfo Info(const ErrorDetail& detail, Duration elapsed) {
  wire::v1::ErrorInfo info;
  info.set_reason(detail.reason);
  info.set_domain(kDomain);
  auto& metadata = *info.mutable_metadata();
  const auto put = [&](const char* key, std::string_view value) {
    if (!value.empty()) metadata[key] = Shortened(value, kLongestText);
  };
  put("sqlstate", detail.sqlstate);
  put("constraint", detail.constraint);
  put("schema", detail.schema);
  put("table", detail.table);
  put("column", detail.column);
  put("hint", detail.hint);
  put("detail", detail.server_detail);
  put("stage", StageName(detail.stage));
  if (detail.position > 0) put("position", std::to_string(detail.position));
  if (detail.statement >= 0) put("statement", std::to_string(detail.statement));
  if (detail.row > 0) put("row", std::to_string(detail.row));
  put("retryable", detail.retry == Retry::kYes ? "true" : "false");
  if (detail.outcome == Outcome::kUnknown) put("outcome", "unknown");
  if (detail.attempts > 0) put("attempts", std::to_string(detail.attempts));
  // Half a token would be none.
  if (!detail.commit_token.empty()) metadata["commit_token"] = detail.commit_token;
  put("elapsed_ms",
      std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count()));
  return info;
}

}  // namespace

grpc::Status ToRpcStatus(const absl::Status& status, Duration elapsed) {
  if (status.ok()) return grpc::Status::OK;
  const ErrorDetail detail = DetailOf(status);
  const std::string message = Shortened(std::string(status.message()), kLongestMessage);
  wire::v1::RpcStatus rich;
  rich.set_code(static_cast<int>(status.code()));
  rich.set_message(message);
  Attach(rich, "ErrorInfo", Info(detail, elapsed));
  if (detail.retry_after) {
    wire::v1::RetryInfo retry;
    *retry.mutable_retry_delay() =
        google::protobuf::util::TimeUtil::NanosecondsToDuration(detail.retry_after->count());
    Attach(rich, "RetryInfo", retry);
  }
  if (!detail.field.empty()) {
    wire::v1::BadRequest bad;
    auto* violation = bad.add_field_violations();
    violation->set_field(detail.field);
    // The message names the field first; here it has a place of its own.
    const std::string prefix = detail.field + ": ";
    const bool prefixed = message.compare(0, prefix.size(), prefix) == 0;
    violation->set_description(prefixed ? message.substr(prefix.size()) : message);
    Attach(rich, "BadRequest", bad);
  }
  return {static_cast<grpc::StatusCode>(status.code()), message, rich.SerializeAsString()};
}

void ToTransactError(const absl::Status& status, Duration elapsed, v1::TransactError& error) {
  const ErrorDetail detail = DetailOf(status);
  wire::v1::ErrorInfo info = Info(detail, elapsed);
  error.set_code(static_cast<int>(status.code()));
  error.set_message(Shortened(std::string(status.message()), kLongestMessage));
  error.set_reason(detail.reason);
  error.mutable_metadata()->swap(*info.mutable_metadata());
}

}  // namespace emsdb
