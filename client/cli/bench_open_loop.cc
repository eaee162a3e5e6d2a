// The open loop: one thread begins the calls when they are due, others serve their answers. A clock
// of its own for the beginnings: gRPC's waiting is no finer than a millisecond.
#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>

#include "client/cli/bench_crew.h"
#include "client/cli/bench_loop.h"
#include "client/cli/bench_runner.h"
#include "client/error_info.h"

namespace emsdb::client::cli {
namespace {

// Callers that have no call. For any thread.
class FreeCallers {
 public:
  Caller* Take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return nullptr;
    Caller* caller = free_.back();
    free_.pop_back();
    return caller;
  }

  void Give(Caller& caller) {
    {
      const std::lock_guard lock(mutex_);
      free_.push_back(&caller);
    }
    given_.notify_one();
  }

  void WaitForOne(Duration at_most) {
    std::unique_lock lock(mutex_);
    given_.wait_for(lock, at_most, [this] { return !free_.empty(); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable given_;
  std::vector<Caller*> free_;
};

// A thread that serves answers, and its callers: made by the thread that begins the calls, looked
// at by this one after that one has ended.
struct Desk {
  BenchLoop loop;
  std::vector<std::unique_ptr<Caller>> callers;
  bool cancelled = false;
};

class OpenLoop {
 public:
  OpenLoop(const BenchRun& run, const Times& times)
      : run_(run), schedule_(times, *run.command.rate, Deadlines(run.command).max) {
    for (int i = 0; i < run.command.threads; ++i) desks_.push_back(std::make_unique<Desk>());
  }

  std::vector<std::function<void()>> Work() {
    std::vector<std::function<void()>> work{[this] { BeginCalls(); }};
    for (const auto& desk : desks_) work.emplace_back([this, &desk] { Serve(*desk); });
    return work;
  }

  std::uint64_t ended() const {
    std::uint64_t ended = 0;
    for (const auto& desk : desks_) ended += desk->loop.ended();
    return ended;
  }

  BenchOutcome TakeOutcome() {
    BenchOutcome outcome{.most_under_way = most_under_way_};
    for (const auto& desk : desks_) outcome.tally.Merge(desk->loop.tally());
    const std::uint64_t left = run_.cancel.cancelled() ? 0 : schedule_.never_begun();
    if (left > 0) {
      outcome.tally.AddError(
          WithErrorInfo(absl::ResourceExhaustedError("calls were due that were never begun: too "
                                                     "many were under way (--in-flight)"),
                        {.reason = "NOT_BEGUN"}),
          left);
    }
    return outcome;
  }

 private:
  void BeginCalls() {
    prctl(PR_SET_TIMERSLACK, 1000UL);  // sleeps end within microseconds of their time
    Caller* caller = nullptr;
    while (!run_.cancel.cancelled()) {
      const Instant now = std::chrono::steady_clock::now();
      if (schedule_.IsOver(now)) break;
      if (caller == nullptr) caller = NextCaller();
      if (caller == nullptr) {
        free_.WaitForOne(BenchLoop::kLookEvery);
        continue;
      }
      const NextStep step = schedule_.Next(now);
      if (const auto* call = std::get_if<StartCall>(&step)) {
        Begin(*std::exchange(caller, nullptr), *call);
      } else if (const auto* wait = std::get_if<WaitUntil>(&step)) {
        std::this_thread::sleep_until(std::min(wait->until, now + BenchLoop::kLookEvery));
      }
    }
    all_begun_ = true;
  }

  void Begin(Caller& caller, const StartCall& call) {
    most_under_way_ = std::max(most_under_way_, ++under_way_);
    caller.under_way = call;
    caller.Begin();
  }

  // A free one, or a new one; null where there are as many as there may be.
  Caller* NextCaller() {
    if (Caller* caller = free_.Take(); caller != nullptr) return caller;
    if (made_ == static_cast<std::size_t>(InFlight(run_.command))) return nullptr;
    Desk& desk = *desks_[made_ % desks_.size()];
    const CallerSetting setting{.command = run_.command,
                                .dialect = run_.dialect,
                                .headers = run_.headers,
                                .queue = desk.loop.queue()};
    desk.callers.push_back(MakeCaller(setting, run_.lines[made_ % run_.lines.size()], made_));
    ++made_;
    return desk.callers.back().get();
  }

  void Serve(Desk& desk) {
    desk.loop.Run(
        [this](Caller& caller, Instant) {
          --under_way_;
          free_.Give(caller);
          return WhetherToGoOn();
        },
        [this, &desk] {
          if (all_begun_ && run_.cancel.cancelled()) CancelAll(desk);
          return WhetherToGoOn();
        });
  }

  BenchLoop::Next WhetherToGoOn() const {
    return all_begun_ && under_way_ == 0 ? BenchLoop::Next::kLeave : BenchLoop::Next::kGoOn;
  }

  static void CancelAll(Desk& desk) {
    if (std::exchange(desk.cancelled, true)) return;
    desk.loop.Forgive();
    for (const auto& caller : desk.callers) {
      if (caller->under_way) caller->Cancel();
    }
  }

  const BenchRun& run_;
  OpenSchedule schedule_;
  std::vector<std::unique_ptr<Desk>> desks_;
  FreeCallers free_;
  std::size_t made_ = 0;
  std::uint64_t most_under_way_ = 0;
  std::atomic<std::uint64_t> under_way_{0};
  std::atomic<bool> all_begun_{false};
};

}  // namespace

BenchOutcome RunOpenLoop(const BenchRun& run) {
  const Times times = TimesOf(run.command, std::chrono::steady_clock::now());
  OpenLoop loop(run, times);
  const double cpu = RunCrew(loop.Work(), times.start + times.warm_up, [&] {
    if (run.progress) run.progress(loop.ended());
  });
  BenchOutcome outcome = loop.TakeOutcome();
  outcome.cpu_seconds = cpu;
  return outcome;
}

}  // namespace emsdb::client::cli
