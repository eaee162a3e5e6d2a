#include "server/open_calls.h"

#include "pool/errors.h"

namespace emsdb {

OpenCalls::Entry OpenCalls::Enter() {
  MutexLock lock(mutex_);
  if (refusing_) return {};
  ++open_;
  return Entry(this);
}

absl::Status OpenCalls::ShuttingDown() { return Stopped(StopReason::kShutdown, Stage::kWaiting); }

void OpenCalls::Leave() {
  MutexLock lock(mutex_);
  if (--open_ == 0) changed_.NotifyAll();
}

void OpenCalls::Refuse() {
  MutexLock lock(mutex_);
  refusing_ = true;
}

bool OpenCalls::AwaitNone(Instant deadline) {
  MutexLock lock(mutex_);
  while (open_ > 0) {
    if (clock_.Now() >= deadline) return false;
    clock_.WaitUntil(mutex_, changed_, deadline);
  }
  return true;
}

}  // namespace emsdb
