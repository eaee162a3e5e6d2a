#include "pool/line.h"

#include <algorithm>
#include <utility>

namespace emsdb {

std::uint32_t Line::NewPlace(const Claim& claim) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(places_.size()));
    places_.emplace_back();
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  Place& place = places_[index];
  place.claim = claim;
  place.before = place.behind = kNone;
  place.in_line = true;
  place.watched = false;
  if (++place.serial == 0) place.serial = 1;
  ++size_;
  ++QueueOf(place).size;
  return index;
}

Ticket Line::Join(const Claim& claim) {
  const std::uint32_t index = NewPlace(claim);
  Place& place = places_[index];
  place.claim.number = ++arrivals_;
  Queue& in = QueueOf(place);
  place.before = in.last;
  (in.last == kNone ? in.first : places_[in.last].behind) = index;
  in.last = index;
  return TicketOf(index);
}

Ticket Line::Rejoin(const Claim& claim) {
  const std::uint32_t index = NewPlace(claim);
  Place& place = places_[index];
  Queue& in = QueueOf(place);
  // Few are ever in front: others who were handed dead connections at the same moment.
  place.behind = in.first;
  while (place.behind != kNone && places_[place.behind].claim.number < claim.number) {
    place.before = place.behind;
    place.behind = places_[place.behind].behind;
  }
  (place.before == kNone ? in.first : places_[place.before].behind) = index;
  (place.behind == kNone ? in.last : places_[place.behind].before) = index;
  return TicketOf(index);
}

const Claim* Line::Find(Ticket ticket) const {
  if (ticket.index >= places_.size()) return nullptr;
  const Place& place = places_[ticket.index];
  return place.in_line && place.serial == ticket.serial ? &place.claim : nullptr;
}

std::optional<Ticket> Line::Next(Priority lowest, Instant groups_until) const {
  if (size_ == 0) return std::nullopt;  // most often
  std::uint32_t next = kNone;
  Instant earliest{};
  for (int rank = 0; rank <= static_cast<int>(lowest); ++rank) {
    const std::uint32_t first = FirstOf(static_cast<Priority>(rank), groups_until);
    if (first == kNone) continue;
    const Instant stands_at = places_[first].claim.arrived + rank * kAgeingStep;
    if (next == kNone || stands_at < earliest) {
      next = first;
      earliest = stands_at;
    }
  }
  if (next == kNone) return std::nullopt;
  return TicketOf(next);
}

std::uint32_t Line::FirstOf(Priority priority, Instant groups_until) const {
  const std::uint32_t alone = QueueOf(priority, Grouping::kAlone).first;
  const std::uint32_t group = QueueOf(priority, Grouping::kGroup).first;
  if (group == kNone) return alone;
  const bool held = priority != Priority::kDispatch && places_[group].claim.arrived > groups_until;
  if (held) return alone;
  const bool earlier = alone == kNone || places_[group].claim.number < places_[alone].claim.number;
  return earlier ? group : alone;
}

Instant Line::EarliestForGroup(Priority lowest) const {
  Instant earliest = kNever;
  for (int rank = 1; rank <= static_cast<int>(lowest); ++rank) {
    const std::uint32_t first = QueueOf(static_cast<Priority>(rank), Grouping::kGroup).first;
    if (first != kNone) earliest = std::min(earliest, places_[first].claim.arrived);
  }
  return earliest;
}

Claim Line::Leave(Ticket ticket) {
  Place& place = places_[ticket.index];
  Queue& in = QueueOf(place);
  (place.before == kNone ? in.first : places_[place.before].behind) = place.behind;
  (place.behind == kNone ? in.last : places_[place.behind].before) = place.before;
  if (place.watched) deadlines_.erase({place.claim.deadline(), ticket.index});
  place.in_line = false;
  --in.size;
  --size_;
  free_.push_back(ticket.index);
  return place.claim;
}

void Line::Watch(Ticket ticket) {
  Place& place = places_[ticket.index];
  if (place.watched || place.claim.deadline() == kNever) return;
  place.watched = true;
  deadlines_.insert({place.claim.deadline(), ticket.index});
}

Instant Line::NextDeadline() const {
  return deadlines_.empty() ? kNever : deadlines_.begin()->first;
}

Instant Line::EarliestArrival() const {
  Instant earliest = kNever;
  for (const auto& of_class : queues_) {
    for (const Queue& each : of_class) {
      if (each.first != kNone) earliest = std::min(earliest, places_[each.first].claim.arrived);
    }
  }
  return earliest;
}

std::optional<Ticket> Line::Overdue(Instant now) const {
  if (deadlines_.empty() || deadlines_.begin()->first > now) return std::nullopt;
  return TicketOf(deadlines_.begin()->second);
}

}  // namespace emsdb
