// The closed loop: each caller calls again as soon as it has its answer.
#include <chrono>
#include <cstddef>
#include <functional>
#include <variant>

#include "client/cli/bench_crew.h"
#include "client/cli/bench_loop.h"
#include "client/cli/bench_runner.h"

namespace emsdb::client::cli {
namespace {

// The callers of one thread.
class ClosedLoop {
 public:
  // Of all callers those whose number leaves `index` when it is divided by the number of threads.
  ClosedLoop(const BenchRun& run, const Times& times, int index)
      : run_(run),
        schedule_(times),
        setting_{.command = run.command,
                 .dialect = run.dialect,
                 .headers = run.headers,
                 .queue = loop_.queue()} {
    for (int i = index; i < InFlight(run.command); i += run.command.threads) {
      const auto number = static_cast<std::size_t>(i);
      callers_.push_back(MakeCaller(setting_, run.lines[number % run.lines.size()], number));
    }
  }

  void Run() {
    const Instant now = std::chrono::steady_clock::now();
    BenchLoop::Next next = BenchLoop::Next::kLeave;
    for (const auto& caller : callers_) next = CallAgain(*caller, now);
    if (next == BenchLoop::Next::kLeave) return;
    loop_.Run([this](Caller& caller, Instant at) { return OnEnd(caller, at); },
              [this] { return LookAround(); });
  }

  BenchLoop& loop() { return loop_; }

 private:
  BenchLoop::Next CallAgain(Caller& caller, Instant now) {
    const NextStep step = stopped_ ? NextStep(NoMoreCalls{}) : schedule_.Next(now);
    if (const auto* call = std::get_if<StartCall>(&step)) {
      caller.under_way = *call;
      caller.Begin();
      ++busy_;
    }
    return busy_ == 0 ? BenchLoop::Next::kLeave : BenchLoop::Next::kGoOn;
  }

  BenchLoop::Next OnEnd(Caller& caller, Instant now) {
    --busy_;
    return CallAgain(caller, now);
  }

  BenchLoop::Next LookAround() {
    if (stopped_ || !run_.cancel.cancelled()) return BenchLoop::Next::kGoOn;
    stopped_ = true;
    loop_.Forgive();
    for (const auto& caller : callers_) {
      if (caller->under_way) caller->Cancel();
    }
    return BenchLoop::Next::kGoOn;
  }

  const BenchRun& run_;
  ClosedSchedule schedule_;
  BenchLoop loop_;
  const CallerSetting setting_;
  std::vector<std::unique_ptr<Caller>> callers_;  // gone before the queue is
  std::size_t busy_ = 0;
  bool stopped_ = false;
};

}  // namespace

BenchOutcome RunClosedLoop(const BenchRun& run) {
  const Times times = TimesOf(run.command, std::chrono::steady_clock::now());
  std::vector<std::unique_ptr<ClosedLoop>> loops;
  std::vector<std::function<void()>> work;
  for (int i = 0; i < run.command.threads; ++i) {
    ClosedLoop& loop = *loops.emplace_back(std::make_unique<ClosedLoop>(run, times, i));
    work.emplace_back([&loop] { loop.Run(); });
  }
  BenchOutcome outcome{.most_under_way = static_cast<std::uint64_t>(InFlight(run.command))};
  outcome.cpu_seconds = RunCrew(work, times.start + times.warm_up, [&] {
    if (!run.progress) return;
    std::uint64_t ended = 0;
    for (const auto& loop : loops) ended += loop->loop().ended();
    run.progress(ended);
  });
  for (const auto& loop : loops) outcome.tally.Merge(loop->loop().tally());
  return outcome;
}

}  // namespace emsdb::client::cli
