#include "server/reactors.h"

#include <algorithm>

#include "pool/errors.h"

namespace emsdb {

absl::Status UnaryReactor::Announce(const std::string& token, const Bounds& bounds) {
  {
    MutexLock lock(mutex_);
    if (token_ == Token::kLost) return Stopped(StopReason::kCallerLeft, Stage::kCommitting);
  }
  context_.AddInitialMetadata(kCommitTokenKey, token);
  StartSendInitialMetadata();
  const Instant until = std::min(bounds.deadline, After(clock_.Now(), kAnnouncePatience));
  MutexLock lock(mutex_);
  while (token_ == Token::kOnItsWay && clock_.Now() < until) {
    clock_.WaitUntil(mutex_, changed_, until);
  }
  if (token_ != Token::kLost) return absl::OkStatus();
  return Stopped(StopReason::kCallerLeft, Stage::kCommitting);
}

void UnaryReactor::OnSendInitialMetadataDone(bool ok) {
  MutexLock lock(mutex_);
  if (token_ == Token::kOnItsWay) token_ = ok ? Token::kWritten : Token::kLost;
  changed_.NotifyAll();
}

void UnaryReactor::OnCancel() {
  {
    MutexLock lock(mutex_);
    token_ = Token::kLost;
    changed_.NotifyAll();
  }
  if (call_) call_->Cancel(StopReason::kCallerLeft);
}

Instant DeadlineOf(const grpc::ServerContextBase& context, Clock& clock, Duration unset) {
  using std::chrono::system_clock;
  const Instant now = clock.Now();
  const system_clock::time_point deadline = context.deadline();
  if (deadline == system_clock::time_point::max()) return now + unset;
  const system_clock::time_point wall = system_clock::now();
  // gRPC hands out times beyond what a duration in nanoseconds can hold for "very far".
  if (deadline > wall + kLongestDeadline) return now + kLongestDeadline;
  return now + std::chrono::duration_cast<Duration>(deadline - wall);
}

absl::StatusOr<CallBasics> Admit(const char* rpc, const grpc::ServerContextBase& context,
                                 Gateway& gateway, v1::Priority priority, Duration unset_deadline) {
  CallBasics basics{.rpc = rpc, .database = {}, .caller = {}, .options = {}};
  auto caller = CallerOf(context);
  if (!caller.ok()) return std::move(caller).status();
  const auto wanted = ToPriority(priority);
  if (!wanted.ok()) return wanted.status();
  basics.caller = *std::move(caller);
  basics.options.caller = basics.caller.name;
  basics.options.priority = *wanted;
  basics.options.deadline = DeadlineOf(context, gateway.pools.clock(), unset_deadline);
  return basics;
}

void ReportRefusal(Gateway& gateway, const char* rpc, const grpc::ServerContextBase& context,
                   const absl::Status& status) {
  const auto caller = CallerOf(context);
  gateway.journal.Refused(rpc, caller.ok() ? *caller : Caller{}, status);
}

}  // namespace emsdb
