// What a pool does next, decided from plain values: which waiter gets which connection, what is
// opened, what is closed and why, who is refused. No lock, no clock, no I/O, no thread: `now` comes
// from outside, and what must touch the world is returned as Actions that the Pool carries out.
//
// SQLAlchemy's QueuePool is the contract: connections are opened when first needed, `size` of them
// are kept, up to `overflow` more are closed when given back, a connection older than `recycle` is
// replaced before its next use, and a disconnect marks every older connection.
//
// A slot is the place of one connection. Its phases:
//
//     empty -> opening -> idle <-> leased
//       ^---------+--- closing <----+        closing -> opening, where it is replaced at once
//
// Always: idle + leased + opening + closing <= limits.limit().
#ifndef EMSDB_POOL_POOL_STATE_H_
#define EMSDB_POOL_POOL_STATE_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "pool/limits.h"
#include "pool/line.h"

namespace emsdb {

using SlotId = int;

// Why a connection was closed; the same words in metrics, logs and tests.
enum class CloseReason {
  kOverflow,     // given back while enough idle ones were kept
  kRecycled,     // older than DB_POOL_RECYCLE
  kInvalidated,  // older than a disconnect that was noticed on another one
  kStale,        // found dead before use, by a ping or by a look at the socket
  kBroken,       // lost in use
  kDirty,        // given back in a state that could not be cleaned
  kShutdown
};
std::string_view CloseReasonName(CloseReason reason);  // "overflow", ...

// Why a waiter got no connection.
enum class RefusalReason {
  kTimedOut,       // DB_POOL_TIMEOUT
  kDeadline,       // the caller's own, shorter deadline
  kLineFull,       // EMSDB_MAX_WAITERS
  kLeaseLimit,     // EMSDB_MAX_LEASED
  kConnectFailed,  // the connection opened for it could not be made
  kShutdown
};
std::string_view RefusalReasonName(RefusalReason reason);  // "timed_out", ...

// What to do to a connection before it is handed out.
enum class Check {
  kLook,  // it answered a moment ago: look at its socket
  kPing   // let it prove itself in a round trip
};

// In which state a connection comes back.
enum class Condition { kGood, kBroken, kDirty };

struct Actions {
  struct Grant {
    SlotId slot;
    Ticket ticket;
    Check check;
    Instant arrived;
    Instant caller_deadline;
  };
  struct Close {
    SlotId slot;
    CloseReason reason;
  };
  struct Refusal {
    Ticket ticket;
    RefusalReason reason;
  };

  absl::InlinedVector<Grant, 1> grants;
  absl::InlinedVector<SlotId, 1> opens;
  absl::InlinedVector<Close, 1> closes;
  absl::InlinedVector<Refusal, 1> refusals;
};

class PoolState {
 public:
  struct Counts {
    int idle = 0;
    int leased = 0;
    int opening = 0;
    int closing = 0;
    int waiting = 0;
    int leases = 0;  // held beyond a call, or claimed to be
  };

  explicit PoolState(const PoolLimits& limits);

  // A waiter comes. Its ticket, or the reason why it may not even stand in line.
  struct Arrival {
    std::optional<RefusalReason> refused;
    Ticket ticket;
  };
  Arrival Arrive(Instant now, Priority priority, Purpose purpose, Instant caller_deadline,
                 Actions& actions);

  // A waiter goes by itself. False: it is not in line any more, somebody else answers it.
  bool Withdraw(Ticket ticket);

  // What the world reports about slots that an action named before.
  void Opened(Instant now, SlotId slot, Actions& actions);
  void OpenFailed(Instant now, SlotId slot, Actions& actions);
  void Closed(Instant now, SlotId slot, Actions& actions);

  // A leased connection comes back, having last answered at `answered`.
  void Returned(Instant now, SlotId slot, Condition condition, Instant answered, Actions& actions);

  // The connection of a Grant proved dead before use. Its waiter goes back to where it stood, with
  // a new ticket, which is returned.
  Ticket FoundStale(Instant now, SlotId slot, Actions& actions);

  // Refuses everybody whose time is over.
  void Tick(Instant now, Actions& actions);

  // When Tick has something to do next.
  Instant NextDue() const { return line_.NextDeadline(); }

  // No new waiters and no new connections; idle ones are closed. Leased ones are closed when they
  // come back; who stands in line is still served by them, and refused once none is left that
  // could.
  void Drain(Actions& actions);

  // Refuses everybody in line, and who comes back to it later: the drain's time is over.
  void RefuseAll(Actions& actions);

  Counts counts() const;

  // Whether all connections in use are kept by transactions between their calls, so that waiting
  // for a statement to end would be in vain.
  bool HeldByLeasesAlone() const;
  const PoolLimits& limits() const { return limits_; }

 private:
  enum class Phase { kEmpty, kOpening, kIdle, kLeased, kClosing };
  struct Slot {
    Phase phase = Phase::kEmpty;
    Instant recycle_at = kNever;
    Instant answered{};
    std::uint64_t generation = 0;
    Claim claim;  // of the holder, while leased
  };

  // Matches waiters with connections and opens what is missing.
  void Serve(Instant now, Actions& actions);
  bool GrantIdle(Instant now, Actions& actions);
  void OpenMissing(Actions& actions);
  void RefuseStranded(Actions& actions);
  int Wanted() const;
  int In(Phase phase) const { return in_phase_[static_cast<int>(phase)]; }
  std::optional<CloseReason> MustClose(Instant now, const Slot& slot) const;
  SlotId TakeIdle();
  void StartClosing(SlotId slot, CloseReason reason, Actions& actions);
  void DropClaim(const Claim& claim);
  void Move(Slot& slot, Phase phase);
  int ReportingLimit() const;
  Priority LowestServed() const;
  Instant RecycleAt(Instant now, SlotId slot);
  void Invalidate();

  const PoolLimits limits_;
  Line line_;
  std::vector<Slot> slots_;
  std::deque<SlotId> idle_;  // the most recently used at the back
  std::vector<SlotId> empty_;
  int in_phase_[5] = {};
  int reporting_leased_ = 0;
  int leases_ = 0;
  std::uint64_t generation_ = 1;  // connections of an older one are closed before their next use
  std::uint64_t jitter_ = 0x9E3779B97F4A7C15ULL;
  bool draining_ = false;
  bool stopped_ = false;
};

}  // namespace emsdb

#endif  // EMSDB_POOL_POOL_STATE_H_
