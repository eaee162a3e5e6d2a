#include "server/watches.h"

#include <grpcpp/alarm.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "pool/errors.h"
#include "server/pool_status.h"
#include "server/reactors.h"
#include "server/rpc_status.h"

namespace emsdb {
namespace {

constexpr char kRpc[] = "WatchPoolStatus";
constexpr Duration kUnsetInterval = std::chrono::seconds(1);
constexpr Duration kShortestInterval = std::chrono::milliseconds(100);
constexpr std::int64_t kLongestSeconds = 3600;
// How long after its end a stream that nobody reads is cut.
constexpr Duration kGrace = std::chrono::seconds(5);

absl::StatusOr<Duration> IntervalOf(const v1::WatchPoolStatusRequest& request) {
  if (!request.has_interval()) return kUnsetInterval;
  const google::protobuf::Duration& interval = request.interval();
  // In seconds first: what is far too long would overflow below.
  const bool fits = interval.seconds() >= 0 && interval.seconds() <= kLongestSeconds;
  const Duration wanted = std::chrono::seconds(fits ? interval.seconds() : 0) +
                          std::chrono::nanoseconds(interval.nanos());
  if (!fits || wanted < kShortestInterval || wanted > std::chrono::seconds(kLongestSeconds)) {
    return InvalidField("interval", "a duration from 0.1 s to 3600 s is wanted");
  }
  return wanted;
}

}  // namespace

// One stream. gRPC holds it until OnDone; a timer or a drain that comes in at that moment holds it
// a little longer, and finds that it has ended. It is finished when nothing of it is under way any
// more: no write, and no snapshot, which needs the gateway.
class Watch final : public WatchReactor, public std::enable_shared_from_this<Watch> {
 public:
  struct Plan {
    Caller caller;
    std::string database;  // empty: all
    Duration interval{};
    Instant deadline{};
  };

  Watch(Gateway& gateway, grpc::CallbackServerContext& context)
      : gateway_(gateway), context_(context) {}

  void Begin(Plan plan) {
    self_ = shared_from_this();
    plan_ = std::move(plan);
    {
      MutexLock lock(mutex_);
      next_ = gateway_.pools.clock().Now();
    }
    Tick();
  }

  // Ends a stream that never began.
  void Refuse(const absl::Status& status) {
    self_ = shared_from_this();
    End(status);
  }

  // What comes after the first time does nothing.
  void End(const absl::Status& status) {
    std::unique_ptr<grpc::Alarm> timer;
    {
      MutexLock lock(mutex_);
      if (end_) return;
      end_ = ToRpcStatus(status, Duration::zero());
      timer = std::move(timer_);
      if (writing_) CallAfter(kGrace, &Watch::Cut);
    }
    FinishIfOver();
  }

  void OnWriteDone(bool ok) override {
    {
      MutexLock lock(mutex_);
      writing_ = false;
    }
    if (!ok) End(Stopped(StopReason::kCallerLeft, Stage::kRunning));
    FinishIfOver();
  }

  // gRPC ends a call whose deadline has passed in the same way.
  void OnCancel() override { End(Stopped(StopReason::kCallerLeft, Stage::kRunning)); }

  void OnDone() override { const std::shared_ptr<Watch> last = std::move(self_); }

 private:
  // A reader that does not read would hold the end back for as long. gRPC's context lives until
  // the stream is finished, which waits for this.
  void Cut() {
    {
      MutexLock lock(mutex_);
      if (!writing_) return;
      cutting_ = true;
    }
    context_.TryCancel();
    {
      MutexLock lock(mutex_);
      cutting_ = false;
    }
    FinishIfOver();
  }

  void Tick() {
    {
      MutexLock lock(mutex_);
      if (end_) return;
      looking_ = true;
    }
    v1::WatchPoolStatusResponse snapshot;
    const absl::Status status = Look(snapshot);
    {
      MutexLock lock(mutex_);
      looking_ = false;
    }
    if (!status.ok()) End(status);
    if (!SendAndGoOn(snapshot)) FinishIfOver();
  }

  absl::Status Look(v1::WatchPoolStatusResponse& snapshot) {
    if (gateway_.pools.clock().Now() >= plan_.deadline) return DeadlineExceeded(Stage::kRunning);
    const auto databases = Selected(gateway_, plan_.caller, plan_.database);
    if (!databases.ok()) return databases.status();
    for (Database* database : *databases) Describe(gateway_, *database, *snapshot.add_pools());
    return absl::OkStatus();
  }

  // Sends the snapshot, unless the one before is still on its way: a slow reader misses some. False
  // if the stream has ended.
  bool SendAndGoOn(v1::WatchPoolStatusResponse& snapshot) {
    {
      MutexLock lock(mutex_);
      if (end_) return false;
      ArmTimer();
      if (writing_) return true;
      writing_ = true;
    }
    out_.Swap(&snapshot);
    StartWrite(&out_);
    return true;
  }

  void FinishIfOver() {
    grpc::Status status;
    {
      MutexLock lock(mutex_);
      if (!end_ || writing_ || looking_ || cutting_ || finished_) return;
      finished_ = true;
      status = *end_;
    }
    Finish(status);
  }

  void ArmTimer() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const Instant now = gateway_.pools.clock().Now();
    // From the moment it was due, so that the beat does not slow down; late ones are left out.
    do next_ += plan_.interval;
    while (next_ <= now);
    CallAfter(std::min(next_, plan_.deadline) - now, &Watch::Tick);
  }

  void CallAfter(Duration wait, void (Watch::*then)()) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto when = std::chrono::system_clock::now() +
                      std::chrono::duration_cast<std::chrono::system_clock::duration>(wait);
    // A new one each time: an alarm must not be set again while it calls. It holds no right to the
    // stream, or the two would keep each other for ever.
    timer_ = std::make_unique<grpc::Alarm>();
    timer_->Set(when, [weak = weak_from_this(), then](bool due) {
      const auto watch = weak.lock();
      if (watch && due) (*watch.*then)();
    });
  }

  Gateway& gateway_;
  grpc::CallbackServerContext& context_;
  std::shared_ptr<Watch> self_;  // until OnDone
  Plan plan_;
  v1::WatchPoolStatusResponse out_;  // gRPC's while writing_

  Mutex mutex_;
  Instant next_ ABSL_GUARDED_BY(mutex_){};
  std::unique_ptr<grpc::Alarm> timer_ ABSL_GUARDED_BY(mutex_);
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool looking_ ABSL_GUARDED_BY(mutex_) = false;
  bool cutting_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

namespace {

absl::StatusOr<Watch::Plan> PlanOf(Gateway& gateway, const grpc::ServerContextBase& context,
                                   const v1::WatchPoolStatusRequest& request) {
  const auto basics = Admit(kRpc, context, gateway, v1::PRIORITY_UNSPECIFIED, kLongestDeadline);
  if (!basics.ok()) return basics.status();
  const auto interval = IntervalOf(request);
  if (!interval.ok()) return interval.status();
  const auto selected = Selected(gateway, basics->caller, request.database());
  if (!selected.ok()) return selected.status();
  return Watch::Plan{basics->caller, request.database(), *interval, basics->options.deadline};
}

}  // namespace

WatchReactor* Watches::Start(Gateway& gateway, grpc::CallbackServerContext& context,
                             const v1::WatchPoolStatusRequest& request) {
  const auto watch = std::make_shared<Watch>(gateway, context);
  auto plan = PlanOf(gateway, context, request);
  if (plan.ok() && !Enter(watch)) plan = OpenCalls::ShuttingDown();
  if (plan.ok()) {
    watch->Begin(*std::move(plan));
  } else {
    ReportRefusal(gateway, kRpc, context, plan.status());
    watch->Refuse(plan.status());
  }
  return watch.get();
}

bool Watches::Enter(const std::shared_ptr<Watch>& watch) {
  MutexLock lock(mutex_);
  if (ended_) return false;
  std::erase_if(open_, [](const auto& open) { return open.expired(); });
  open_.push_back(watch);
  return true;
}

void Watches::EndAll() {
  std::vector<std::weak_ptr<Watch>> open;
  {
    MutexLock lock(mutex_);
    ended_ = true;
    open.swap(open_);
  }
  for (const auto& each : open) {
    if (const auto watch = each.lock()) watch->End(OpenCalls::ShuttingDown());
  }
}

}  // namespace emsdb
