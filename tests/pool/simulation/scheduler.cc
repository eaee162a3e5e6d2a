#include "tests/pool/simulation/scheduler.h"

#include <algorithm>
#include <utility>

namespace emsdb {
namespace {

constexpr int kMostSteps = 50000;
constexpr Duration kLongestLag = std::chrono::milliseconds(200);

}  // namespace

Scheduler::Scheduler(Dice& dice, Recording recording)
    : dice_(dice),
      recording_(recording),
      by_rank_(dice.OneIn(2)),
      yields_(1 + dice.Below(6)),
      lags_(dice.OneIn(4) ? 5 + dice.Below(50) : 0) {}

Scheduler::TaskId Scheduler::Start(std::string name, std::function<void()> body) {
  auto task = std::make_unique<Task>();
  task->name = std::move(name);
  task->fiber = std::make_unique<Fiber>(std::move(body));
  task->rank = dice_.Below(1000);
  tasks_.push_back(std::move(task));
  return static_cast<TaskId>(tasks_.size()) - 1;
}

void Scheduler::Run(const std::function<void()>& checked, const std::function<void()>& quiet) {
  while (violations_.empty()) {
    const TaskId next = Choose();
    if (next < 0) {
      quiet();
      if (!violations_.empty() || !PassTime()) return;
      continue;
    }
    if (++step_ > kMostSteps) return Violation("it never comes to an end");
    if (lags_ > 0 && dice_.OneIn(lags_)) now_ += dice_.UpTo(kLongestLag);
    Task& task = *tasks_[next];
    task.ready = false;
    if (task.polls) {
      task.looked_at = stirred_;
    } else {
      ++stirred_;
    }
    task.stop = nullptr;
    current_ = next;
    task.fiber->Resume();
    current_ = -1;
    if (task.fiber->over() && task.joiner >= 0) Wake(task.joiner);
    checked();
  }
}

bool Scheduler::CanGoOn(const Task& task) const {
  if (task.fiber->over()) return false;
  if (task.ready || task.wakes_at <= now_) return true;
  if (task.polls && task.looked_at != stirred_) return true;
  return task.stop != nullptr && task.stop->raised() != StopReason::kNone;
}

Scheduler::TaskId Scheduler::Choose() {
  can_go_on_.clear();
  for (TaskId task = 0; task < static_cast<TaskId>(tasks_.size()); ++task) {
    if (CanGoOn(*tasks_[task])) can_go_on_.push_back(task);
  }
  if (can_go_on_.empty()) return -1;
  if (!by_rank_) return can_go_on_[dice_.Below(static_cast<int>(can_go_on_.size()))];
  if (dice_.OneIn(8)) {
    tasks_[dice_.Below(static_cast<int>(tasks_.size()))]->rank = dice_.Below(1000);
  }
  return *std::max_element(can_go_on_.begin(), can_go_on_.end(),
                           [&](TaskId a, TaskId b) { return tasks_[a]->rank < tasks_[b]->rank; });
}

// False if nothing will ever happen.
bool Scheduler::PassTime() {
  Instant next = kNever;
  for (const auto& task : tasks_) {
    if (!task->fiber->over()) next = std::min(next, task->wakes_at);
  }
  if (next == kNever) return false;
  now_ = next;
  return true;
}

void Scheduler::MayYield() {
  if (!dice_.OneIn(yields_)) return;
  Task& self = current();
  self.ready = true;
  self.fiber->Yield();
}

void Scheduler::SleepUntil(Instant deadline, const StopSignal* stop) {
  Task& self = current();
  // A Wake meant for later may come too early.
  while (now_ < deadline && (stop == nullptr || stop->raised() == StopReason::kNone)) {
    self.wakes_at = deadline;
    self.stop = stop;
    self.fiber->Yield();
  }
  self.wakes_at = kNever;
}

void Scheduler::Block() { current().fiber->Yield(); }

void Scheduler::WaitUntil(Mutex& mutex, CondVar& /*changed*/, Instant deadline) {
  mutex.Unlock();
  Task& self = current();
  self.polls = true;
  self.wakes_at = deadline;
  self.fiber->Yield();
  self.polls = false;
  self.wakes_at = kNever;
  mutex.Lock();
}

void Scheduler::Wake(TaskId task) { tasks_[task]->ready = true; }

void Scheduler::Join(TaskId task) {
  tasks_[task]->joiner = current_;
  while (!tasks_[task]->fiber->over()) Block();
}

void Scheduler::EntersPool() {
  if (current_ >= 0) current().entered = step_;
}

int Scheduler::entered() const { return current_ >= 0 ? tasks_[current_]->entered : step_; }

void Scheduler::Violation(std::string what) {
  if (recording_ == Recording::kOn) Record("VIOLATION: " + what);
  violations_.push_back(std::move(what));
}

void Scheduler::Record(std::string text) {
  const double milliseconds =
      std::chrono::duration<double, std::milli>(now_.time_since_epoch()).count() - 3600000;
  record_.push_back(absl::StrFormat("%6d %10.3f ms  %-10s %s", step_, milliseconds,
                                    current_ >= 0 ? tasks_[current_]->name : "", text));
}

}  // namespace emsdb
