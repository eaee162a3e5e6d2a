#include "server/transact_reactor.h"

#include <algorithm>
#include <utility>

#include "pool/errors.h"

namespace emsdb {
namespace {

constexpr Duration kDefaultTransactDeadline = std::chrono::seconds(300);
// How long after its end a stream that nobody reads is cut.
constexpr Duration kGrace = std::chrono::seconds(5);
// How often a wait for the reader looks whether the call was told to stop: nobody signals that.
constexpr Duration kLook = std::chrono::milliseconds(50);
// An answer below this is with gRPC at once, whether the caller reads or not: one that waits for a
// reader then is bounded by the transaction's idle time. A timer for each would cost more than it
// could save.
constexpr std::size_t kLargeAnswer = 16U << 10;

absl::Status EndedWithoutCommit() {
  return WithDetail(absl::AbortedError("the stream ended without a commit: the transaction was "
                                       "rolled back"),
                    {.reason = "TX_ROLLED_BACK", .retry = Retry::kNo});
}

absl::Status BeginWanted() {
  return InvalidField("begin", "the first request of the stream is `begin`");
}

}  // namespace

TransactReactor* TransactReactor::Serve(Gateway& gateway, IdleStreams& waiting,
                                        grpc::CallbackServerContext& context) {
  OpenCalls::Entry entry = gateway.open_calls.Enter();
  const bool entered = static_cast<bool>(entry);
  const std::shared_ptr<TransactReactor> stream(
      new TransactReactor(gateway, waiting, std::move(entry), context));
  const absl::Status admitted = entered ? stream->Admitted() : OpenCalls::ShuttingDown();
  {
    MutexLock lock(stream->mutex_);
    stream->self_ = stream;  // until OnDone
    if (admitted.ok()) {
      stream->Read();
    } else {
      stream->End(admitted);
    }
  }
  if (admitted.ok()) {
    stream->AwaitBegin();
  } else {
    ReportRefusal(gateway, "Transact", context, admitted);
  }
  return stream.get();
}

absl::Status TransactReactor::Admitted() {
  auto basics =
      Admit("Transact", context_, gateway_, v1::PRIORITY_UNSPECIFIED, kDefaultTransactDeadline);
  if (!basics.ok()) return std::move(basics).status();
  basics_ = *std::move(basics);
  return absl::OkStatus();
}

// Until it begins, the stream costs memory alone; but not for ever, and not while a drain waits.
void TransactReactor::AwaitBegin() {
  const std::weak_ptr<TransactReactor> self = weak_from_this();
  waiting_.Add(this, [self] {
    if (const auto stream = self.lock()) stream->EndUnlessBegun(OpenCalls::ShuttingDown());
  });
  MutexLock lock(mutex_);
  if (phase_ != Phase::kReading) return;
  patience_.Set(basics_.options.deadline - gateway_.pools.clock().Now(), [self] {
    if (const auto stream = self.lock()) stream->EndUnlessBegun(DeadlineExceeded(Stage::kWaiting));
  });
}

void TransactReactor::OnReadDone(bool ok) {
  bool rolls_back = false;
  {
    MutexLock lock(mutex_);
    if (phase_ == Phase::kEnded) return;
    if (ok) {
      phase_ = Phase::kRunning;
    } else if (cancelled_) {
      return End(Stopped(StopReason::kCallerLeft, Stage::kRunning));
    } else if (id_.empty()) {
      return End(BeginWanted());
    } else {
      phase_ = Phase::kRunning;
      rolls_back = true;
    }
  }
  if (rolls_back) return StartTask(RollBackTask(TransactKind::kAborted));
  StartRequest();
}

void TransactReactor::StartRequest() {
  response_.Clear();
  result_share_.GiveBack();
  bool begun = false;
  {
    MutexLock lock(mutex_);
    begun = !id_.empty();
  }
  if (!begun && request_.has_begin()) return StartBegin();
  auto task = begun ? ToTask(request_) : absl::StatusOr<TransactTask>(BeginWanted());
  if (task.ok()) return StartTask(*std::move(task));
  ReportRefusal(gateway_, "Transact", context_, task.status());
  Answered(begun ? TransactKind::kStep : TransactKind::kBegin, task.status(), Duration::zero());
}

void TransactReactor::StartBegin() {
  waiting_.Remove(this);
  const v1::TransactBegin& begin = request_.begin();
  const absl::Status status = [&]() -> absl::Status {
    const auto priority = GrantedPriority(basics_.caller, begin.priority());
    if (!priority.ok()) return priority.status();
    basics_.options.priority = *priority;
    auto database = FindDatabase(gateway_, basics_.caller, begin.database());
    if (!database.ok()) return std::move(database).status();
    basics_.database = (*database)->settings().name;
    auto beginning = ToBeginning(begin.options(), basics_, "begin.options");
    if (!beginning.ok()) return std::move(beginning).status();
    // The call's deadline covers all of it.
    TransactionTerms& terms = beginning->terms;
    terms.total_timeout =
        std::min(terms.total_timeout, basics_.options.deadline - gateway_.pools.clock().Now());
    terms.on_end = [self = weak_from_this()](const absl::Status& why) {
      if (const auto stream = self.lock()) stream->TransactionEnded(why);
    };
    Pool& pool = (*database)->PoolFor(beginning->options.access);
    TransactTask task = BeginTask(*std::move(beginning));
    basics_.options.statement = task.label;
    auto call = std::make_shared<TransactCall>(gateway_, basics_, shared_from_this(), task.kind,
                                               std::move(task.statement), std::move(task.work));
    bool cancelled = false;
    {
      MutexLock lock(mutex_);
      call_ = call;
      cancelled = cancelled_;
      patience_.Clear();
    }
    if (cancelled) call->Cancel(StopReason::kCallerLeft);
    call->Start(pool, Purpose::kLease);
    return absl::OkStatus();
  }();
  if (status.ok()) return;
  ReportRefusal(gateway_, "Transact", context_, status);
  Answered(TransactKind::kBegin, status, Duration::zero());
}

void TransactReactor::StartTask(TransactTask task) {
  CallBasics basics = basics_;
  basics.options.statement = std::move(task.label);
  const auto call =
      std::make_shared<TransactCall>(gateway_, std::move(basics), shared_from_this(), task.kind,
                                     std::move(task.statement), std::move(task.work));
  TransactionUse use{.caller = basics_.caller.owner(), .step = task.step};
  bool cancelled = false;
  {
    MutexLock lock(mutex_);
    use.id = id_;
    call_ = call;
    cancelled = cancelled_;
  }
  if (cancelled) call->Cancel(StopReason::kCallerLeft);
  gateway_.pools.transactions().Run(std::move(use), call);
}

void TransactReactor::Begun(const std::string& id) {
  MutexLock lock(mutex_);
  id_ = id;
}

absl::Status TransactReactor::Announce(const std::string& token, const Bounds& bounds) {
  Clock& clock = gateway_.pools.clock();
  MutexLock lock(mutex_);
  if (cancelled_) return Stopped(StopReason::kCallerLeft, Stage::kCommitting);
  response_.mutable_committing()->set_commit_token(token);
  sending_ = Sending::kUnderWay;
  StartWrite(&response_);
  const Instant patience = After(clock.Now(), gateway_.slow_reader_timeout);
  while (sending_ == Sending::kUnderWay && !cancelled_) {
    const Instant now = clock.Now();
    const StopReason stopped = bounds.stop == nullptr ? StopReason::kNone : bounds.stop->raised();
    if (stopped != StopReason::kNone) return Stopped(stopped, Stage::kCommitting);
    if (now >= bounds.deadline) return DeadlineExceeded(Stage::kCommitting);
    if (now >= patience) return SlowReader(gateway_.slow_reader_timeout);
    clock.WaitUntil(mutex_, sent_, std::min({patience, bounds.deadline, now + kLook}));
  }
  if (sending_ == Sending::kDone) return absl::OkStatus();
  return Stopped(StopReason::kCallerLeft, Stage::kCommitting);
}

void TransactReactor::Answered(TransactKind kind, absl::Status status, Duration elapsed) {
  bool goes_on = false;
  {
    MutexLock lock(mutex_);
    call_.reset();
    goes_on = (kind == TransactKind::kStep || (kind == TransactKind::kBegin && status.ok())) &&
              !ended_ && !cancelled_ && !(DeadlineIsOver() && !status.ok());
  }
  if (!goes_on) GiveUpTransaction();  // before anybody hears of it; nothing of it may be left
  MutexLock lock(mutex_);
  if (phase_ == Phase::kEnded) return;
  if (goes_on && !ended_) {
    if (!status.ok()) ToTransactError(status, elapsed, *response_.mutable_error());
    return Write();
  }
  if (cancelled_) return End(Stopped(StopReason::kCallerLeft, Stage::kRunning), elapsed);
  if (!status.ok()) return End(WhyEnded(std::move(status)), elapsed);
  if (kind == TransactKind::kAborted) return End(EndedWithoutCommit(), elapsed);
  if (kind == TransactKind::kEnd) return WriteLast(absl::OkStatus());
  WriteLast(WhyEnded(absl::OkStatus()));
}

// A statement's own word on the end of its transaction is the better one.
absl::Status TransactReactor::WhyEnded(absl::Status status) const {
  if (status.ok() && ended_) status = *ended_;
  return AtDeadline(status);
}

// The transaction's total time is never longer than the call's: then it is the call's that ended
// it.
absl::Status TransactReactor::AtDeadline(const absl::Status& status) const {
  const bool expired = DetailOf(status).reason == "TX_EXPIRED";
  return expired && DeadlineIsOver() ? DeadlineExceeded(Stage::kRunning) : status;
}

void TransactReactor::TransactionEnded(const absl::Status& why) {
  {
    MutexLock lock(mutex_);
    if (phase_ == Phase::kRunning) {
      ended_ = why;
      return;
    }
  }
  EndWith(AtDeadline(why));
}

void TransactReactor::EndWith(const absl::Status& status) {
  MutexLock lock(mutex_);
  if (phase_ == Phase::kReading || phase_ == Phase::kWriting) End(status);
}

void TransactReactor::EndUnlessBegun(const absl::Status& status) {
  MutexLock lock(mutex_);
  if (phase_ == Phase::kReading && id_.empty()) End(status);
}

void TransactReactor::CutSlowReader(std::uint64_t write) {
  {
    MutexLock lock(mutex_);
    if (phase_ != Phase::kWriting || writes_ != write) return;
  }
  GiveUpTransaction();
  EndWith(SlowReader(gateway_.slow_reader_timeout));
}

void TransactReactor::OnWriteDone(bool ok) {
  {
    MutexLock lock(mutex_);
    if (sending_ == Sending::kUnderWay) {
      sending_ = ok ? Sending::kDone : Sending::kFailed;
      return sent_.NotifyAll();
    }
    if (phase_ != Phase::kWriting) return;
    patience_.Clear();
    if (result_share_.is_large()) {  // Clear would keep the memory for the next answer
      v1::TransactResponse().Swap(&response_);
      result_share_.GiveBack();
    }
    if (ok && !cancelled_) return Read();
  }
  GiveUpTransaction();
  EndWith(Stopped(StopReason::kCallerLeft, Stage::kRunning));
}

void TransactReactor::OnCancel() {
  std::shared_ptr<Call> call;
  {
    MutexLock lock(mutex_);
    cancelled_ = true;
    call = call_;
    sent_.NotifyAll();
  }
  // The statement that runs is cancelled, what is idle is rolled back: at once. The rest follows
  // when the call has ended, or the read or the write that is under way.
  GiveUpTransaction();
  if (call) call->Cancel(StopReason::kCallerLeft);
}

void TransactReactor::OnDone() {
  waiting_.Remove(this);
  std::shared_ptr<TransactReactor> self;
  MutexLock lock(mutex_);
  done_ = true;
  patience_.Clear();
  cut_.Clear();
  self = std::move(self_);
}

void TransactReactor::GiveUpTransaction() {
  std::string id;
  {
    MutexLock lock(mutex_);
    id = id_;
  }
  if (!id.empty()) gateway_.pools.transactions().Abandon(id);
}

bool TransactReactor::DeadlineIsOver() const {
  return gateway_.pools.clock().Now() >= basics_.options.deadline;
}

void TransactReactor::Read() {
  phase_ = Phase::kReading;
  StartRead(&request_);
}

void TransactReactor::Write() {
  phase_ = Phase::kWriting;
  const std::uint64_t write = ++writes_;
  if (response_.ByteSizeLong() >= kLargeAnswer) {
    patience_.Set(gateway_.slow_reader_timeout, [self = weak_from_this(), write] {
      if (const auto stream = self.lock()) stream->CutSlowReader(write);
    });
  }
  StartWrite(&response_);
}

void TransactReactor::WriteLast(const absl::Status& status) {
  phase_ = Phase::kEnded;
  CutAfter(gateway_.slow_reader_timeout + kGrace);
  StartWriteAndFinish(&response_, grpc::WriteOptions(), ToRpcStatus(status, Duration::zero()));
}

void TransactReactor::End(const absl::Status& status, Duration elapsed) {
  phase_ = Phase::kEnded;
  patience_.Clear();
  CutAfter(kGrace);
  Finish(ToRpcStatus(status, elapsed));
}

// A caller that does not read would not even see the end.
void TransactReactor::CutAfter(Duration patience) {
  cut_.Set(patience, [self = weak_from_this()] {
    const auto stream = self.lock();
    if (!stream) return;
    MutexLock lock(stream->mutex_);
    if (!stream->done_) stream->context_.TryCancel();
  });
}

}  // namespace emsdb
