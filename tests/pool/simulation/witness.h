// What a pool promises, seen from outside: an account of its own of who came, who was chosen, which
// connections there are, compared with what the pool does. Believes none of the pool's counters.
#ifndef EMSDB_TESTS_POOL_SIMULATION_WITNESS_H_
#define EMSDB_TESTS_POOL_SIMULATION_WITNESS_H_

#include <climits>
#include <deque>
#include <map>
#include <string>

#include "pool/observer.h"
#include "pool/pool.h"
#include "tests/pool/simulation/person.h"
#include "tests/pool/simulation/scheduler.h"

namespace emsdb {

// The connections as the database sees them.
struct Places {
  int opening = 0;
  int open = 0;
  int closing = 0;
  int all() const { return opening + open + closing; }
};

// Told of everything as it happens, some of it while the pool's lock is held: never calls the pool,
// except from Checked and Quiet.
class Witness final : public PoolObserver {
 public:
  Witness(const PoolLimits& limits, Scheduler& scheduler);

  // Persons. Arrives is called right before the pool is asked, Submitted right after.
  Person& Arrives(Priority priority, Purpose purpose, Instant caller_deadline);
  void Submitted(Person& person);
  // Somebody whose transaction holds a connection already: he needs none, only an answer.
  Person& ArrivesInside(Instant caller_deadline);
  void Chosen(Person& person);  // in the pool's decision, under its lock
  void Joined(Person& person);  // the same, into the group of another
  // In a group: about to run there; its end there, or that he asks again to run by himself.
  void Boarded(Person& person);
  void LeavesGroup(Person& person);
  void AsksAgain(Person& person);
  // His group's connection, right before the pool hears of it; he may be gone himself.
  void GroupGivesBack(bool reports);
  void BackInLine(Person& person);
  void Granted(Person& person, const Connection& connection);
  void Refused(Person& person);
  void Withdrawn(Person& person);
  // The database has closed his connection while he used it.
  void Lost(Person& person) { person.lost_connection = true; }
  // For a call, which hides which of the two it was.
  void RefusedOrWithdrawn(Person& person);
  void GivesBack(Person& person);  // right before the pool hears of it
  void Answered(Person& person);

  // Connections.
  Places& places() { return places_; }
  void PlacesChanged();
  // The worker of a slot was told to open, and has come to the end of it.
  void OpeningOrdered(SlotId slot) { openings_[slot] = scheduler_.Now(); }
  void OpeningOver(SlotId slot) { openings_.erase(slot); }
  void OpenSucceeded() { ++opened_; }
  // There is no worker for it.
  void CannotOpen() {
    ++failures_in_a_row_;
    last_told_ = scheduler_.step();
  }

  // Of a connection, when it is not certain on which side of a disconnect it was opened.
  static constexpr int kUnknown = INT_MAX;
  bool IsSuspect(int generation) const { return generation < generation_ || blurred_; }
  // A connection that was opened in `generation` is lost: so may be all that are as old.
  void Disconnect(int generation);
  int generation() const { return generation_; }
  bool draining() const { return draining_; }
  bool resized() const { return resized_; }
  const PoolLimits& limits() const { return limits_; }
  void Reconnects() { Disconnect(generation_); }
  // It is handed out: it must be young enough.
  void HandedOut(int generation, Instant opened);

  // Right before an operator does it.
  void Drains() { draining_ = true; }
  void Pauses() { paused_ = true; }
  void Resumes();
  void Resizes(int size, int overflow);

  // After each step; when nobody can go on before time passes; at the end.
  void Checked(const Pool& pool);
  void Quiet(const Pool& pool);
  void Over();

  // PoolObserver.
  void Opened(Duration took) override;
  void OpenFailed() override;
  void Closed(CloseReason reason) override;
  void Waited(Duration wait) override;
  void Refused(RefusalReason reason) override;
  void WentDown(const absl::Status& why) override;
  void CameBack(Duration after) override;

  std::deque<Person>& persons() { return persons_; }
  bool AllAnswered() const;

 private:
  template <typename... Args>
  void Require(bool holds, const absl::FormatSpec<Args...>& format, const Args&... args) {
    if (!holds) scheduler_.Violation(absl::StrFormat(format, args...));
  }
  void TakeFromLine(Person& person);
  void StandInLine(Person& person);
  void CheckTurn(const Person& chosen);
  bool IsHeld(const Person& person) const;
  void CheckReason(const Person& person, RefusalReason reason);
  bool Announced() const { return announced_.count(scheduler_.current_task()) > 0; }
  void Leaves(Person& person);
  void LetsGo(Person& person);
  int MayReport() const;
  bool SilentNow() const;
  // The database fails, or does not answer at all.
  bool LooksDown() const { return failures_in_a_row_ >= 2 || silent_ || SilentNow(); }

  PoolLimits limits_;
  Scheduler& scheduler_;
  std::deque<Person> persons_;
  std::map<int, Person*> in_line_;  // by place
  int places_taken_ = 0;
  std::map<Scheduler::TaskId, RefusalReason> announced_;
  Places places_;
  int held_ = 0;  // connections that were promised to somebody or are with him
  int held_reports_ = 0;
  int held_leases_ = 0;
  int held_groups_ = 0;
  int leases_ = 0;  // held or waited for
  int opened_ = 0;
  int seen_opened_ = 0;
  int seen_closed_ = 0;
  int seen_waited_ = 0;
  int seen_refused_ = 0;
  int chosen_ = 0;
  int refused_ = 0;
  int failures_in_a_row_ = 0;  // in the order in which the pool heard of them
  bool silent_ = false;        // since the last success an opening had no answer for too long
  std::map<SlotId, Instant> openings_;
  int last_told_ = -1;  // in which step
  int last_down_ = -1;  // the last step in which it looked down
  int last_resumed_ = -1;
  int generation_ = 1;     // counts disconnects
  bool blurred_ = false;   // one of an unknown generation was lost: no two can be compared now
  int disconnected_ = -1;  // the last one's step
  int allowed_;            // connections, which a pool that was made smaller still has
  int largest_;            // limit ever
  bool resized_ = false;
  bool paused_ = false;
  bool draining_ = false;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_POOL_SIMULATION_WITNESS_H_
