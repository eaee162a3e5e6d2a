// The open loop: calls begin when they are due, whatever became of the others. The thread that
// serves the answers begins the calls as well, so that no call is handed from thread to thread.
// What is left for the other one is to watch the clock, since gRPC's own waiting is no finer than a
// millisecond.
#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <thread>
#include <variant>

#include "client/cli/bench_crew.h"
#include "client/cli/bench_loop.h"
#include "client/cli/bench_runner.h"
#include "client/error_info.h"

namespace emsdb::client::cli {
namespace {

// Wakes a loop when its next call is due.
class Ticker {
 public:
  // How often it looks whether something else is due than was said.
  static constexpr Duration kLongest = std::chrono::milliseconds(1);

  Ticker(BenchLoop& loop, Instant first) : loop_(loop), due_(first.time_since_epoch().count()) {}

  void DueAt(Instant due) { due_.store(due.time_since_epoch().count(), std::memory_order_relaxed); }
  void End() { ended_ = true; }

  // Until End(); for a thread of its own.
  void Run() {
    prctl(PR_SET_TIMERSLACK, 1000UL);  // sleeps end within microseconds of their time
    while (!ended_) {
      const Instant now = std::chrono::steady_clock::now();
      const Instant due{Duration(due_.load(std::memory_order_relaxed))};
      if (due <= now) loop_.Wake();
      // Where calls are due more often than this, some of them begin together.
      const Instant next = std::max(due, now + kShortest);
      std::this_thread::sleep_until(std::min(next, now + kLongest));
    }
  }

 private:
  static constexpr Duration kShortest = std::chrono::microseconds(50);

  BenchLoop& loop_;
  std::atomic<std::int64_t> due_;
  std::atomic<bool> ended_{false};
};

// What one thread does of it: each of so many calls, where there are so many threads.
class OpenLoop {
 public:
  OpenLoop(const BenchRun& run, const Times& times, int index)
      : run_(run),
        schedule_(times, *run.command.rate, Deadlines(run.command).max,
                  {.index = index, .of = run.command.threads}),
        setting_{.command = run.command,
                 .dialect = run.dialect,
                 .headers = run.headers,
                 .queue = loop_.queue()},
        most_(static_cast<std::size_t>(InFlight(run.command) / run.command.threads)),
        index_(static_cast<std::size_t>(index)),
        ticker_(loop_, times.start) {}

  void Run() {
    std::thread clock([this] { ticker_.Run(); });
    loop_.Run(
        [this](Caller& caller, Instant now) {
          --busy_;
          free_.push_back(&caller);
          return BeginDue(now);
        },
        [this] {
          if (run_.cancel.cancelled()) CancelAll();
          return BeginDue(std::chrono::steady_clock::now());
        });
    ticker_.End();
    clock.join();
  }

  BenchLoop& loop() { return loop_; }
  std::uint64_t most_under_way() const { return most_under_way_; }
  std::uint64_t never_begun() const { return stopped_ ? 0 : schedule_.never_begun(); }

 private:
  BenchLoop::Next BeginDue(Instant now) {
    Instant wake_at = now + Ticker::kLongest;
    while (!stopped_ && !schedule_.IsOver(now)) {
      Caller* caller = FreeCaller();
      if (caller == nullptr) break;
      const NextStep step = schedule_.Next(now);
      if (const auto* wait = std::get_if<WaitUntil>(&step)) {
        wake_at = wait->until;
        break;
      }
      free_.pop_back();
      caller->under_way = std::get<StartCall>(step);
      caller->Begin();
      most_under_way_ = std::max(most_under_way_, ++busy_);
    }
    ticker_.DueAt(wake_at);
    const bool over = busy_ == 0 && (stopped_ || schedule_.IsOver(now));
    return over ? BenchLoop::Next::kLeave : BenchLoop::Next::kGoOn;
  }

  // One that has no call, which stays where it is; null where there are as many as there may be.
  Caller* FreeCaller() {
    if (free_.empty() && callers_.size() < most_) {
      const std::size_t number =
          callers_.size() * static_cast<std::size_t>(run_.command.threads) + index_;
      callers_.push_back(MakeCaller(setting_, run_.lines[number % run_.lines.size()], number));
      free_.push_back(callers_.back().get());
    }
    return free_.empty() ? nullptr : free_.back();
  }

  void CancelAll() {
    if (stopped_) return;
    stopped_ = true;
    loop_.Forgive();
    for (const auto& caller : callers_) {
      if (caller->under_way) caller->Cancel();
    }
  }

  const BenchRun& run_;
  OpenSchedule schedule_;
  BenchLoop loop_;
  const CallerSetting setting_;
  const std::size_t most_;
  const std::size_t index_;
  Ticker ticker_;
  std::vector<std::unique_ptr<Caller>> callers_;  // gone before the queue is
  std::vector<Caller*> free_;
  std::uint64_t busy_ = 0;
  std::uint64_t most_under_way_ = 0;
  bool stopped_ = false;
};

absl::Status NeverBegun() {
  return WithErrorInfo(absl::ResourceExhaustedError("calls were due that were never begun: too "
                                                    "many were under way (--in-flight)"),
                       {.reason = "NOT_BEGUN"});
}

}  // namespace

BenchOutcome RunOpenLoop(const BenchRun& run) {
  const Times times = TimesOf(run.command, std::chrono::steady_clock::now());
  std::vector<std::unique_ptr<OpenLoop>> loops;
  std::vector<std::function<void()>> work;
  for (int i = 0; i < run.command.threads; ++i) {
    OpenLoop& loop = *loops.emplace_back(std::make_unique<OpenLoop>(run, times, i));
    work.emplace_back([&loop] { loop.Run(); });
  }
  BenchOutcome outcome;
  outcome.cpu_seconds = RunCrew(work, times.start + times.warm_up, [&] {
    if (!run.progress) return;
    std::uint64_t ended = 0;
    for (const auto& loop : loops) ended += loop->loop().ended();
    run.progress(ended);
  });
  for (const auto& loop : loops) {
    outcome.tally.Merge(loop->loop().tally());
    outcome.most_under_way += loop->most_under_way();
    if (loop->never_begun() > 0) outcome.tally.AddError(NeverBegun(), loop->never_begun());
  }
  return outcome;
}

}  // namespace emsdb::client::cli
