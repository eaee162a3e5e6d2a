#include "tests/end_to_end/chaos/answer.h"

#include <array>

#include "absl/strings/str_format.h"

namespace emsdb::chaos {

Answer ToAnswer(const grpc::Status& status) {
  Answer answer{.code = status.error_code(), .message = status.error_message()};
  if (status.ok()) return answer;
  const client::ErrorInfo info =
      client::ErrorInfoOf(client::StatusFromWire(static_cast<absl::StatusCode>(status.error_code()),
                                                 status.error_message(), status.error_details()));
  answer.reason = info.reason;
  answer.stage = info.Get("stage");
  answer.retry_after = info.retry_after;
  const bool known = !info.reason.empty() && !info.outcome_unknown();
  answer.fate = known ? Fate::kNothingDone : Fate::kUnknown;
  return answer;
}

std::string KindOf(const Answer& answer) {
  constexpr std::array kNames = {"OK",
                                 "CANCELLED",
                                 "UNKNOWN",
                                 "INVALID_ARGUMENT",
                                 "DEADLINE_EXCEEDED",
                                 "NOT_FOUND",
                                 "ALREADY_EXISTS",
                                 "PERMISSION_DENIED",
                                 "RESOURCE_EXHAUSTED",
                                 "FAILED_PRECONDITION",
                                 "ABORTED",
                                 "OUT_OF_RANGE",
                                 "UNIMPLEMENTED",
                                 "INTERNAL",
                                 "UNAVAILABLE",
                                 "DATA_LOSS",
                                 "UNAUTHENTICATED"};
  const char* name = kNames.at(static_cast<std::size_t>(answer.code));
  if (answer.code == grpc::StatusCode::OK) return name;
  if (answer.reason.empty()) return absl::StrFormat("%s by gRPC", name);
  return absl::StrFormat("%s %s %s", name, answer.reason, answer.stage);
}

}  // namespace emsdb::chaos
