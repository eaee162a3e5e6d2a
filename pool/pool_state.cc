#include "pool/pool_state.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

namespace emsdb {
namespace {

constexpr Duration kHeldLongUnset = std::chrono::seconds(30);

}  // namespace

PoolState::PoolState(const PoolLimits& limits) : limits_(limits), slots_(limits.limit()) {
  empty_.reserve(slots_.size());
  for (SlotId slot = limits.limit() - 1; slot >= 0; --slot) empty_.push_back(slot);
  in_phase_[static_cast<int>(Phase::kEmpty)] = limits.limit();
}

PoolState::Arrival PoolState::Arrive(Instant now, const Checkout& checkout, Actions& actions) {
  if (draining_) return {RefusalReason::kShutdown, {}};
  if (checkout.deadline <= now) return {RefusalReason::kDeadline, {}};
  // Where leases may have every connection, the bound protects nobody: a lease waits its turn then,
  // as for an embedded database's only writer.
  const bool bounded = limits_.leased_limit() < limits_.limit();
  if (checkout.purpose == Purpose::kLease && bounded && leases_ >= limits_.leased_limit()) {
    return {RefusalReason::kLeaseLimit, {}};
  }
  // A time-out of zero means not to wait for others; an opening of its own takes its time.
  const bool no_wait = limits_.timeout == Duration::zero();
  const Duration patience = no_wait ? kConnectTimeout : limits_.timeout;
  const Claim claim = {.priority = checkout.priority,
                       .purpose = checkout.purpose,
                       .grouping = no_wait ? Grouping::kAlone : checkout.grouping,
                       .arrived = now,
                       .pool_deadline = After(now, patience),
                       .caller_deadline = checkout.deadline};
  if (limits_.refuse_hopeless && Hopeless(now, claim)) return {RefusalReason::kHopeless, {}};
  const Ticket ticket = line_.Join(claim);
  if (claim.purpose == Purpose::kLease) ++leases_;
  Serve(now, actions);
  if (line_.Find(ticket) == nullptr) return {std::nullopt, ticket};
  std::optional<RefusalReason> refused;
  // Waiters for whom a connection is being opened, or replaced, stand in line as well, but are not
  // what the bound is for.
  int behind_others = line_.size() - In(Phase::kOpening) - In(Phase::kClosing);
  // Who may not wait for others to come back gets an opening, worthwhile or not.
  for (const int bound = no_wait ? 0 : limits_.max_waiters;
       behind_others > bound && MayOpen() && In(Phase::kOpening) < Wanted(now); --behind_others) {
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
  heard_ = now;
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
  if (!others && !paused_ && Wanted(now) > In(Phase::kOpening)) {
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
  if (slot.claim.purpose == Purpose::kStatement) turnover_.Held((now - slot.since) / slot.members);
  if (condition == Condition::kGood || condition == Condition::kOutgrown) {
    outage_.CameBackWell();
    heard_ = now;
  }
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
  if (listen_ <= now) NoticeSilence(now, actions);
  if (NextProbe() <= now) Open(now, actions);
  if (look_again_ <= now) OpenMissing(now, actions);
  if (GroupsDue() <= now) Serve(now, actions);
  if (sweep_ <= now) ReportHeldLong(now, actions);
}

Instant PoolState::NextDue() const {
  const Instant sweep = In(Phase::kLeased) > 0 ? sweep_ : kNever;
  const Instant listen = Hopeful() > 0 && !draining_ ? listen_ : kNever;
  return std::min({line_.NextDeadline(), NextProbe(), look_again_, sweep, listen, GroupsDue()});
}

void PoolState::Resume(Instant now, Actions& actions) {
  paused_ = false;
  StartAfresh(now);
  Serve(now, actions);
}

void PoolState::Reconnect(Instant now, Actions& actions) {
  Invalidate();
  StartAfresh(now);
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
  const auto next = line_.Next(LowestServed(), GroupsUntil(now));
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
  actions.grants.push_back({id,
                            *next,
                            fresh ? Check::kLook : Check::kPing,
                            slot.claim.arrived,
                            slot.claim.caller_deadline,
                            slot.claim.purpose,
                            slot.claim.grouping,
                            {}});
  AddMembers(slot, actions.grants.back());
  return true;
}

// In the order of the line, whoever they are: nobody is passed over.
void PoolState::AddMembers(Slot& slot, Actions::Grant& grant) {
  slot.members = 1;
  if (slot.claim.grouping == Grouping::kAlone) return;
  ++groups_leased_;
  while (slot.members < kMostMembers) {
    const auto next = line_.Next(LowestServed());
    if (!next || line_.Find(*next)->grouping == Grouping::kAlone) return;
    const Claim claim = line_.Leave(*next);
    grant.others.push_back({*next, claim.arrived});
    grant.caller_deadline = std::min(grant.caller_deadline, claim.caller_deadline);
    ++slot.members;
  }
}

// Of those for a group, who came until then may have a connection now.
Instant PoolState::GroupsUntil(Instant now) const {
  return groups_leased_ < kGroups ? kNever : now - kGroupPatience;
}

// When one of them has waited long enough while a connection is idle.
Instant PoolState::GroupsDue() const {
  if (groups_leased_ < kGroups || idle_.empty() || paused_) return kNever;
  const Instant earliest = line_.EarliestForGroup(LowestServed());
  return earliest == kNever ? kNever : After(earliest, kGroupPatience);
}

// A drained pool opens nothing: where no connection is left that could come back, nobody shall wait
// for one.
void PoolState::RefuseStranded(Actions& actions) {
  if (!draining_) return;
  const int hopes = In(Phase::kIdle) + In(Phase::kLeased) + In(Phase::kOpening);
  if (stopped_ || hopes == 0) RefuseAll(actions);
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
  if (slot.claim.grouping == Grouping::kGroup) --groups_leased_;
  Move(slot, Phase::kIdle);
}

void PoolState::DropClaim(const Claim& claim) {
  if (claim.purpose == Purpose::kLease) --leases_;
}

void PoolState::Move(Slot& slot, Phase phase) {
  if (std::exchange(slot.silent, false)) --silent_;
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
