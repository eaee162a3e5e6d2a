#include "pool/pool_state.h"

#include <algorithm>
#include <cassert>
#include <iterator>

namespace emsdb {
namespace {

// So many openings at once, and no more: each costs the server a process and a handshake.
constexpr int kMostOpening = 16;
constexpr Duration kHeldLongUnset = std::chrono::seconds(30);

}  // namespace

std::string_view CloseReasonName(CloseReason reason) {
  switch (reason) {
    case CloseReason::kOverflow:
      return "overflow";
    case CloseReason::kRecycled:
      return "recycled";
    case CloseReason::kInvalidated:
      return "invalidated";
    case CloseReason::kStale:
      return "stale";
    case CloseReason::kBroken:
      return "broken";
    case CloseReason::kDirty:
      return "dirty";
    case CloseReason::kOutgrown:
      return "outgrown";
    case CloseReason::kResized:
      return "resized";
    case CloseReason::kShutdown:
      return "shutdown";
  }
  return "";
}

std::string_view RefusalReasonName(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::kTimedOut:
      return "timed_out";
    case RefusalReason::kDeadline:
      return "deadline";
    case RefusalReason::kLineFull:
      return "line_full";
    case RefusalReason::kLeaseLimit:
      return "lease_limit";
    case RefusalReason::kConnectFailed:
      return "connect_failed";
    case RefusalReason::kDown:
      return "down";
    case RefusalReason::kPaused:
      return "paused";
    case RefusalReason::kHopeless:
      return "hopeless";
    case RefusalReason::kShutdown:
      return "shutdown";
  }
  return "";
}

std::string_view ResetResultName(ResetResult result) {
  return result == ResetResult::kDone ? "done" : "failed";
}

std::string_view PoolModeName(PoolMode mode) {
  switch (mode) {
    case PoolMode::kRunning:
      return "running";
    case PoolMode::kPaused:
      return "paused";
    case PoolMode::kDown:
      return "down";
    case PoolMode::kDraining:
      return "draining";
  }
  return "";
}

PoolState::PoolState(const PoolLimits& limits) : limits_(limits), slots_(limits.limit()) {
  empty_.reserve(slots_.size());
  for (SlotId slot = limits.limit() - 1; slot >= 0; --slot) empty_.push_back(slot);
  in_phase_[static_cast<int>(Phase::kEmpty)] = limits.limit();
}

PoolState::Arrival PoolState::Arrive(Instant now, Priority priority, Purpose purpose,
                                     Instant caller_deadline, Actions& actions) {
  if (draining_) return {RefusalReason::kShutdown, {}};
  if (caller_deadline <= now) return {RefusalReason::kDeadline, {}};
  // Where leases may have every connection, the bound protects nobody: a lease waits its turn then,
  // as for an embedded database's only writer.
  const bool bounded = limits_.leased_limit() < limits_.limit();
  if (purpose == Purpose::kLease && bounded && leases_ >= limits_.leased_limit()) {
    return {RefusalReason::kLeaseLimit, {}};
  }
  // A time-out of zero means not to wait for others; an opening of its own takes its time.
  const bool no_wait = limits_.timeout == Duration::zero();
  const Duration patience = no_wait ? kConnectTimeout : limits_.timeout;
  const Claim claim = {priority, purpose, now, After(now, patience), caller_deadline};
  if (limits_.refuse_hopeless && Hopeless(now, claim)) return {RefusalReason::kHopeless, {}};
  const Ticket ticket = line_.Join(claim);
  if (purpose == Purpose::kLease) ++leases_;
  Serve(now, actions);
  if (line_.Find(ticket) == nullptr) return {std::nullopt, ticket};
  std::optional<RefusalReason> refused;
  // Waiters for whom a connection is being opened, or replaced, stand in line as well, but are not
  // what the bound is for.
  int behind_others = line_.size() - In(Phase::kOpening) - In(Phase::kClosing);
  // Who may not wait for others to come back gets an opening, worthwhile or not.
  for (const int bound = no_wait ? 0 : limits_.max_waiters;
       behind_others > bound && MayOpen() && In(Phase::kOpening) < Wanted(); --behind_others) {
    Open(now, actions);
  }
  if (outage_.down() && !paused_) {
    refused = RefusalReason::kDown;
  } else if (no_wait && paused_) {
    refused = RefusalReason::kPaused;
  } else if (behind_others > limits_.max_waiters) {
    refused = RefusalReason::kLineFull;
  } else if (no_wait && behind_others > 0) {
    refused = RefusalReason::kTimedOut;
  }
  if (refused) {
    DropClaim(line_.Leave(ticket));
    return {refused, {}};
  }
  line_.Watch(ticket);
  return {std::nullopt, ticket};
}

bool PoolState::Withdraw(Ticket ticket) {
  if (line_.Find(ticket) == nullptr) return false;
  DropClaim(line_.Leave(ticket));
  return true;
}

void PoolState::Opened(Instant now, SlotId id, Actions& actions) {
  Slot& slot = slots_[id];
  assert(slot.phase == Phase::kOpening);
  outage_.Opened();
  turnover_.Opened(now - slot.since);
  slot.generation = generation_;
  slot.recycle_at = RecycleAt(now, id);
  slot.answered = now;
  Move(slot, Phase::kIdle);
  idle_.push_back(id);
  if (Beyond()) StartClosing(id, CloseReason::kResized, actions);
  Serve(now, actions);
  if (slot.phase != Phase::kIdle) return;
  if (draining_) {
    StartClosing(id, CloseReason::kShutdown, actions);
  } else if (In(Phase::kIdle) > limits_.size) {
    StartClosing(id, CloseReason::kOverflow, actions);
  }
}

void PoolState::OpenFailed(Instant now, SlotId id, OpenFailure failure, Actions& actions) {
  Slot& slot = slots_[id];
  assert(slot.phase == Phase::kOpening);
  Move(slot, Phase::kEmpty);
  empty_.push_back(id);
  outage_.Failed(now, failure, In(Phase::kLeased));
  RefuseIfDown(actions);
  // Nobody has to hear of it while others come back, or as many openings go on as are wanted.
  const bool others = In(Phase::kLeased) > leases_leased_;
  if (!others && !paused_ && Wanted() > In(Phase::kOpening)) {
    const Ticket first = *line_.Next(LowestServed());
    DropClaim(line_.Leave(first));
    actions.refusals.push_back({first, RefusalReason::kConnectFailed});
  }
  Serve(now, actions);
}

void PoolState::Closed(Instant now, SlotId id, Actions& actions) {
  Slot& slot = slots_[id];
  assert(slot.phase == Phase::kClosing);
  Move(slot, Phase::kEmpty);
  empty_.push_back(id);
  Serve(now, actions);
}

void PoolState::Returned(Instant now, SlotId id, Condition condition, Instant answered,
                         Actions& actions) {
  Slot& slot = slots_[id];
  assert(slot.phase == Phase::kLeased);
  GiveBack(slot);
  DropClaim(slot.claim);
  slot.answered = answered;
  idle_.push_back(id);
  if (slot.claim.purpose == Purpose::kStatement) turnover_.Held(now - slot.since);
  if (condition == Condition::kGood || condition == Condition::kOutgrown) outage_.CameBackWell();
  if (condition == Condition::kBroken) {
    // Only connections as old as the one that died are suspect.
    if (slot.generation == generation_) Invalidate();
    StartClosing(id, CloseReason::kBroken, actions);
  } else if (condition == Condition::kDirty) {
    StartClosing(id, CloseReason::kDirty, actions);
  } else if (condition == Condition::kOutgrown) {
    StartClosing(id, CloseReason::kOutgrown, actions);
  } else if (Beyond()) {
    StartClosing(id, CloseReason::kResized, actions);
  }
  Serve(now, actions);
  if (slot.phase != Phase::kIdle) return;
  if (const auto reason = MustClose(now, slot); reason && reason != CloseReason::kRecycled) {
    StartClosing(id, *reason, actions);
  } else if (draining_) {
    StartClosing(id, CloseReason::kShutdown, actions);
  } else if (In(Phase::kIdle) > limits_.size) {
    StartClosing(id, CloseReason::kOverflow, actions);
  }
}

Ticket PoolState::FoundStale(Instant now, SlotId id, Actions& actions) {
  Slot& slot = slots_[id];
  assert(slot.phase == Phase::kLeased);
  const Claim claim = slot.claim;
  if (slot.generation == generation_) Invalidate();
  GiveBack(slot);
  idle_.push_back(id);
  StartClosing(id, CloseReason::kStale, actions);
  const Ticket ticket = line_.Rejoin(claim);
  line_.Watch(ticket);
  Serve(now, actions);
  RefuseIfDown(actions);
  return ticket;
}

void PoolState::Tick(Instant now, Actions& actions) {
  while (const auto overdue = line_.Overdue(now)) {
    const Claim claim = line_.Leave(*overdue);
    DropClaim(claim);
    const bool own = claim.caller_deadline <= claim.pool_deadline;
    actions.refusals.push_back({*overdue, own       ? RefusalReason::kDeadline
                                          : paused_ ? RefusalReason::kPaused
                                                    : RefusalReason::kTimedOut});
  }
  if (NextProbe() <= now) Open(now, actions);
  if (look_again_ <= now) OpenMissing(now, actions);
  if (sweep_ <= now) ReportHeldLong(now, actions);
}

Instant PoolState::NextDue() const {
  const Instant sweep = In(Phase::kLeased) > 0 ? sweep_ : kNever;
  return std::min({line_.NextDeadline(), NextProbe(), look_again_, sweep});
}

void PoolState::Resume(Instant now, Actions& actions) {
  paused_ = false;
  outage_ = {};
  Serve(now, actions);
}

void PoolState::Reconnect(Instant now, Actions& actions) {
  Invalidate();
  outage_ = {};
  while (!idle_.empty()) StartClosing(idle_.back(), CloseReason::kInvalidated, actions);
  Serve(now, actions);
}

void PoolState::Resize(Instant now, int size, int overflow, Actions& actions) {
  limits_.size = size;
  limits_.overflow = overflow;
  for (auto id = static_cast<SlotId>(slots_.size()); id < limits_.limit(); ++id) {
    slots_.emplace_back();
    empty_.push_back(id);
    ++in_phase_[static_cast<int>(Phase::kEmpty)];
  }
  while (!idle_.empty() && (Beyond() || In(Phase::kIdle) > limits_.size)) {
    StartClosing(idle_.front(), CloseReason::kResized, actions);
  }
  Serve(now, actions);
}

void PoolState::Drain(Actions& actions) {
  draining_ = true;
  while (!idle_.empty()) StartClosing(idle_.back(), CloseReason::kShutdown, actions);
  RefuseStranded(actions);
}

void PoolState::RefuseAll(Actions& actions) {
  stopped_ = true;
  RefuseEverybody(RefusalReason::kShutdown, actions);
}

void PoolState::RefuseEverybody(RefusalReason reason, Actions& actions) {
  while (const auto next = line_.Next(Priority::kReporting)) {
    DropClaim(line_.Leave(*next));
    actions.refusals.push_back({*next, reason});
  }
}

void PoolState::RefuseIfDown(Actions& actions) {
  if (outage_.down() && !paused_) RefuseEverybody(RefusalReason::kDown, actions);
}

PoolMode PoolState::mode() const {
  if (draining_) return PoolMode::kDraining;
  if (paused_) return PoolMode::kPaused;
  return outage_.down() ? PoolMode::kDown : PoolMode::kRunning;
}

PoolState::Counts PoolState::counts() const {
  return {In(Phase::kIdle),    In(Phase::kLeased), In(Phase::kOpening),
          In(Phase::kClosing), line_.size(),       leases_};
}

void PoolState::Serve(Instant now, Actions& actions) {
  while (GrantIdle(now, actions)) {
  }
  OpenMissing(now, actions);
  RefuseStranded(actions);
}

// False when nobody waits who may be served, or no connection is idle.
bool PoolState::GrantIdle(Instant now, Actions& actions) {
  if (idle_.empty() || paused_) return false;
  const auto next = line_.Next(LowestServed());
  if (!next) return false;
  const SlotId id =
      limits_.idle_order == IdleOrder::kMostRecentFirst ? idle_.back() : idle_.front();
  Slot& slot = slots_[id];
  if (const auto reason = MustClose(now, slot)) {
    StartClosing(id, *reason, actions);
    return true;
  }
  TakeIdle();
  slot.claim = line_.Leave(*next);
  if (slot.claim.priority == Priority::kReporting) ++reporting_leased_;
  if (slot.claim.purpose == Purpose::kLease) ++leases_leased_;
  slot.since = now;
  slot.reported = false;
  if (sweep_ == kNever) sweep_ = After(now, HeldLong());
  Move(slot, Phase::kLeased);
  const bool fresh = now - slot.answered < limits_.pre_ping_window;
  actions.grants.push_back({id, *next, fresh ? Check::kLook : Check::kPing, slot.claim.arrived,
                            slot.claim.caller_deadline, slot.claim.purpose});
  return true;
}

void PoolState::OpenMissing(Instant now, Actions& actions) {
  look_again_ = kNever;
  if (line_.size() == 0 || !MayOpen()) return;
  const int wanted = std::min(Wanted(), kMostOpening);
  if (In(Phase::kOpening) >= wanted) return;
  const int worthwhile = Worthwhile(now, wanted);
  while (MayOpen() && In(Phase::kOpening) < worthwhile) Open(now, actions);
  if (MayOpen() && In(Phase::kOpening) < wanted) look_again_ = turnover_.LookAgain(now);
}

void PoolState::Open(Instant now, Actions& actions) {
  const SlotId id = empty_.back();
  empty_.pop_back();
  slots_[id].since = now;
  Move(slots_[id], Phase::kOpening);
  actions.opens.push_back(id);
}

// A drained pool opens nothing: where no connection is left that could come back, nobody shall wait
// for one.
void PoolState::RefuseStranded(Actions& actions) {
  if (!draining_) return;
  const int hopes = In(Phase::kIdle) + In(Phase::kLeased) + In(Phase::kOpening);
  if (stopped_ || hopes == 0) RefuseAll(actions);
}

// How many in line may have a connection, if there were enough.
int PoolState::Wanted() const {
  const int reporting = line_.size(Priority::kReporting);
  const int may_report = std::min(reporting, ReportingLimit() - reporting_leased_);
  return line_.size() - reporting + std::max(0, may_report);
}

// How many of the wanted openings would be of use: the others' waiters are expected to be served by
// what comes back before. One is always made while fewer are there than are kept.
int PoolState::Worthwhile(Instant now, int wanted) const {
  double served = 0;
  for (const Slot& slot : slots_) {
    const bool comes_back =
        slot.phase == Phase::kLeased && slot.claim.purpose == Purpose::kStatement;
    if (comes_back) served += turnover_.ServedBy(now - slot.since);
  }
  const int least = live() < limits_.size || In(Phase::kOpening) > 0 ? 1 : 0;
  if (served >= wanted) return least;
  return std::max(least, wanted - static_cast<int>(served));
}

// Counts only who is certain to go first, and on every connection that could serve them.
bool PoolState::Hopeless(Instant now, const Claim& claim) const {
  if (claim.priority == Priority::kDispatch || claim.caller_deadline == kNever) return false;
  int ahead = 0;
  for (int rank = 0; rank <= static_cast<int>(claim.priority); ++rank) {
    ahead += line_.size(static_cast<Priority>(rank));
  }
  const int serving = limits_.limit() - leases_leased_;
  return After(now, turnover_.Wait(ahead, serving)) > claim.caller_deadline;
}

// One attempt at a time, for a database that is down, or for those who wait for a server that is
// full.
Instant PoolState::NextProbe() const {
  if (!outage_.cautious() || draining_ || paused_ || In(Phase::kOpening) > 0 || !HasRoom()) {
    return kNever;
  }
  return outage_.down() || Wanted() > 0 ? outage_.next_attempt() : kNever;
}

// A connection that is held for longer than others may wait for it is worth a word.
Duration PoolState::HeldLong() const {
  return limits_.timeout > Duration::zero() ? limits_.timeout : kHeldLongUnset;
}

void PoolState::ReportHeldLong(Instant now, Actions& actions) {
  sweep_ = kNever;
  for (SlotId id = 0; id < static_cast<SlotId>(slots_.size()); ++id) {
    Slot& slot = slots_[id];
    if (slot.phase != Phase::kLeased || slot.reported) continue;
    const Instant due = After(slot.since, HeldLong());
    if (due > now) {
      sweep_ = std::min(sweep_, due);
    } else {
      slot.reported = true;
      actions.held_long.push_back(id);
    }
  }
}

std::optional<CloseReason> PoolState::MustClose(Instant now, const Slot& slot) const {
  if (slot.generation < generation_) return CloseReason::kInvalidated;
  if (slot.recycle_at <= now) return CloseReason::kRecycled;
  return std::nullopt;
}

SlotId PoolState::TakeIdle() {
  const bool newest = limits_.idle_order == IdleOrder::kMostRecentFirst;
  const SlotId id = newest ? idle_.back() : idle_.front();
  newest ? idle_.pop_back() : idle_.pop_front();
  return id;
}

void PoolState::StartClosing(SlotId id, CloseReason reason, Actions& actions) {
  // Most often the one that came back last.
  idle_.erase(std::prev(std::find(idle_.rbegin(), idle_.rend(), id).base()));
  Move(slots_[id], Phase::kClosing);
  actions.closes.push_back({id, reason});
}

// A leased slot becomes an idle one; its holder's claim stays to be read.
void PoolState::GiveBack(Slot& slot) {
  if (slot.claim.priority == Priority::kReporting) --reporting_leased_;
  if (slot.claim.purpose == Purpose::kLease) --leases_leased_;
  Move(slot, Phase::kIdle);
}

void PoolState::DropClaim(const Claim& claim) {
  if (claim.purpose == Purpose::kLease) --leases_;
}

void PoolState::Move(Slot& slot, Phase phase) {
  --in_phase_[static_cast<int>(slot.phase)];
  ++in_phase_[static_cast<int>(phase)];
  slot.phase = phase;
}

// Reporting leaves some connections to the other classes; pools of 1 or 2 reserve nothing.
int PoolState::ReportingLimit() const {
  const int limit = limits_.limit();
  return limit <= 2 ? limit : limit - std::max(1, limit / 5);
}

Priority PoolState::LowestServed() const {
  return reporting_leased_ < ReportingLimit() ? Priority::kReporting : Priority::kOperations;
}

// Up to a tenth earlier than the limit, by a share of its own for each connection: connections that
// were opened together shall not all be replaced together.
Instant PoolState::RecycleAt(Instant now, SlotId id) {
  if (!limits_.recycle) return kNever;
  jitter_ = (jitter_ ^ static_cast<std::uint64_t>(id + 1)) * 6364136223846793005ULL + 1;
  const auto tenth = static_cast<double>(limits_.recycle->count()) / 10;
  const double share = static_cast<double>(jitter_ >> 40) / static_cast<double>(1 << 24);
  return After(now, *limits_.recycle - Duration(static_cast<std::int64_t>(tenth * share)));
}

void PoolState::Invalidate() { ++generation_; }

}  // namespace emsdb
