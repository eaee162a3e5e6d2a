#include "pool/later.h"

#include <utility>

namespace emsdb {

void Later::At(Instant when, Task task) {
  {
    MutexLock lock(mutex_);
    tasks_.emplace(when, std::move(task));
  }
  upkeep_.Nudge(when);
}

Instant Later::Tick(Instant now) {
  std::vector<Task> due;
  Instant next = kNever;
  {
    MutexLock lock(mutex_);
    const auto end = tasks_.upper_bound(now);
    for (auto each = tasks_.begin(); each != end; ++each) due.push_back(std::move(each->second));
    tasks_.erase(tasks_.begin(), end);
    if (!tasks_.empty()) next = tasks_.begin()->first;
  }
  for (Task& task : due) task();
  return next;
}

}  // namespace emsdb
