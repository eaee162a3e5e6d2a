#include "pool/call.h"

#include <utility>

#include "pool/errors.h"

namespace emsdb {

void Call::Start(Pool& pool, Purpose purpose, Pool* writer) {
  started_ = clock_.Now();
  purpose_ = purpose;
  writer_ = writer;
  grouping_ = grouping(pool);
  SubmitTo(pool);
}

void Call::SubmitTo(Pool& pool) {
  const auto self = shared_from_this();  // the answer may come, and release us, before this returns
  StopReason cancelled = StopReason::kNone;
  {
    MutexLock lock(mutex_);
    cancelled = cancelled_;
    state_ = State::kWaiting;
    waiting_in_ = &pool;
  }
  if (cancelled != StopReason::kNone) return FinishOnce(Stopped(cancelled, Stage::kWaiting));
  pool.Submit(self, {options_.priority, purpose_, options_.deadline, grouping_});
  LeaveIfCancelled();
}

void Call::Cancel(StopReason reason) {
  bool answered = false;
  {
    MutexLock lock(mutex_);
    answered = state_ == State::kAnswered;
    if (cancelled_ == StopReason::kNone) cancelled_ = reason;
    // Under the lock: when the call has ended, the signal may belong to another's statement.
    if (running_on_ != nullptr) running_on_->Raise(reason);
  }
  if (answered) return LeftAfterAnswer();
  LeaveIfCancelled();
}

// Whoever is not in line at this moment is on its way into it or out of it, and looks at cancelled_
// when it gets there.
void Call::LeaveIfCancelled() {
  // The pool's lock orders this look and the canceller's: one of them finds the call in line.
  const StopReason cancelled = cancelled_;
  if (cancelled == StopReason::kNone) return;
  {
    // Held while the pool is asked: else the call might leave this pool's line for another's.
    MutexLock lock(mutex_);
    if (state_ != State::kWaiting) return;
    if (waiting_in_ == nullptr || !waiting_in_->Withdraw(*this)) return;
  }
  times_.waiting = clock_.Now() - started_;
  FinishOnce(Stopped(cancelled, Stage::kWaiting));
}

void Call::Granted(Lease lease) { RunOn(lease); }

const absl::Status& Call::RunOn(Lease& lease) {
  StopSignal& stop = lease.stop();
  if (MayRun(clock_.Now(), &stop)) {
    result_ = Run(lease.connection(), {options_.deadline, &stop}, lease);
  }
  Ran();
  stop.Clear();
  return result_;
}

GroupedRead* Call::Board() {
  const Instant now = clock_.Now();
  if (options_.deadline - now < kLeastTimeForGroup) {
    result_ = RunAlone();
    return nullptr;
  }
  if (MayRun(now, nullptr)) return grouped_read();
  Ran();
  return nullptr;
}

void Call::LeaveGroup(absl::Status result) {
  result_ = std::move(result);
  Ran();
  Answer();
}

bool Call::MayRun(Instant began, StopSignal* stop) {
  if (started_ == Instant{}) started_ = began;
  began_ = began;
  times_.waiting = began - started_;
  StopReason cancelled = StopReason::kNone;
  {
    MutexLock lock(mutex_);
    cancelled = cancelled_;
    if (cancelled == StopReason::kNone) {
      state_ = State::kRunning;
      running_on_ = stop;
    }
  }
  if (cancelled != StopReason::kNone) {
    result_ = Stopped(cancelled, Stage::kWaiting);
  } else if (began >= options_.deadline) {
    result_ = DeadlineExceeded(Stage::kWaiting);
  } else {
    return true;
  }
  return false;
}

void Call::Ran() {
  times_.running = clock_.Now() - began_;
  MutexLock lock(mutex_);
  state_ = State::kRan;
  running_on_ = nullptr;
}

void Call::Answer() {
  if (grouping_ == Grouping::kGroup && IsRunAlone(result_)) {
    grouping_ = Grouping::kAlone;
    StartOver();
    return Again();
  }
  if (writer_ == nullptr || !IsNeedsWriter(result_)) return FinishOnce(std::move(result_));
  SubmitTo(*std::exchange(writer_, nullptr));
}

void Call::Again() {
  Pool* pool = nullptr;
  {
    MutexLock lock(mutex_);
    pool = waiting_in_;
  }
  SubmitTo(*pool);
}

void Call::Refused(absl::Status why) {
  // Without a Start it never waited: a transaction refused it.
  if (started_ != Instant{}) times_.waiting = clock_.Now() - started_;
  FinishOnce(std::move(why));
}

void Call::FinishOnce(absl::Status status) {
  {
    MutexLock lock(mutex_);
    if (state_ == State::kAnswered) return;
  }
  // From here on the call may be on its way again, in another thread.
  if (GoesOn(status)) return;
  {
    MutexLock lock(mutex_);
    state_ = State::kAnswered;
  }
  Finish(std::move(status), times_);
}

}  // namespace emsdb
