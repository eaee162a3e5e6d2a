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

void ReportRefusal(Gateway& gateway, const char* rpc, const grpc::ServerContextBase& context,
                   const absl::Status& status) {
  gateway.journal.Refused(rpc, gateway.authority.IdentifyForLog(context), status);
}

}  // namespace emsdb
