#include "tests/support/scripted_stage.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <thread>
#include <utility>

namespace emsdb {
namespace {

// Calls `wake` when `stop` is raised: a thread that polls the signal's descriptor, since a wait on
// a condition variable does not see it. Ends with the object.
class StopWatch {
 public:
  StopWatch(const StopSignal* stop, std::function<void()> wake) {
    if (stop == nullptr) return;
    end_ = eventfd(0, EFD_CLOEXEC);
    thread_ = std::thread([this, stop, wake = std::move(wake)] {
      pollfd fds[] = {{stop->fd(), POLLIN, 0}, {end_, POLLIN, 0}};
      poll(fds, 2, -1);
      if (fds[0].revents != 0) wake();
    });
  }
  ~StopWatch() {
    if (!thread_.joinable()) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(end_, &one, sizeof one);
    thread_.join();
    close(end_);
  }
  StopWatch(const StopWatch&) = delete;
  StopWatch& operator=(const StopWatch&) = delete;

 private:
  int end_ = -1;
  std::thread thread_;
};

std::string Numbered(int connection, const std::string& what) {
  return std::to_string(connection) + " " + what;
}

}  // namespace

void ScriptedStage::Next(Operation operation, Step step) {
  MutexLock lock(mutex_);
  next_[operation].push_back(std::move(step));
}

void ScriptedStage::Always(Operation operation, Step step) {
  MutexLock lock(mutex_);
  always_[operation] = std::move(step);
}

Step ScriptedStage::Take(Operation operation) {
  MutexLock lock(mutex_);
  std::deque<Step>& next = next_[operation];
  if (next.empty()) return always_[operation];
  Step step = std::move(next.front());
  next.pop_front();
  return step;
}

Ending ScriptedStage::LookLocked(int connection, const Bounds& bounds) const {
  if (killed_.contains(connection)) return Ending::kKilled;
  if (bounds.stop != nullptr && bounds.stop->raised() != StopReason::kNone) return Ending::kStopped;
  if (clock_.Now() >= bounds.deadline) return Ending::kDeadline;
  return Ending::kReleased;
}

Ending ScriptedStage::Look(int connection, const Bounds& bounds) const {
  MutexLock lock(mutex_);
  return LookLocked(connection, bounds);
}

Ending ScriptedStage::Hang(int connection, const Bounds& bounds) {
  const StopWatch watch(bounds.stop, [this] {
    MutexLock lock(mutex_);
    changed_.NotifyAll();
  });
  MutexLock lock(mutex_);
  const auto self = hanging_.insert(hanging_.end(), {connection});
  changed_.NotifyAll();
  Ending ending = LookLocked(connection, bounds);
  while (!self->released && ending == Ending::kReleased) {
    clock_.WaitUntil(mutex_, changed_, bounds.deadline);
    ending = LookLocked(connection, bounds);
  }
  if (self->released) ending = Ending::kReleased;
  hanging_.erase(self);
  changed_.NotifyAll();
  return ending;
}

int ScriptedStage::Waiting() const {
  return static_cast<int>(std::count_if(hanging_.begin(), hanging_.end(),
                                        [](const Hanging& one) { return !one.released; }));
}

void ScriptedStage::AwaitHanging(int count) {
  MutexLock lock(mutex_);
  while (Waiting() < count) changed_.Wait(mutex_);
}

void ScriptedStage::Release() {
  MutexLock lock(mutex_);
  while (Waiting() == 0) changed_.Wait(mutex_);
  std::find_if(hanging_.begin(), hanging_.end(), [](const Hanging& one) {
    return !one.released;
  })->released = true;
  changed_.NotifyAll();
}

void ScriptedStage::ReleaseAll() {
  MutexLock lock(mutex_);
  for (Hanging& one : hanging_) one.released = true;
  changed_.NotifyAll();
}

void ScriptedStage::Kill(int connection, Death death) {
  MutexLock lock(mutex_);
  killed_.emplace(connection, death);
  changed_.NotifyAll();
}

void ScriptedStage::KillAll(Death death) {
  MutexLock lock(mutex_);
  for (int connection = 1; connection <= counters_.opened; ++connection) {
    killed_.emplace(connection, death);
  }
  changed_.NotifyAll();
}

bool ScriptedStage::killed(int connection) const {
  MutexLock lock(mutex_);
  return killed_.contains(connection);
}

bool ScriptedStage::LooksAlive(int connection) const {
  MutexLock lock(mutex_);
  const auto death = killed_.find(connection);
  return death == killed_.end() || death->second == Death::kSilent;
}

void ScriptedStage::OpenBegun() {
  MutexLock lock(mutex_);
  ++counters_.attempts;
  ++counters_.opening;
  counters_.most_open = std::max(counters_.most_open, counters_.open_now());
}

void ScriptedStage::OpenFailed() {
  MutexLock lock(mutex_);
  --counters_.opening;
  log_.emplace_back("open failed");
}

int ScriptedStage::OpenDone() {
  MutexLock lock(mutex_);
  --counters_.opening;
  ++counters_.opened;
  log_.push_back(Numbered(counters_.opened, "open"));
  return counters_.opened;
}

void ScriptedStage::Closed(int connection) {
  MutexLock lock(mutex_);
  ++counters_.closed;
  log_.push_back(Numbered(connection, "close"));
  changed_.NotifyAll();
}

void ScriptedStage::AwaitClosed(int count) {
  MutexLock lock(mutex_);
  while (counters_.closed < count) changed_.Wait(mutex_);
}

void ScriptedStage::Pinged(int connection) {
  MutexLock lock(mutex_);
  ++counters_.pings;
  log_.push_back(Numbered(connection, "ping"));
}

void ScriptedStage::Executed(int connection, const std::string& sql) {
  MutexLock lock(mutex_);
  executed_.push_back(sql);
  log_.push_back(Numbered(connection, "execute " + sql));
}

void ScriptedStage::Log(int connection, const std::string& what) {
  MutexLock lock(mutex_);
  log_.push_back(Numbered(connection, what));
}

void ScriptedStage::Breach(int connection, const std::string& what) {
  MutexLock lock(mutex_);
  breaches_.push_back("connection " + Numbered(connection, what));
}

ScriptedStage::Counters ScriptedStage::counters() const {
  MutexLock lock(mutex_);
  return counters_;
}

int ScriptedStage::hanging() const {
  MutexLock lock(mutex_);
  return Waiting();
}

std::vector<std::string> ScriptedStage::executed() const {
  MutexLock lock(mutex_);
  return executed_;
}

std::vector<std::string> ScriptedStage::log() const {
  MutexLock lock(mutex_);
  return log_;
}

std::vector<std::string> ScriptedStage::TakeBreaches() {
  MutexLock lock(mutex_);
  return std::exchange(breaches_, {});
}

}  // namespace emsdb
