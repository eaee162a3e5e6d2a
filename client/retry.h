// What may be repeated, and after how long. Pure: no clock, no chance, no call is made here.
#ifndef EMSDB_CLIENT_RETRY_H_
#define EMSDB_CLIENT_RETRY_H_

#include <chrono>
#include <optional>

#include "absl/status/status.h"
#include "client/cancel.h"

namespace emsdb::client {

struct RetryPolicy {
  int max_attempts = 4;  // the first one included; 1 = never repeat
  Duration first_wait = std::chrono::milliseconds(100);
  Duration longest_wait = std::chrono::seconds(2);
};

// What is known about a call before it is made.
enum class Repeat {
  kNever,             // a commit, or a statement in a transaction
  kIfNothingWasSent,  // only where it is proved that nothing was done
  kUnit,              // and where the gateway says that a whole batch was rolled back
  kRead,              // harmless whatever became of it
};

// How long to wait before the call is made again; nothing if it must not or need not be. Only
// UNAVAILABLE is ever repeated, and a batch's ABORTED, which has conflicts in it that the gateway
// could not repeat by itself: never UNKNOWN, since a write may have been done, and never
// RESOURCE_EXHAUSTED, since that would feed the overload. `jitter` in [0, 1) spreads callers that
// failed together; `remaining` is what the deadline leaves.
std::optional<Duration> WaitBeforeRepeat(const absl::Status& status, Repeat repeat,
                                         const RetryPolicy& policy, int attempts_made,
                                         double jitter, Duration remaining);

}  // namespace emsdb::client

#endif  // EMSDB_CLIENT_RETRY_H_
