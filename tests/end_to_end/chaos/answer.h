// What a caller may believe after a call, read from its status and details alone, as the protocol
// tells every client to.
#ifndef EMSDB_TESTS_END_TO_END_CHAOS_ANSWER_H_
#define EMSDB_TESTS_END_TO_END_CHAOS_ANSWER_H_

#include <grpcpp/support/status.h>

#include <optional>
#include <string>

#include "client/error_info.h"
#include "pool/clock.h"

namespace emsdb::chaos {

enum class Fate {
  kDone,
  kNothingDone,  // the gateway's own word for it
  kUnknown       // the gateway says that it does not know, or gRPC answered in its place
};

struct Answer {
  grpc::StatusCode code = grpc::StatusCode::OK;
  std::string message;
  Fate fate = Fate::kDone;
  std::string reason;  // the gateway's, "" if the answer is gRPC's
  std::string stage;
  std::optional<Duration> retry_after;
};

Answer ToAnswer(const grpc::Status& status);

// "UNAVAILABLE CONNECTION_UNAVAILABLE connecting", for sums by kind.
std::string KindOf(const Answer& answer);

}  // namespace emsdb::chaos

#endif  // EMSDB_TESTS_END_TO_END_CHAOS_ANSWER_H_
