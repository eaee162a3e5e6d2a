// What a ScriptedConnector and its connections share: the script, who hangs, and what happened.
#ifndef EMSDB_TESTS_SUPPORT_SCRIPTED_STAGE_H_
#define EMSDB_TESTS_SUPPORT_SCRIPTED_STAGE_H_

#include <deque>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "pool/clock.h"
#include "pool/mutex.h"
#include "tests/support/scripted_connector.h"

namespace emsdb {

enum class Ending { kReleased, kDeadline, kStopped, kKilled };

// Safe for use by any number of threads.
class ScriptedStage {
 public:
  explicit ScriptedStage(Clock& clock) : clock_(clock) {}

  void Next(Operation operation, Step step);
  void Always(Operation operation, Step step);
  Step Take(Operation operation);

  // Hangs until released or until `bounds` or a kill of `connection` (0: not yet one) end it.
  Ending Hang(int connection, const Bounds& bounds);
  // What ends a call before it has begun; kReleased: nothing.
  Ending Look(int connection, const Bounds& bounds) const;
  void AwaitHanging(int count);
  void Release();
  void ReleaseAll();

  void Kill(int connection, Death death);
  void KillAll(Death death);
  bool killed(int connection) const;
  bool LooksAlive(int connection) const;

  void OpenBegun();
  void OpenFailed();
  int OpenDone();
  void Closed(int connection);
  void AwaitClosed(int count);
  void Pinged(int connection);
  void Executed(int connection, const std::string& sql);
  void Log(int connection, const std::string& what);
  void Breach(int connection, const std::string& what);

  struct Counters {
    int opened = 0;
    int attempts = 0;
    int closed = 0;
    int opening = 0;
    int most_open = 0;
    int pings = 0;
    int open_now() const { return opening + opened - closed; }
  };
  Counters counters() const;
  int hanging() const;
  std::vector<std::string> executed() const;
  std::vector<std::string> log() const;
  std::vector<std::string> TakeBreaches();

 private:
  struct Hanging {
    int connection;
    bool released = false;
  };

  Ending LookLocked(int connection, const Bounds& bounds) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int Waiting() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Clock& clock_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::map<Operation, std::deque<Step>> next_ ABSL_GUARDED_BY(mutex_);
  std::map<Operation, Step> always_ ABSL_GUARDED_BY(mutex_);
  std::list<Hanging> hanging_ ABSL_GUARDED_BY(mutex_);
  std::map<int, Death> killed_ ABSL_GUARDED_BY(mutex_);
  Counters counters_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> executed_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> log_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> breaches_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_SUPPORT_SCRIPTED_STAGE_H_
