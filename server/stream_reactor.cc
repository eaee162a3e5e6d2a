#include "server/stream_reactor.h"

#include <algorithm>
#include <utility>

#include "pool/errors.h"

namespace emsdb {
namespace {

// How long after its end a stream that nobody reads is cut.
constexpr std::chrono::seconds kGrace(5);
// How often a wait for the reader looks whether the statement was told to stop: nobody signals
// that.
constexpr std::chrono::milliseconds kLook(50);

}  // namespace

StreamReactor::StreamReactor(OpenCalls::Entry entry, grpc::CallbackServerContext& context,
                             Clock& clock, Duration slow_reader_timeout)
    : entry_(std::move(entry)),
      clock_(clock),
      slow_reader_timeout_(slow_reader_timeout),
      cutter_(context) {}

absl::Status StreamReactor::Send(v1::StreamQueryResponse& message, const Bounds& bounds) {
  {
    MutexLock lock(mutex_);
    const Instant patience = After(clock_.Now(), slow_reader_timeout_);
    while (writing_ && !reader_gone_) {
      const Instant now = clock_.Now();
      const StopReason stopped = bounds.stop == nullptr ? StopReason::kNone : bounds.stop->raised();
      if (stopped != StopReason::kNone) return Stopped(stopped, Stage::kRunning);
      if (now >= bounds.deadline) return DeadlineExceeded(Stage::kRunning);
      if (now >= patience) return SlowReader(slow_reader_timeout_);
      clock_.WaitUntil(mutex_, changed_, std::min({patience, bounds.deadline, now + kLook}));
    }
    if (reader_gone_) return Stopped(StopReason::kCallerLeft, Stage::kRunning);
    writing_ = true;
  }
  out_.Swap(&message);
  message.Clear();
  StartWrite(&out_);
  return absl::OkStatus();
}

void StreamReactor::Complete(v1::StreamQueryResponse& last) {
  cutter_.CutAfter(slow_reader_timeout_ + kGrace);
  {
    MutexLock lock(mutex_);
    last_.Swap(&last);
    completing_ = true;
    if (writing_) return;  // OnWriteDone goes on
    out_.Swap(&last_);
  }
  StartWriteAndFinish(&out_, grpc::WriteOptions(), grpc::Status::OK);
}

void StreamReactor::Fail(const grpc::Status& status) {
  cutter_.CutAfter(kGrace);
  Finish(status);
}

void StreamReactor::OnWriteDone(bool ok) {
  {
    MutexLock lock(mutex_);
    writing_ = false;
    reader_gone_ = reader_gone_ || !ok;
    changed_.NotifyAll();
    if (!completing_) return;
    completing_ = false;
    out_.Swap(&last_);
  }
  StartWriteAndFinish(&out_, grpc::WriteOptions(), grpc::Status::OK);
}

void StreamReactor::OnCancel() {
  {
    MutexLock lock(mutex_);
    reader_gone_ = true;
    changed_.NotifyAll();
  }
  if (call_) call_->Cancel(StopReason::kCallerLeft);
}

void StreamReactor::OnDone() {
  cutter_.Forget();
  delete this;
}

}  // namespace emsdb
