#include "pool/stop_signal.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace emsdb {

StopSignal::StopSignal() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

StopSignal::~StopSignal() { close(fd_); }

void StopSignal::Raise(StopReason reason) {
  MutexLock lock(mutex_);
  if (raised() != StopReason::kNone) return;
  reason_.store(reason, std::memory_order_release);
  const std::uint64_t one = 1;
  // An eventfd takes this write at any time short of 2^64 - 1 raises.
  [[maybe_unused]] const ssize_t written = write(fd_, &one, sizeof one);
}

void StopSignal::Clear() {
  if (raised() == StopReason::kNone) return;
  MutexLock lock(mutex_);
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(fd_, &count, sizeof count);
  reason_.store(StopReason::kNone, std::memory_order_release);
}

}  // namespace emsdb
