#include "client/retry.h"

#include <algorithm>

#include "client/error_info.h"

namespace emsdb::client {
namespace {

bool MayRepeat(const absl::Status& status, const ErrorInfo& info, Repeat repeat) {
  if (absl::IsAborted(status)) return repeat == Repeat::kUnit && info.retryable() == true;
  if (!absl::IsUnavailable(status) || repeat == Repeat::kNever) return false;
  if (info.retryable().has_value()) return *info.retryable();
  return repeat == Repeat::kRead;
}

Duration BackOff(const RetryPolicy& policy, int attempts_made, double jitter) {
  Duration wait = policy.first_wait;
  for (int i = 1; i < attempts_made && wait < policy.longest_wait; ++i) wait *= 2;
  wait = std::min(wait, policy.longest_wait);
  return std::chrono::duration_cast<Duration>(wait * (0.5 + 0.5 * jitter));
}

}  // namespace

std::optional<Duration> WaitBeforeRepeat(const absl::Status& status, Repeat repeat,
                                         const RetryPolicy& policy, int attempts_made,
                                         double jitter, Duration remaining) {
  if (attempts_made >= policy.max_attempts) return std::nullopt;
  const ErrorInfo info = ErrorInfoOf(status);
  if (!MayRepeat(status, info, repeat)) return std::nullopt;
  const Duration wait =
      std::max(BackOff(policy, attempts_made, jitter), info.retry_after.value_or(Duration::zero()));
  // To wait for the deadline only to fail with it would hide the real cause.
  if (wait >= remaining) return std::nullopt;
  return wait;
}

}  // namespace emsdb::client
