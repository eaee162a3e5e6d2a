#include "client/outcome.h"

#include <map>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "client/error_info.h"

namespace emsdb::client {
namespace {

bool LinkWasLost(absl::StatusCode code) {
  return code == absl::StatusCode::kUnavailable || code == absl::StatusCode::kInternal ||
         code == absl::StatusCode::kUnknown;
}

// Made on this side, or by a gateway that was cut short: the answer did not come.
bool AnswerIsMissing(absl::StatusCode code) {
  return code == absl::StatusCode::kDeadlineExceeded || code == absl::StatusCode::kCancelled ||
         code == absl::StatusCode::kResourceExhausted || code == absl::StatusCode::kDataLoss;
}

constexpr char kTokenPayload[] = "emsdb/commit_token";

std::map<std::string, std::string> InDoubt(const absl::Status& status) {
  std::map<std::string, std::string> metadata = {{"outcome", "unknown"}};
  const auto token = status.GetPayload(kTokenPayload);
  if (token.has_value()) metadata["commit_token"] = std::string(*token);
  return metadata;
}

}  // namespace

absl::Status GatewayUnreachable(const std::string& address, const std::string& cause) {
  return WithErrorInfo(
      absl::UnavailableError(absl::StrCat("cannot reach the gateway at ", address, ": ", cause)),
      {.reason = kGatewayUnreachable,
       .metadata = {{"stage", "connecting"}, {"retryable", "true"}}});
}

absl::Status WithCommitToken(absl::Status status, const std::string& token) {
  if (!status.ok() && !token.empty()) status.SetPayload(kTokenPayload, absl::Cord(token));
  return status;
}

absl::Status WithOutcome(absl::Status status, Effect effect) {
  if (status.ok() || effect == Effect::kNone) return status;
  if (!ErrorInfoOf(status).reason.empty()) return status;
  const absl::StatusCode code = status.code();
  std::map<std::string, std::string> metadata = InDoubt(status);
  if (LinkWasLost(code)) {
    metadata["retryable"] = "false";
    return WithErrorInfo(
        absl::UnknownError(absl::StrCat(
            "the connection to the gateway was lost after the call was sent; it may or may not "
            "have been done: ",
            std::string(status.message()))),
        {.reason = kGatewayLost, .metadata = std::move(metadata)});
  }
  if (!AnswerIsMissing(code)) return status;
  return WithErrorInfo(std::move(status), {.reason = kNoAnswer, .metadata = std::move(metadata)});
}

}  // namespace emsdb::client
