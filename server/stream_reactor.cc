#include "server/stream_reactor.h"

#include <algorithm>
#include <utility>

#include "pool/errors.h"

namespace emsdb {
namespace {

// How long after its end a stream that nobody reads is cut.
constexpr std::chrono::seconds kGrace(5);

}  // namespace

StreamReactor::StreamReactor(OpenCalls::Entry entry, grpc::CallbackServerContext& context,
                             Clock& clock, Duration slow_reader_timeout)
    : entry_(std::move(entry)),
      context_(context),
      clock_(clock),
      slow_reader_timeout_(slow_reader_timeout) {}

absl::Status StreamReactor::Send(v1::StreamQueryResponse& message, Instant deadline) {
  {
    MutexLock lock(mutex_);
    const Instant patience = After(clock_.Now(), slow_reader_timeout_);
    while (writing_ && !reader_gone_) {
      const Instant now = clock_.Now();
      if (now >= deadline) return DeadlineExceeded(Stage::kRunning);
      if (now >= patience) return SlowReader(slow_reader_timeout_);
      clock_.WaitUntil(mutex_, changed_, std::min(patience, deadline));
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
  {
    MutexLock lock(cutter_->mutex);
    cutter_->context = &context_;
  }
  cut_.Set(std::chrono::system_clock::now() + kGrace, [cutter = cutter_](bool due) {
    MutexLock lock(cutter->mutex);
    if (due && cutter->context != nullptr) cutter->context->TryCancel();
  });
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
  {
    MutexLock lock(cutter_->mutex);
    cutter_->context = nullptr;
  }
  delete this;
}

}  // namespace emsdb
