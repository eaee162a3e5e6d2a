#include "tests/end_to_end/transfer/call.h"

#include "client/error_info.h"

namespace emsdb::transfer {

const char* NameOf(Fate fate) {
  switch (fate) {
    case Fate::kDone:
      return "done";
    case Fate::kNothing:
      return "nothing done";
    case Fate::kUnknown:
      return "unknown";
    case Fate::kNoAnswer:
      break;
  }
  return "no answer";
}

Fate Answer::fate() const {
  if (status.ok()) return Fate::kDone;
  const client::ErrorInfo info = client::ErrorInfoOf(status);
  if (info.reason.empty()) return Fate::kNoAnswer;
  return info.outcome_unknown() ? Fate::kUnknown : Fate::kNothing;
}

Answer AnswerFrom(const grpc::Status& status, const grpc::ClientContext& context) {
  Answer answer{client::StatusFromWire(static_cast<absl::StatusCode>(status.error_code()),
                                       status.error_message(), status.error_details())};
  const auto& metadata = context.GetServerInitialMetadata();
  const auto token = metadata.find("emsdb-commit-token");
  if (token != metadata.end()) answer.token.assign(token->second.data(), token->second.size());
  return answer;
}

Departure::Departure(grpc::ClientContext& context, const Patience& patience) {
  if (!patience.leaves_after) return;
  const client::Instant at = std::chrono::steady_clock::now() + *patience.leaves_after;
  leaving_ = std::thread([this, &context, at] {
    stays_.WaitUntil(at);
    if (!stays_.cancelled()) context.TryCancel();
  });
}

Departure::~Departure() {
  stays_.Cancel();
  if (leaving_.joinable()) leaving_.join();
}

}  // namespace emsdb::transfer
