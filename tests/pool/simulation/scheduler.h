// Who goes on next, and when time passes: both chosen by dice, so that a run is a function of its
// seed. Tasks stand in for threads; they change places only where real code calls out or waits.
#ifndef EMSDB_TESTS_POOL_SIMULATION_SCHEDULER_H_
#define EMSDB_TESTS_POOL_SIMULATION_SCHEDULER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "pool/clock.h"
#include "pool/stop_signal.h"
#include "tests/pool/simulation/dice.h"
#include "tests/pool/simulation/fiber.h"

namespace emsdb {

// Used by one thread. Also the clock of everything that is simulated: time stands still while
// anybody can go on, except where a `lag` lets it slip, as on a machine that is too slow.
class Scheduler final : public Clock {
 public:
  using TaskId = int;

  enum class Recording { kOff, kOn };

  Scheduler(Dice& dice, Recording recording);

  Instant Now() const override { return now_; }
  void WaitUntil(Mutex& mutex, CondVar& changed, Instant deadline) override
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

  // A new task; it goes on when it is chosen.
  TaskId Start(std::string name, std::function<void()> body);

  // Runs until nothing can happen any more or something was wrong. `checked` is called after every
  // step, `quiet` when nobody can go on before time passes.
  void Run(const std::function<void()>& checked, const std::function<void()>& quiet);

  // In a task. A point where another thread might come in between: now and then one does.
  void MayYield();
  void SleepUntil(Instant deadline, const StopSignal* stop = nullptr);
  void Sleep(Duration wait) { SleepUntil(After(now_, wait)); }
  // Until Wake; may return early.
  void Block();
  void Wake(TaskId task);
  // Until `task` is over.
  void Join(TaskId task);
  // Whoever waits on the clock has reason to look again.
  void Stir() { ++stirred_; }

  // In a task that enters the pool: what it decides there, it decides from this step on.
  void EntersPool();
  // When the present task last entered.
  int entered() const;
  // No time passes while anybody can go on.
  bool punctual() const { return lags_ == 0; }
  TaskId current_task() const { return current_; }
  int step() const { return step_; }

  void Violation(std::string what);
  const std::vector<std::string>& violations() const { return violations_; }

  template <typename... Args>
  void Note(const absl::FormatSpec<Args...>& format, const Args&... args) {
    if (recording_ == Recording::kOn) Record(absl::StrFormat(format, args...));
  }
  const std::vector<std::string>& record() const { return record_; }

 private:
  struct Task {
    std::string name;
    std::unique_ptr<Fiber> fiber;
    bool ready = true;
    bool polls = false;  // waits on the clock: nobody says when it may have been signalled
    int looked_at = -1;  // what stirred_ was when it polled
    Instant wakes_at = kNever;
    const StopSignal* stop = nullptr;
    TaskId joiner = -1;
    int entered = 0;
    int rank = 0;
  };

  bool CanGoOn(const Task& task) const;
  TaskId Choose();
  bool PassTime();
  void Record(std::string text);
  Task& current() { return *tasks_[current_]; }

  Dice& dice_;
  const Recording recording_;
  const bool by_rank_;  // the highest goes on as long as it can: other orders than by lot
  const int yields_;    // one in how many
  const int lags_;
  Instant now_{std::chrono::hours(1)};
  std::vector<std::unique_ptr<Task>> tasks_;
  std::vector<TaskId> can_go_on_;  // of Choose
  TaskId current_ = -1;
  int step_ = 0;
  int stirred_ = 0;
  std::vector<std::string> violations_;
  std::vector<std::string> record_;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_POOL_SIMULATION_SCHEDULER_H_
