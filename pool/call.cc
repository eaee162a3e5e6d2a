#include "pool/call.h"

#include <utility>

#include "pool/errors.h"

namespace emsdb {

void Call::Start(Pool& pool, Purpose purpose, Pool* writer) {
  started_ = clock_.Now();
  writer_ = writer;
  {
    MutexLock lock(mutex_);
    waiting_in_ = &pool;
  }
  pool.Submit(shared_from_this(), {options_.priority, purpose, options_.deadline});
}

void Call::Cancel(StopReason reason) {
  Pool* pool = nullptr;
  {
    MutexLock lock(mutex_);
    if (state_ == State::kRan || state_ == State::kAnswered) return;
    if (cancelled_ == StopReason::kNone) cancelled_ = reason;
    // Under the lock: when the call has ended, the signal may belong to another's statement.
    if (running_on_ != nullptr) running_on_->Raise(reason);
    if (state_ == State::kWaiting) pool = waiting_in_;
  }
  // Whoever is not in line any more is granted or refused at this moment, and looks at cancelled_.
  if (pool != nullptr && pool->Withdraw(*this)) FinishOnce(Stopped(reason, Stage::kWaiting));
}

void Call::Granted(Lease lease) { RunOn(lease); }

const absl::Status& Call::RunOn(Lease& lease) {
  StopSignal& stop = lease.stop();
  const Instant began = clock_.Now();
  if (started_ == Instant{}) started_ = began;
  times_.waiting = began - started_;
  StopReason cancelled = StopReason::kNone;
  {
    MutexLock lock(mutex_);
    cancelled = cancelled_;
    if (cancelled == StopReason::kNone) {
      state_ = State::kRunning;
      running_on_ = &stop;
    }
  }
  if (cancelled != StopReason::kNone) {
    result_ = Stopped(cancelled, Stage::kWaiting);
  } else if (began >= options_.deadline) {
    result_ = DeadlineExceeded(Stage::kWaiting);
  } else {
    result_ = Run(lease.connection(), {options_.deadline, &stop}, lease);
  }
  times_.running = clock_.Now() - began;
  {
    MutexLock lock(mutex_);
    state_ = State::kRan;
    running_on_ = nullptr;
  }
  stop.Clear();
  return result_;
}

void Call::Answer() {
  if (writer_ == nullptr || !IsNeedsWriter(result_)) return FinishOnce(std::move(result_));
  Pool& writer = *std::exchange(writer_, nullptr);
  {
    MutexLock lock(mutex_);
    state_ = State::kWaiting;
    waiting_in_ = &writer;
  }
  writer.Submit(shared_from_this(), {options_.priority, Purpose::kStatement, options_.deadline});
}

void Call::Refused(absl::Status why) {
  times_.waiting = clock_.Now() - started_;
  FinishOnce(std::move(why));
}

void Call::FinishOnce(absl::Status status) {
  {
    MutexLock lock(mutex_);
    if (state_ == State::kAnswered) return;
    state_ = State::kAnswered;
  }
  Finish(std::move(status), times_);
}

}  // namespace emsdb
