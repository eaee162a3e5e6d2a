#include "client/cli/bench_loop.h"

#include <optional>

namespace emsdb::client::cli {

BenchLoop::~BenchLoop() {
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

void BenchLoop::Count(Caller& caller, Instant now) {
  const StartCall call = *caller.under_way;
  caller.under_way.reset();
  if (call.counting != Counting::kMeasured) return;
  if (forgiving_ && caller.status().error_code() == grpc::StatusCode::CANCELLED) return;
  tally_.Add(caller, call, now);
  // One thread writes: cheaper than an addition that others may interrupt.
  ended_.store(ended_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

// In the past, so that it goes off at once: a time from now on would be rounded up to a
// millisecond.
void BenchLoop::Wake() {
  if (!waking_.exchange(true)) alarm_.Set(&queue_, gpr_inf_past(GPR_CLOCK_MONOTONIC), this);
}

void BenchLoop::Run(const OnEnd& on_end, const OnLook& on_look) {
  Instant now = std::chrono::steady_clock::now();
  Instant look_at = now + kLookEvery;
  gpr_timespec wait_until = ToGrpc(look_at);
  while (true) {
    void* tag = nullptr;
    bool ok = false;
    const auto got = queue_.AsyncNext(&tag, &ok, wait_until);
    now = std::chrono::steady_clock::now();
    const bool woken = got == grpc::CompletionQueue::GOT_EVENT && tag == this;
    if (woken) waking_ = false;
    if (got == grpc::CompletionQueue::GOT_EVENT && !woken) {
      auto& caller = *static_cast<Caller*>(tag);
      if (caller.On(ok) == Caller::State::kEnded) {
        Count(caller, now);
        if (on_end(caller, now) == Next::kLeave) return;
      }
    }
    if (now < look_at && !woken && got != grpc::CompletionQueue::TIMEOUT) continue;
    if (on_look() == Next::kLeave) return;
    look_at = now + kLookEvery;
    wait_until = ToGrpc(look_at);
  }
}

}  // namespace emsdb::client::cli
