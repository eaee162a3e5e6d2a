#include "client/error_info.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "emsdb/wire/v1/rpc_status.pb.h"

namespace emsdb::client {
namespace {

constexpr char kPayload[] = "type.googleapis.com/google.rpc.Status";
constexpr char kErrorInfo[] = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr char kRetryInfo[] = "type.googleapis.com/google.rpc.RetryInfo";
constexpr char kBadRequest[] = "type.googleapis.com/google.rpc.BadRequest";
constexpr char kDomain[] = "emsdb.v1";

std::optional<int> ToInt(const std::string& text) {
  int value = 0;
  if (!absl::SimpleAtoi(text, &value)) return std::nullopt;
  return value;
}

template <typename Message>
std::optional<Message> Unpack(const google::protobuf::Any& any, const char* url) {
  Message message;
  if (any.type_url() != url || !message.ParseFromString(any.value())) return std::nullopt;
  return message;
}

template <typename Message>
void Pack(const Message& message, const char* url, wire::v1::RpcStatus& into) {
  google::protobuf::Any& any = *into.add_details();
  any.set_type_url(url);
  any.set_value(message.SerializeAsString());
}

// What is beyond 290 years, which no gateway says but any bytes may, becomes 290 years.
Duration ToDuration(const google::protobuf::Duration& delay) {
  constexpr std::int64_t kMost = std::int64_t{290} * 365 * 24 * 3600;
  return std::chrono::seconds(std::clamp(delay.seconds(), -kMost, kMost)) +
         std::chrono::nanoseconds(delay.nanos());
}

void Read(const google::protobuf::Any& any, ErrorInfo& info) {
  if (const auto error = Unpack<wire::v1::ErrorInfo>(any, kErrorInfo)) {
    if (error->domain() != kDomain) return;
    info.reason = error->reason();
    info.metadata = {error->metadata().begin(), error->metadata().end()};
  } else if (const auto retry = Unpack<wire::v1::RetryInfo>(any, kRetryInfo)) {
    info.retry_after = ToDuration(retry->retry_delay());
  } else if (const auto bad = Unpack<wire::v1::BadRequest>(any, kBadRequest)) {
    for (const auto& one : bad->field_violations()) {
      info.violations.push_back({.field = one.field(), .description = one.description()});
    }
  }
}

wire::v1::RpcStatus Written(const absl::Status& status, const ErrorInfo& info) {
  wire::v1::RpcStatus out;
  out.set_code(static_cast<int>(status.code()));
  out.set_message(std::string(status.message()));
  wire::v1::ErrorInfo error;
  error.set_reason(info.reason);
  error.set_domain(kDomain);
  error.mutable_metadata()->insert(info.metadata.begin(), info.metadata.end());
  Pack(error, kErrorInfo, out);
  if (info.retry_after.has_value()) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(*info.retry_after);
    wire::v1::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(seconds.count());
    retry.mutable_retry_delay()->set_nanos(static_cast<int>((*info.retry_after - seconds).count()));
    Pack(retry, kRetryInfo, out);
  }
  if (!info.violations.empty()) {
    wire::v1::BadRequest bad;
    for (const FieldViolation& one : info.violations) {
      auto& violation = *bad.add_field_violations();
      violation.set_field(one.field);
      violation.set_description(one.description);
    }
    Pack(bad, kBadRequest, out);
  }
  return out;
}

}  // namespace

std::string ErrorInfo::Get(const std::string& key) const {
  const auto found = metadata.find(key);
  return found == metadata.end() ? std::string() : found->second;
}

int ErrorInfo::position() const { return ToInt(Get("position")).value_or(0); }

std::optional<int> ErrorInfo::statement() const { return ToInt(Get("statement")); }

std::int64_t ErrorInfo::row() const {
  std::int64_t row = 0;
  return absl::SimpleAtoi(Get("row"), &row) ? row : 0;
}

std::optional<bool> ErrorInfo::retryable() const {
  const std::string said = Get("retryable");
  if (said == "true") return true;
  if (said == "false") return false;
  return std::nullopt;
}

ErrorInfo ErrorInfoOf(const absl::Status& status) {
  ErrorInfo info;
  wire::v1::RpcStatus parsed;
  if (parsed.ParseFromString(WireDetails(status))) {
    for (const google::protobuf::Any& any : parsed.details()) Read(any, info);
  }
  return info;
}

absl::Status WithErrorInfo(absl::Status status, const ErrorInfo& info) {
  status.SetPayload(kPayload, absl::Cord(Written(status, info).SerializeAsString()));
  return status;
}

absl::Status StatusFromWire(absl::StatusCode code, const std::string& message,
                            const std::string& details) {
  absl::Status status(code, message);
  if (!status.ok() && !details.empty()) status.SetPayload(kPayload, absl::Cord(details));
  return status;
}

std::string WireDetails(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayload);
  return payload.has_value() ? std::string(*payload) : std::string();
}

}  // namespace emsdb::client
