#include "client/call_runner.h"

#include <algorithm>
#include <random>

#include "client/error_info.h"

namespace emsdb::client {
namespace {

double Jitter() {
  thread_local std::minstd_rand engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
}

// Beyond this a deadline is as good as none, and sums of times do not overflow.
constexpr Duration kLongestDeadline = std::chrono::hours(24);

}  // namespace

CallContext CallRunner::ContextFor(const CallOptions& options) const {
  const Duration wait = std::min(options.deadline.value_or(default_deadline_), kLongestDeadline);
  return {.deadline = clock_.Now() + wait, .cancel = options.cancel};
}

absl::Status CallRunner::CheckBeforeSending(const CallContext& context) const {
  if (context.cancel != nullptr && context.cancel->cancelled()) {
    return WithErrorInfo(absl::CancelledError("cancelled; nothing was sent"),
                         {.reason = "CANCELLED"});
  }
  if (clock_.Now() >= context.deadline) {
    return WithErrorInfo(absl::DeadlineExceededError("the deadline had passed; nothing was sent"),
                         {.reason = "DEADLINE"});
  }
  return absl::OkStatus();
}

bool CallRunner::WaitToRepeat(const absl::Status& status, Repeat repeat, int made,
                              const CallContext& context) const {
  const Instant now = clock_.Now();
  const auto wait =
      WaitBeforeRepeat(status, repeat, retry_, made, Jitter(), context.deadline - now);
  if (!wait.has_value()) return false;
  clock_.WaitUntil(now + *wait, context.cancel.get());
  return true;
}

}  // namespace emsdb::client
