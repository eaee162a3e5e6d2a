// A PoolState and the world around it, played by hand in one thread: what each step decided is kept
// for the test to look at, and after each step the bound is checked.
#ifndef EMSDB_TESTS_POOL_STATE_PLAY_H_
#define EMSDB_TESTS_POOL_STATE_PLAY_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "pool/pool_state.h"

namespace emsdb {

using Ask = Checkout;

inline PoolLimits Limits(int size, int overflow) {
  PoolLimits limits;
  limits.size = size;
  limits.overflow = overflow;
  return limits;
}

// Public data: the test reads what a step did, and moves `now`.
class StatePlay {
 public:
  explicit StatePlay(const PoolLimits& limits) : state(limits) {}

  PoolState::Arrival Arrive(const Ask& ask = {}) {
    did = {};
    const auto arrival = state.Arrive(now, ask, did);
    Check();
    return arrival;
  }
  bool Withdraw(Ticket ticket) {
    did = {};
    const bool withdrawn = state.Withdraw(ticket);
    Check();
    return withdrawn;
  }
  void Opened(SlotId slot) {
    did = {};
    state.Opened(now, slot, did);
    Check();
  }
  void OpenFailed(SlotId slot, OpenFailure failure = OpenFailure::kUnreachable) {
    did = {};
    state.OpenFailed(now, slot, failure, did);
    Check();
  }
  void Closed(SlotId slot) {
    did = {};
    state.Closed(now, slot, did);
    Check();
  }
  void Return(SlotId slot, Condition condition = Condition::kGood) {
    did = {};
    state.Returned(now, slot, condition, now, did);
    Check();
  }
  Ticket FoundStale(SlotId slot) {
    did = {};
    const Ticket ticket = state.FoundStale(now, slot, did);
    Check();
    return ticket;
  }
  void Tick() {
    did = {};
    state.Tick(now, did);
    Check();
  }
  void Drain() {
    did = {};
    state.Drain(did);
    Check();
  }
  void Resume() {
    did = {};
    state.Resume(now, did);
    Check();
  }
  void Reconnect() {
    did = {};
    state.Reconnect(now, did);
    Check();
  }
  void Resize(int size, int overflow) {
    did = {};
    state.Resize(now, size, overflow, did);
    Check();
  }
  void RefuseAll() {
    did = {};
    state.RefuseAll(did);
    Check();
  }

  // Arrives and gets a connection, opened for it if need be; -1 and a failure if it does not.
  SlotId Take(const Ask& ask = {}) {
    Arrive(ask);
    if (did.grants.empty() && did.opens.size() == 1) Opened(SlotId(did.opens[0]));
    EXPECT_EQ(did.grants.size(), 1u);
    return did.grants.empty() ? -1 : did.grants[0].slot;
  }

  // The only one of its kind that the last step decided.
  std::optional<CloseReason> closed() const {
    if (did.closes.size() != 1) return std::nullopt;
    return did.closes[0].reason;
  }
  std::optional<RefusalReason> refused() const {
    if (did.refusals.size() != 1) return std::nullopt;
    return did.refusals[0].reason;
  }
  std::optional<Ticket> granted() const {
    if (did.grants.size() != 1) return std::nullopt;
    return did.grants[0].ticket;
  }

  PoolState state;
  Actions did;
  Instant now{std::chrono::hours(1)};

 private:
  void Check() const {
    const PoolState::Counts counts = state.counts();
    const int live = counts.idle + counts.leased + counts.opening + counts.closing;
    // After Resize those beyond the limit go as they come back; no more are opened.
    EXPECT_LE(live, std::max(state.limits().limit(), live_before_));
    live_before_ = live;
  }

  mutable int live_before_ = 0;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_POOL_STATE_PLAY_H_
