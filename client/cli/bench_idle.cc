// Connections that are opened, used once, and held.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

#include "client/cli/bench_crew.h"
#include "client/cli/bench_loop.h"
#include "client/cli/bench_runner.h"
#include "client/error_info.h"

namespace emsdb::client::cli {
namespace {

class IdleConnections {
 public:
  explicit IdleConnections(const BenchRun& run)
      : run_(run),
        setting_{.command = run.command,
                 .dialect = run.dialect,
                 .headers = run.headers,
                 .queue = loop_.queue()} {
    for (std::size_t i = 0; i < run.lines.size(); ++i) {
      callers_.push_back(MakeCaller(setting_, run.lines[i], i));
    }
  }

  void Open() {
    const auto at_once = static_cast<std::size_t>(InFlight(run_.command));
    for (std::size_t i = 0; i < std::min(at_once, callers_.size()); ++i) OpenNext();
    loop_.Run(
        [this](Caller& caller, Instant) {
          --busy_;
          // Only what has been connected can be lost.
          if (caller.status().ok()) ++connected_;
          return OpenNext();
        },
        [this] {
          if (run_.cancel.cancelled()) CancelAll();
          return BenchLoop::Next::kGoOn;
        });
  }

  // Somebody has to wait on the queue: without it nobody hears that a connection is lost.
  void Hold(Duration for_how_long) {
    const Instant until = std::chrono::steady_clock::now() + for_how_long;
    loop_.Run([](Caller&, Instant) { return BenchLoop::Next::kGoOn; },
              [this, until] {
                const bool over =
                    run_.cancel.cancelled() || std::chrono::steady_clock::now() >= until;
                return over ? BenchLoop::Next::kLeave : BenchLoop::Next::kGoOn;
              });
  }

  BenchOutcome TakeOutcome() {
    const auto standing = static_cast<std::size_t>(
        std::count_if(run_.lines.begin(), run_.lines.end(), [](const auto& line) {
          return line->channel->GetState(/*try_to_connect=*/false) == GRPC_CHANNEL_READY;
        }));
    BenchOutcome outcome{.tally = std::move(loop_.tally()),
                         .most_under_way = std::min<std::uint64_t>(
                             static_cast<std::uint64_t>(InFlight(run_.command)), callers_.size())};
    if (standing < connected_) {
      outcome.tally.AddError(
          WithErrorInfo(absl::UnavailableError("connections were lost while they were held"),
                        {.reason = "CONNECTION_LOST"}),
          connected_ - standing);
    }
    return outcome;
  }

 private:
  BenchLoop::Next OpenNext() {
    if (next_ < callers_.size() && !cancelled_) {
      Caller& caller = *callers_[next_++];
      caller.under_way = StartCall{std::chrono::steady_clock::now(), Counting::kMeasured};
      caller.Begin();
      ++busy_;
    }
    return busy_ == 0 ? BenchLoop::Next::kLeave : BenchLoop::Next::kGoOn;
  }

  void CancelAll() {
    if (std::exchange(cancelled_, true)) return;
    loop_.Forgive();
    for (const auto& caller : callers_) {
      if (caller->under_way) caller->Cancel();
    }
  }

  const BenchRun& run_;
  BenchLoop loop_;
  const CallerSetting setting_;
  std::vector<std::unique_ptr<Caller>> callers_;  // gone before the queue is
  std::size_t next_ = 0;
  std::size_t busy_ = 0;
  std::size_t connected_ = 0;
  bool cancelled_ = false;
};

}  // namespace

BenchOutcome RunIdle(const BenchRun& run, const std::function<void()>& ready) {
  const double cpu_before = CpuSeconds();
  IdleConnections connections(run);
  connections.Open();
  if (!run.cancel.cancelled()) ready();
  connections.Hold(TimesOf(run.command, {}).measured);
  BenchOutcome outcome = connections.TakeOutcome();
  outcome.cpu_seconds = CpuSeconds() - cpu_before;
  return outcome;
}

}  // namespace emsdb::client::cli
