#include "pool/upkeep.h"

#include <algorithm>

namespace emsdb {

void Upkeep::Add(Due& due) {
  MutexLock lock(mutex_);
  dues_.push_back(&due);
  nudged_ = true;
  changed_.NotifyAll();
}

void Upkeep::Remove(Due& due) {
  MutexLock lock(mutex_);
  while (ticking_) changed_.Wait(mutex_);
  dues_.erase(std::remove(dues_.begin(), dues_.end(), &due), dues_.end());
}

void Upkeep::Nudge(Instant when) {
  if (when >= wakes_at_.load()) return;
  MutexLock lock(mutex_);
  nudged_ = true;
  changed_.NotifyAll();
}

Instant Upkeep::Round() {
  std::vector<Due*> dues;
  {
    MutexLock lock(mutex_);
    nudged_ = false;
    ticking_ = true;
    dues = dues_;
    // Whoever gets a deadline during the round nudges: it may have been asked already.
    wakes_at_.store(kNever);
  }
  Instant next = kNever;
  for (Due* due : dues) next = std::min(next, due->Tick(clock_.Now()));
  MutexLock lock(mutex_);
  ticking_ = false;
  changed_.NotifyAll();
  wakes_at_.store(next);
  return nudged_ ? clock_.Now() : next;
}

bool Upkeep::Wait(Instant next) {
  MutexLock lock(mutex_);
  while (!ended_ && !nudged_ && clock_.Now() < next) clock_.WaitUntil(mutex_, changed_, next);
  return !ended_;
}

void Upkeep::End() {
  MutexLock lock(mutex_);
  ended_ = true;
  changed_.NotifyAll();
}

UpkeepThread::UpkeepThread(Clock& clock)
    : Upkeep(clock), thread_([this] {
        while (Wait(Round())) {
        }
      }) {}

UpkeepThread::~UpkeepThread() {
  End();
  thread_.join();
}

}  // namespace emsdb
