#include "server/stream_cutter.h"

#include <chrono>

namespace emsdb {

void StreamCutter::CutAfter(Duration patience) {
  {
    MutexLock lock(target_->mutex);
    target_->context = &context_;
  }
  const auto when = std::chrono::system_clock::now() +
                    std::chrono::duration_cast<std::chrono::system_clock::duration>(patience);
  alarm_.Set(when, [target = target_](bool due) {
    MutexLock lock(target->mutex);
    if (due && target->context != nullptr) target->context->TryCancel();
  });
}

void StreamCutter::Forget() {
  MutexLock lock(target_->mutex);
  target_->context = nullptr;
}

}  // namespace emsdb
