#include "tests/support/fake_clock.h"

#include <algorithm>
#include <cassert>

namespace emsdb {

FakeClock::~FakeClock() {
  MutexLock lock(mutex_);
  assert(waiters_.empty());
}

Instant FakeClock::Now() const {
  MutexLock lock(mutex_);
  return now_;
}

void FakeClock::WaitUntil(Mutex& mutex, CondVar& changed, Instant deadline) {
  std::list<Waiter>::iterator self;
  {
    MutexLock lock(mutex_);
    if (deadline <= now_) return;
    self = waiters_.insert(waiters_.end(), {mutex, changed, deadline});
    waiters_changed_.NotifyAll();
  }
  // Advance signals with `mutex` held, so that its signal cannot fall between the lines above and
  // this wait.
  changed.Wait(mutex);
  // Advance may want `mutex` just now: let it, before leaving.
  mutex.Unlock();
  {
    MutexLock lock(mutex_);
    while (self->visited) waiters_changed_.Wait(mutex_);
    waiters_.erase(self);
  }
  mutex.Lock();
}

std::list<FakeClock::Waiter*> FakeClock::Wake(Instant now) {
  std::list<Waiter*> due;
  for (Waiter& waiter : waiters_) {
    if (waiter.woken || waiter.deadline > now) continue;
    waiter.woken = true;
    waiter.visited = true;
    due.push_back(&waiter);
  }
  return due;
}

void FakeClock::Advance(Duration step) {
  std::list<Waiter*> due;
  {
    MutexLock lock(mutex_);
    now_ = After(now_, step);
    due = Wake(now_);
  }
  for (Waiter* waiter : due) {
    {
      MutexLock held(waiter->mutex);
      waiter->changed.NotifyAll();
    }
    MutexLock lock(mutex_);
    waiter->visited = false;
    waiters_changed_.NotifyAll();
  }
}

int FakeClock::Waiting() const {
  return static_cast<int>(std::count_if(waiters_.begin(), waiters_.end(),
                                        [](const Waiter& waiter) { return !waiter.woken; }));
}

void FakeClock::AwaitWaiters(int count) {
  MutexLock lock(mutex_);
  while (Waiting() < count) waiters_changed_.Wait(mutex_);
}

Instant FakeClock::NextDeadline() const {
  MutexLock lock(mutex_);
  Instant next = kNever;
  for (const Waiter& waiter : waiters_) {
    if (!waiter.woken) next = std::min(next, waiter.deadline);
  }
  return next;
}

}  // namespace emsdb
