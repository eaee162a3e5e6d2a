#include "server/reachability.h"

#include <utility>

#include "pool/errors.h"
#include "server/inquiry.h"

namespace emsdb {
namespace {

constexpr Duration kWhileReachable = std::chrono::seconds(5);
constexpr Duration kWhileAway = std::chrono::milliseconds(500);

// A busy pool says nothing about the database behind it, unless nobody gives a connection back for
// so many questions in a row, though these go ahead of every caller.
constexpr int kMostSilent = 3;
bool SaysNothing(const absl::Status& status) {
  return !status.ok() && DetailOf(status).stage == Stage::kWaiting;
}

}  // namespace

Reachability::Reachability(PoolManager& pools) : pools_(pools) {}

Reachability::~Reachability() {
  StopWatching();
  // Probes under way speak to this object; each has a deadline.
  MutexLock lock(mutex_);
  while (true) {
    int open = 0;
    for (const auto& [database, count] : asked_) open += count;
    if (open == 0) return;
    changed_.Wait(mutex_);
  }
}

std::map<std::string, absl::Status> Reachability::AskAll() {
  for (Database* database : pools_.databases()) Ask(*database);
  MutexLock lock(mutex_);
  while (states_.size() < pools_.databases().size()) changed_.Wait(mutex_);
  return states_;
}

void Reachability::Watch(Listener listener) {
  listener_ = std::move(listener);
  for (const auto& [database, state] : states()) listener_(database, state);
  thread_ = std::thread([this] { Run(); });
}

void Reachability::StopWatching() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

void Reachability::Run() {
  std::map<std::string, Instant> asked;
  Clock& clock = pools_.clock();
  for (;;) {
    const Instant wake = clock.Now() + kWhileAway;
    for (Database* database : pools_.databases()) {
      const std::string& name = database->settings().name;
      const auto last = asked.find(name);
      if (last != asked.end() && clock.Now() < last->second + PauseFor(*database)) continue;
      const Instant now = clock.Now();
      if (Ask(*database)) asked[name] = now;
    }
    MutexLock lock(mutex_);
    while (!stopping_ && clock.Now() < wake) clock.WaitUntil(mutex_, changed_, wake);
    if (stopping_) return;
  }
}

// As things are when the pause is over, not when it began: an answer may have changed them. And a
// pool in use finds out sooner than a question every few seconds.
Duration Reachability::PauseFor(const Database& database) const {
  const bool well =
      reachable(database.settings().name) && database.pool().numbers().mode != PoolMode::kDown;
  return well ? kWhileReachable : kWhileAway;
}

bool Reachability::Ask(Database& database) {
  // In a pause every question would wait for its end: what was known last still holds.
  if (database.pool().numbers().mode == PoolMode::kPaused) return false;
  const std::string& name = database.settings().name;
  {
    MutexLock lock(mutex_);
    if (asked_[name] > 0) return false;
    ++asked_[name];
  }
  Inquire(pools_, database, "SELECT 1",
          [this, name](const auto& answer) { Answered(name, answer.status()); });
  return true;
}

void Reachability::Answered(const std::string& database, const absl::Status& status) {
  bool changed = false;
  {
    MutexLock lock(mutex_);
    int& silent = silent_[database];
    silent = SaysNothing(status) ? silent + 1 : 0;
    const auto known = states_.find(database);
    if (known == states_.end()) {
      states_.emplace(database, status);
    } else if (silent == 0 || silent >= kMostSilent) {
      changed = known->second.ok() != status.ok() && !stopping_;
      known->second = status;
    }
  }
  if (changed && listener_) listener_(database, status);
  // Last: whoever waits for this may end the object at once.
  MutexLock lock(mutex_);
  --asked_[database];
  changed_.NotifyAll();
}

bool Reachability::reachable(const std::string& database) const {
  MutexLock lock(mutex_);
  const auto known = states_.find(database);
  return known != states_.end() && known->second.ok();
}

std::map<std::string, absl::Status> Reachability::states() const {
  MutexLock lock(mutex_);
  return states_;
}

}  // namespace emsdb
