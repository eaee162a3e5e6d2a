#include "client/cancel.h"

#include <utility>

namespace emsdb::client {

void CancelSource::Cancel() {
  const std::lock_guard lock(mutex_);
  if (cancelled_) return;
  cancelled_ = true;
  // Under the lock, so that an OnCancel that is going away waits until its action has ended.
  for (const auto& [id, action] : actions_) action();
  changed_.notify_all();
}

bool CancelSource::cancelled() const {
  const std::lock_guard lock(mutex_);
  return cancelled_;
}

void CancelSource::WaitUntil(Instant until) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, until, [this] { return cancelled_; });
}

std::uint64_t CancelSource::Add(std::function<void()> action) {
  const std::lock_guard lock(mutex_);
  if (cancelled_) action();
  actions_.emplace(next_id_, std::move(action));
  return next_id_++;
}

void CancelSource::Remove(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  actions_.erase(id);
}

OnCancel::OnCancel(std::shared_ptr<CancelSource> source, std::function<void()> action)
    : source_(std::move(source)) {
  if (source_ != nullptr) id_ = source_->Add(std::move(action));
}

OnCancel::~OnCancel() {
  if (source_ != nullptr) source_->Remove(id_);
}

}  // namespace emsdb::client
