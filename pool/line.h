// The waiters of one pool, in the order in which they are served: no lock, no clock, no callback.
// First in, first out within a class; a higher class goes first, and waiting counts: each class
// below the highest stands as if it had come kAgeingStep later, so that nobody starves.
#ifndef EMSDB_POOL_LINE_H_
#define EMSDB_POOL_LINE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/btree_set.h"
#include "pool/clock.h"

namespace emsdb {

// Ordered: the first goes first.
enum class Priority { kDispatch, kClinical, kOperations, kReporting };
inline constexpr int kPriorities = 4;

// What the connection is wanted for: a lease keeps it beyond the call.
enum class Purpose { kStatement, kLease };

// Whether it may be served together with others, on one connection (see PoolState).
enum class Grouping { kAlone, kGroup };

// Names a place in line; never used again for another.
struct Ticket {
  std::uint32_t index = 0;
  std::uint32_t serial = 0;  // 0: no ticket
  friend bool operator==(const Ticket&, const Ticket&) = default;
};

struct Claim {
  Priority priority = Priority::kOperations;
  Purpose purpose = Purpose::kStatement;
  Grouping grouping = Grouping::kAlone;
  Instant arrived{};
  Instant pool_deadline = kNever;    // DB_POOL_TIMEOUT from arrival
  Instant caller_deadline = kNever;  // what the caller leaves
  std::uint64_t number = 0;          // in the order of arrival, given by Join

  Instant deadline() const {
    return pool_deadline < caller_deadline ? pool_deadline : caller_deadline;
  }
};

class Line {
 public:
  static constexpr Duration kAgeingStep = std::chrono::seconds(5);

  // At the end of its class.
  Ticket Join(const Claim& claim);

  // Back to where it stood in its class, with the time it has waited: it was handed a connection
  // that proved dead. Behind those who came earlier and are back as well.
  Ticket Rejoin(const Claim& claim);

  // The claim of a ticket that is in line; null if it no longer is.
  const Claim* Find(Ticket ticket) const;

  // Who is next, of the classes from the highest to `lowest`. Those of kGroup who came after
  // `groups_until` are passed over, but for DISPATCH.
  std::optional<Ticket> Next(Priority lowest, Instant groups_until = kNever) const;

  // Takes a ticket out of line; it must be in it.
  Claim Leave(Ticket ticket);

  // The earliest deadline in line, kNever if there is none. Only tickets that were Watched count.
  Instant NextDeadline() const;

  // When the one came who has waited longest; kNever if nobody waits.
  Instant EarliestArrival() const;

  // The same of those whom `groups_until` would pass over.
  Instant EarliestForGroup(Priority lowest) const;

  // Starts to watch the deadline: left out for those who are served at once.
  void Watch(Ticket ticket);

  // Somebody in line whose deadline is not after `now`.
  std::optional<Ticket> Overdue(Instant now) const;

  int size() const { return size_; }
  int size(Priority priority) const {
    return size(priority, Grouping::kAlone) + size(priority, Grouping::kGroup);
  }
  int size(Priority priority, Grouping grouping) const { return QueueOf(priority, grouping).size; }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  struct Place {
    Claim claim;
    std::uint32_t serial = 0;
    std::uint32_t before = kNone;
    std::uint32_t behind = kNone;
    bool in_line = false;
    bool watched = false;
  };
  // Those of one class and one kind, in the order of their numbers.
  struct Queue {
    std::uint32_t first = kNone;
    std::uint32_t last = kNone;
    int size = 0;
  };

  std::uint32_t NewPlace(const Claim& claim);
  std::uint32_t FirstOf(Priority priority, Instant groups_until) const;
  const Queue& QueueOf(Priority priority, Grouping grouping) const {
    return queues_[static_cast<int>(priority)][static_cast<int>(grouping)];
  }
  Queue& QueueOf(const Place& place) {
    return queues_[static_cast<int>(place.claim.priority)][static_cast<int>(place.claim.grouping)];
  }
  Ticket TicketOf(std::uint32_t index) const { return {index, places_[index].serial}; }

  std::vector<Place> places_;  // never shrinks; places are used again
  std::vector<std::uint32_t> free_;
  std::array<std::array<Queue, 2>, kPriorities> queues_;
  absl::btree_set<std::pair<Instant, std::uint32_t>> deadlines_;
  int size_ = 0;
  std::uint64_t arrivals_ = 0;
};

}  // namespace emsdb

#endif  // EMSDB_POOL_LINE_H_
