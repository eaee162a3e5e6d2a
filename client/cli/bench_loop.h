// The part of a benchmark that one thread does: it waits for the events of its callers' calls, and
// counts each call that has ended.
#ifndef EMSDB_CLIENT_CLI_BENCH_LOOP_H_
#define EMSDB_CLIENT_CLI_BENCH_LOOP_H_

#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "client/cancel.h"
#include "client/cli/bench_caller.h"
#include "client/cli/bench_tally.h"

namespace emsdb::client::cli {

// Run() is for one thread, which owns the tally until it returns. It begins the calls, too.
class BenchLoop {
 public:
  // How often it looks around while calls keep it waiting.
  static constexpr Duration kLookEvery = std::chrono::milliseconds(50);

  BenchLoop() = default;
  ~BenchLoop();
  BenchLoop(const BenchLoop&) = delete;
  BenchLoop& operator=(const BenchLoop&) = delete;

  grpc::CompletionQueue& queue() { return queue_; }

  enum class Next { kGoOn, kLeave };
  // What becomes of a caller whose call has ended, and was counted.
  using OnEnd = std::function<Next(Caller&, Instant now)>;
  // Called now and then, and after each Wake().
  using OnLook = std::function<Next()>;

  // Until one of them says that it is over.
  void Run(const OnEnd& on_end, const OnLook& on_look);

  // Lets the thread in Run() look around now; for one other thread.
  void Wake();

  // From now on calls that end as cancelled are none of the server's doing.
  void Forgive() { forgiving_ = true; }

  Tally& tally() { return tally_; }

  // Measured calls that have ended so far; for any thread.
  std::uint64_t ended() const { return ended_.load(std::memory_order_relaxed); }

 private:
  void Count(Caller& caller, Instant now);

  grpc::CompletionQueue queue_;
  grpc::Alarm alarm_;  // the way to wake who waits on a queue
  std::atomic<bool> waking_{false};
  Tally tally_;
  bool forgiving_ = false;
  std::atomic<std::uint64_t> ended_{0};
};

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_BENCH_LOOP_H_
