// One call's life, from its arrival to its only answer: waiting, running, cancelled. Knows neither
// gRPC nor SQL; what is done with the connection is a subclass's Run.
#ifndef EMSDB_POOL_CALL_H_
#define EMSDB_POOL_CALL_H_

#include <atomic>
#include <memory>

#include "pool/lease.h"
#include "pool/pool.h"

namespace emsdb {

struct CallOptions {
  Instant deadline = kNever;
  Priority priority = Priority::kOperations;
  std::string caller;     // who calls; may be empty
  std::string statement;  // its fingerprint
};

// How long each part took, for logs and metrics.
struct CallTimes {
  Duration waiting{};  // for a connection, opening and proving it included
  Duration running{};
};

// Any thread may Start and Cancel. Exactly one Finish, in a worker's thread, in the upkeep's, or in
// the one that starts or cancels.
class Call : public Waiter, public std::enable_shared_from_this<Call> {
 public:
  // With less time than this left none of it is spent on other members of a group.
  static constexpr Duration kLeastTimeForGroup = std::chrono::milliseconds(100);

  Call(CallOptions options, Clock& clock) : options_(std::move(options)), clock_(clock) {}

  // Gets a connection from the pool, which must outlive the call, and runs on it. Where that fails
  // with NeedsWriter, it runs once more on one of `writer`, if there is one.
  void Start(Pool& pool, Purpose purpose, Pool* writer = nullptr);

  // Runs on a connection that the caller holds already: in its worker's thread. `lease` may be
  // taken over by Run, as in Granted. Returns what Run returned; Finish is left to Answer().
  const absl::Status& RunOn(Lease& lease);

  // Refuses the call without a connection.
  void Refuse(absl::Status why) { Refused(std::move(why)); }

  // The caller left, or its time is over. Before the call runs, it ends it; while it runs, the
  // statement is told to stop; afterwards it does nothing.
  void Cancel(StopReason reason);

  const CallOptions& options() const { return options_; }

  void Granted(Lease lease) final;
  GroupedRead* Board() final;

  void Answer() final;
  void BackInLine() final { LeaveIfCancelled(); }
  void Refused(absl::Status why) final;
  Holder holder() const override { return {options_.caller, options_.statement}; }

 protected:
  // In the worker's thread. Keeping the lease beyond the call means to move it out.
  virtual absl::Status Run(Connection& connection, const Bounds& bounds, Lease& lease) = 0;

  // Whether it may be served in a group, asked when it starts; then what is run there.
  virtual Grouping grouping(Pool& /*pool*/) { return Grouping::kAlone; }
  virtual GroupedRead* grouped_read() { return nullptr; }

  // In a group it could not be run, or not to its end: all that was made of it is dropped, and it
  // is run by itself.
  virtual void StartOver() {}

  // The end of what grouped_read() gave; answers the call, which may be gone then.
  void LeaveGroup(absl::Status result);

  // Where the call would be answered with `status`, it may go on instead: then this returns true,
  // and the subclass sees to it that Again() is called, once. Must not block.
  virtual bool GoesOn(const absl::Status& /*status*/) { return false; }

  // Gets a connection of the same pool once more, and runs on it. Any thread.
  void Again();

  // The call was cancelled when its answer was already given, and may never arrive. Any thread;
  // must not block.
  virtual void LeftAfterAnswer() {}

  // The call's only answer. Must not block.
  virtual void Finish(absl::Status status, const CallTimes& times) = 0;

 private:
  enum class State { kWaiting, kRunning, kRan, kAnswered };

  void SubmitTo(Pool& pool);
  // Begins to run at `began`, unless the call was cancelled or its time is over: then result_ says.
  bool MayRun(Instant began, StopSignal* stop);
  void Ran();
  void LeaveIfCancelled();
  void FinishOnce(absl::Status status);

  const CallOptions options_;
  Clock& clock_;

  Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kWaiting;
  // Written with the lock, once; who need not know what else holds may look without it.
  std::atomic<StopReason> cancelled_{StopReason::kNone};
  StopSignal* running_on_ ABSL_GUARDED_BY(mutex_) = nullptr;
  Pool* waiting_in_ ABSL_GUARDED_BY(mutex_) = nullptr;

  // Written by the one thread that holds the call in its present state.
  Instant started_{};
  CallTimes times_;
  absl::Status result_;
  Instant began_{};
  Purpose purpose_ = Purpose::kStatement;
  Grouping grouping_ = Grouping::kAlone;
  Pool* writer_ = nullptr;
};

}  // namespace emsdb

#endif  // EMSDB_POOL_CALL_H_
