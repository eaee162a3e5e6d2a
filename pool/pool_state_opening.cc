// When PoolState opens a connection, and for whom it is not worth it.
#include <algorithm>

#include "pool/pool_state.h"

namespace emsdb {
namespace {

// So many openings at once, and no more: each costs the server a process and a handshake.
constexpr int kMostOpening = 16;

}  // namespace

void PoolState::OpenMissing(Instant now, Actions& actions) {
  look_again_ = kNever;
  if (line_.size() == 0 || !MayOpen()) return;
  // Those who wait for a group now may want a connection soon.
  const Instant impatient = After(line_.EarliestForGroup(LowestServed()), kGroupPatience);
  if (impatient > now) look_again_ = impatient;
  const int wanted = std::min(Wanted(now), kMostOpening);
  if (In(Phase::kOpening) >= wanted) return;
  const int worthwhile = Worthwhile(now, wanted);
  while (MayOpen() && In(Phase::kOpening) < worthwhile) Open(now, actions);
  if (MayOpen() && In(Phase::kOpening) < wanted) {
    look_again_ = std::min(look_again_, turnover_.LookAgain(now));
  }
}

void PoolState::Open(Instant now, Actions& actions) {
  const SlotId id = empty_.back();
  empty_.pop_back();
  slots_[id].since = now;
  if (Hopeful() == 0 || listen_ == kNever) listen_ = After(now, Outage::kLongestSilence);
  Move(slots_[id], Phase::kOpening);
  actions.opens.push_back(id);
}

// How many in line may have a connection, if there were enough.
int PoolState::Wanted(Instant now) const {
  int alone = 0;
  for (const Priority each : {Priority::kDispatch, Priority::kClinical, Priority::kOperations}) {
    alone += line_.size(each, Grouping::kAlone);
  }
  const int reporting = line_.size(Priority::kReporting, Grouping::kAlone);
  const int may_report = std::min(reporting, ReportingLimit() - reporting_leased_);
  return alone + std::max(0, may_report) + WantedForGroups(now);
}

int PoolState::WantedForGroups(Instant now) const {
  int members = 0;
  for (int rank = 0; rank <= static_cast<int>(LowestServed()); ++rank) {
    members += line_.size(static_cast<Priority>(rank), Grouping::kGroup);
  }
  const int groups = (members + kMostMembers - 1) / kMostMembers;
  const bool impatient = After(line_.EarliestForGroup(LowestServed()), kGroupPatience) <= now;
  return impatient ? groups : std::min(groups, std::max(0, kGroups - groups_leased_));
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

// One attempt at a time, beside those that nobody hopes for any more, for a database that is down,
// or for those who wait for a server that is full.
Instant PoolState::NextProbe() const {
  if (!outage_.cautious() || draining_ || paused_ || !HasRoom()) return kNever;
  if (Hopeful() > 0 || In(Phase::kOpening) >= kMostOpening) return kNever;
  return outage_.down() || Wanted(kNever) > 0 ? outage_.next_attempt() : kNever;
}

// Several hang at once where a server stands still: all of them count as one failure.
void PoolState::NoticeSilence(Instant now, Actions& actions) {
  listen_ = kNever;
  if (draining_) return;
  const int before = silent_;
  for (Slot& slot : slots_) {
    if (slot.phase != Phase::kOpening || slot.silent) continue;
    const Instant due = After(std::max(slot.since, heard_), Outage::kLongestSilence);
    if (due > now) {
      listen_ = std::min(listen_, due);
    } else {
      slot.silent = true;
      ++silent_;
    }
  }
  if (silent_ == before) return;
  outage_.Silent(now);
  RefuseIfDown(actions);
}

// An operator says that things have changed: what hangs may have an answer coming.
void PoolState::StartAfresh(Instant now) {
  outage_ = {};
  heard_ = now;
  for (Slot& slot : slots_) slot.silent = false;
  silent_ = 0;
  listen_ = After(now, Outage::kLongestSilence);
}

}  // namespace emsdb
