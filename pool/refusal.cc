#include "pool/refusal.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_format.h"
#include "pool/errors.h"

namespace emsdb {
namespace {

constexpr Duration kRetryWhenFull = std::chrono::milliseconds(200);
constexpr Duration kShortestRetry = std::chrono::milliseconds(50);
constexpr std::size_t kLongestStatement = 80;

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

absl::Status Exhausted(const std::string& message, std::string reason) {
  return WithDetail(absl::ResourceExhaustedError(message), {.reason = std::move(reason),
                                                            .stage = Stage::kWaiting,
                                                            .retry = Retry::kYes,
                                                            .retry_after = kRetryWhenFull});
}

std::string LastConnectError(const absl::Status& failure) {
  if (failure.ok()) return "";
  return absl::StrFormat("; last connect error: %s", std::string(failure.message()));
}

// Then waiting for a statement to end was in vain: they are kept between calls.
const char* LeasesAlone(const std::vector<HeldConnection>& held) {
  const bool alone = !held.empty() && std::all_of(held.begin(), held.end(), [](const auto& each) {
    return each.purpose == Purpose::kLease;
  });
  return alone ? "; all of them are kept by leased transactions" : "";
}

absl::Status TimedOut(const RefusalFacts& facts) {
  const double seconds = Seconds(facts.limits.timeout);
  // Nobody holds a connection: what everybody waits for is one to be opened.
  if (facts.counts.leased == 0 && facts.counts.opening > 0) {
    return ConnectionUnavailable(
        absl::StrFormat("no connection could be opened within %.2f s%s", seconds,
                        LastConnectError(facts.last_connect_failure)),
        Stage::kConnecting, DetailOf(facts.last_connect_failure).for_operators);
  }
  return Exhausted(
      absl::StrFormat("QueuePool limit of size %d overflow %d reached, connection timed out, "
                      "timeout %.2f%s%s%s",
                      facts.limits.size, facts.limits.overflow, seconds, Holders(facts.held),
                      LeasesAlone(facts.held), LastConnectError(facts.last_connect_failure)),
      "POOL_TIMEOUT");
}

// With the time of the next attempt, which is the earliest that could go better.
absl::Status Down(const RefusalFacts& facts) {
  absl::Status status =
      facts.last_connect_failure.ok()
          ? ConnectionUnavailable("the database cannot be reached", Stage::kConnecting)
          : AtStage(facts.last_connect_failure, Stage::kConnecting);
  ErrorDetail detail = DetailOf(status);
  if (detail.retry != Retry::kNo) {
    detail.retry_after = std::max(kShortestRetry, facts.next_attempt);
  }
  return WithDetail(std::move(status), detail);
}

}  // namespace

absl::Status WhyRefused(RefusalReason reason, const RefusalFacts& facts) {
  const PoolState::Counts& counts = facts.counts;
  switch (reason) {
    case RefusalReason::kTimedOut:
      return TimedOut(facts);
    case RefusalReason::kDeadline:
      return DeadlineExceeded(counts.leased == 0 && counts.opening > 0 ? Stage::kConnecting
                                                                       : Stage::kWaiting);
    case RefusalReason::kLineFull:
      return Exhausted(
          absl::StrFormat("the line for a connection is full: %d wait, at most %d may; %d of %d "
                          "connections are in use",
                          counts.waiting, facts.limits.max_waiters, counts.leased,
                          facts.limits.limit()),
          "LINE_FULL");
    case RefusalReason::kLeaseLimit:
      return Exhausted(
          absl::StrFormat("leased transactions hold %d of the %d connections that they may hold%s",
                          counts.leases, facts.limits.leased_limit(), Holders(facts.held)),
          "LEASE_LIMIT");
    case RefusalReason::kConnectFailed:
    case RefusalReason::kDown:
      return Down(facts);
    case RefusalReason::kPaused:
      return ConnectionUnavailable(
          absl::StrFormat("the pool is paused by an operator; waited %.2f s",
                          Seconds(facts.limits.timeout)),
          Stage::kWaiting);
    case RefusalReason::kHopeless:
      return Exhausted(
          absl::StrFormat("the deadline would pass in line: %d wait for %d connections",
                          counts.waiting, facts.limits.limit()),
          "HOPELESS");
    case RefusalReason::kShutdown:
      return Stopped(StopReason::kShutdown, Stage::kWaiting);
  }
  return absl::InternalError("a refusal without a reason");
}

std::string Holders(const std::vector<HeldConnection>& held) {
  if (held.empty()) return "";
  const auto name = [](const HeldConnection& each) {
    return each.who.caller.empty() ? std::string("unnamed") : each.who.caller;
  };
  std::map<std::string, int> counts;
  for (const HeldConnection& each : held) ++counts[name(each)];
  std::string text;
  for (const auto& [caller, count] : counts) {
    text += absl::StrFormat("%s%s %d", text.empty() ? "; held by " : ", ", caller, count);
  }
  const auto& longest = *std::max_element(
      held.begin(), held.end(), [](const auto& a, const auto& b) { return a.held < b.held; });
  text += absl::StrFormat("; the longest by %s for %.1f s", name(longest), Seconds(longest.held));
  const std::string& statement = longest.who.statement;
  if (statement.empty()) return text;
  const bool cut = statement.size() > kLongestStatement;
  return absl::StrFormat("%s: %s%s", text, statement.substr(0, kLongestStatement),
                         cut ? "..." : "");
}

}  // namespace emsdb
