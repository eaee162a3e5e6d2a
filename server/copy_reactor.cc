#include "server/copy_reactor.h"

#include <algorithm>
#include <utility>

#include "pool/errors.h"
#include "server/reactors.h"

namespace emsdb {
namespace {

// How long after its end a stream is cut whose caller does not take notice of it.
constexpr std::chrono::seconds kGrace(5);
// How often a wait for the caller lets the driver look after its database, and sees whether it was
// told to stop: nobody signals that.
constexpr std::chrono::milliseconds kLook(50);

}  // namespace

CopyReactor::CopyReactor(OpenCalls::Entry entry, Gateway& gateway,
                         grpc::CallbackServerContext& context, Start start)
    : entry_(std::move(entry)),
      gateway_(gateway),
      context_(context),
      clock_(gateway.pools.clock()),
      start_(std::move(start)),
      cutter_(context) {}

void CopyReactor::ReadFirst() {
  {
    MutexLock lock(lateness_->mutex);
    lateness_->reactor = this;
  }
  const auto when =
      std::chrono::system_clock::now() +
      std::chrono::duration_cast<std::chrono::system_clock::duration>(gateway_.slow_reader_timeout);
  late_.Set(when, [lateness = lateness_](bool due) {
    CopyReactor* late = nullptr;
    {
      MutexLock lock(lateness->mutex);
      if (due && lateness->reactor != nullptr && lateness->reactor->TakeFirst(First::kLate)) {
        late = lateness->reactor;
      }
    }
    // Who was first to know ends the stream: until then it stays.
    if (late != nullptr) late->Refuse(SlowWriter(late->gateway_.slow_reader_timeout));
  });
  StartRead(&incoming_);
}

bool CopyReactor::TakeFirst(First as) {
  MutexLock lock(mutex_);
  if (first_ != First::kAwaited) return false;
  first_ = as;
  return true;
}

void CopyReactor::Refuse(const absl::Status& why) {
  ReportRefusal(gateway_, "CopyIn", context_, why);
  End(ToRpcStatus(why, Duration::zero()));
}

void CopyReactor::Attach(const std::shared_ptr<Call>& call) {
  bool gone = false;
  {
    MutexLock lock(mutex_);
    call_ = call;
    gone = caller_gone_;
  }
  if (gone) call->Cancel(StopReason::kCallerLeft);
}

absl::StatusOr<CopyReactor::Taken> CopyReactor::Take(v1::CopyInRequest& request,
                                                     const Bounds& bounds) {
  ReadOn();
  {
    MutexLock lock(mutex_);
    const Instant began = clock_.Now();
    if (!waiting_since_) waiting_since_ = began;
    const Instant patience = After(*waiting_since_, gateway_.slow_reader_timeout);
    while (!arrived_ && !ended_ && !caller_gone_) {
      const Instant now = clock_.Now();
      const StopReason stopped = bounds.stop == nullptr ? StopReason::kNone : bounds.stop->raised();
      if (stopped != StopReason::kNone) return Stopped(stopped, Stage::kRunning);
      if (now >= bounds.deadline) return DeadlineExceeded(Stage::kRunning);
      if (now >= patience) return SlowWriter(gateway_.slow_reader_timeout);
      if (now >= began + kLook) return Taken::kNothingYet;
      clock_.WaitUntil(mutex_, changed_, std::min({patience, bounds.deadline, began + kLook}));
    }
    if (caller_gone_) return Stopped(StopReason::kCallerLeft, Stage::kRunning);
    if (!arrived_) return Taken::kEnd;
    arrived_ = false;
    request.Swap(&incoming_);
    waiting_since_.reset();
  }
  ReadOn();
  return Taken::kRequest;
}

// So that one request is on its way while the worker is busy with another, and never more.
void CopyReactor::ReadOn() {
  {
    MutexLock lock(mutex_);
    if (reading_ || arrived_ || ended_) return;
    reading_ = true;
  }
  StartRead(&incoming_);
}

absl::Status CopyReactor::Announce(const std::string& token, const Bounds& bounds) {
  {
    MutexLock lock(mutex_);
    if (caller_gone_) return Stopped(StopReason::kCallerLeft, Stage::kCommitting);
  }
  context_.AddInitialMetadata(kCommitTokenKey, token);
  StartSendInitialMetadata();
  const Instant until = std::min(bounds.deadline, After(clock_.Now(), kAnnouncePatience));
  MutexLock lock(mutex_);
  while (!token_written_ && !caller_gone_ && clock_.Now() < until) {
    clock_.WaitUntil(mutex_, changed_, until);
  }
  if (!caller_gone_) return absl::OkStatus();
  return Stopped(StopReason::kCallerLeft, Stage::kCommitting);
}

void CopyReactor::OnSendInitialMetadataDone(bool ok) {
  MutexLock lock(mutex_);
  (ok ? token_written_ : caller_gone_) = true;
  changed_.NotifyAll();
}

void CopyReactor::End(const grpc::Status& status) {
  cutter_.CutAfter(kGrace);
  Finish(status);
}

void CopyReactor::OnReadDone(bool ok) {
  if (TakeFirst(First::kCame)) {
    const absl::Status status =
        ok ? start_(*this, incoming_)
           : InvalidField("start", "wanted in the first request, but there was none");
    if (!status.ok()) Refuse(status);
    return;
  }
  MutexLock lock(mutex_);
  reading_ = false;
  (ok ? arrived_ : ended_) = true;
  changed_.NotifyAll();
}

void CopyReactor::OnCancel() {
  std::shared_ptr<Call> call;
  {
    MutexLock lock(mutex_);
    caller_gone_ = true;
    changed_.NotifyAll();
    call = call_;
  }
  if (call) call->Cancel(StopReason::kCallerLeft);
}

void CopyReactor::OnDone() {
  cutter_.Forget();
  {
    MutexLock lock(lateness_->mutex);
    lateness_->reactor = nullptr;
  }
  delete this;
}

}  // namespace emsdb
