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
// Groups: reads that may be served together (Grouping::kGroup) gain from few busy connections, each
// of which takes many of them in one packet. So while kGroups connections serve such reads, further
// ones wait, though a connection may be idle: for kGroupPatience at most, and never those of
// DISPATCH. A connection takes those who are next in line, up to the first who wants one for
// itself.
//
// Always: idle + leased + opening + closing <= limits.limit(); after Resize made a pool smaller,
// as soon as those beyond it have come back.
#ifndef EMSDB_POOL_POOL_STATE_H_
#define EMSDB_POOL_POOL_STATE_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "pool/limits.h"
#include "pool/line.h"
#include "pool/outage.h"
#include "pool/reasons.h"
#include "pool/turnover.h"

namespace emsdb {

using SlotId = int;

// What to do to a connection before it is handed out.
enum class Check {
  kLook,  // it answered a moment ago: look at its socket
  kPing   // let it prove itself in a round trip
};

// In which state a connection comes back.
enum class Condition { kGood, kBroken, kDirty, kOutgrown };

// What a waiter wants.
struct Checkout {
  Priority priority = Priority::kOperations;
  Purpose purpose = Purpose::kStatement;
  Instant deadline = kNever;  // the caller's
  Grouping grouping = Grouping::kAlone;
};

struct Actions {
  struct Member {
    Ticket ticket;
    Instant arrived;
  };
  struct Grant {
    SlotId slot;
    Ticket ticket;
    Check check;
    Instant arrived;
    Instant caller_deadline;  // of a group the earliest
    Purpose purpose = Purpose::kStatement;
    Grouping grouping = Grouping::kAlone;
    std::vector<Member> others;  // of its group
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
  absl::InlinedVector<SlotId, 1> held_long;  // for longer than others may wait; each lease once
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

  // So many connections serve groups before others are used for them.
  static constexpr int kGroups = 2;
  static constexpr int kMostMembers = 32;
  static constexpr Duration kGroupPatience = std::chrono::milliseconds(3);

  explicit PoolState(const PoolLimits& limits);

  // A waiter comes. Its ticket, or the reason why it may not even stand in line.
  struct Arrival {
    std::optional<RefusalReason> refused;
    Ticket ticket;
  };
  Arrival Arrive(Instant now, const Checkout& checkout, Actions& actions);

  // A waiter goes by itself. False: it is not in line any more, somebody else answers it.
  bool Withdraw(Ticket ticket);

  // What the world reports about slots that an action named before.
  void Opened(Instant now, SlotId slot, Actions& actions);
  void OpenFailed(Instant now, SlotId slot, OpenFailure failure, Actions& actions);
  void Closed(Instant now, SlotId slot, Actions& actions);

  // A leased connection comes back, having last answered at `answered`.
  void Returned(Instant now, SlotId slot, Condition condition, Instant answered, Actions& actions);

  // The connection of a Grant proved dead before use. Its waiter goes back to where it stood, with
  // a new ticket, which is returned.
  Ticket FoundStale(Instant now, SlotId slot, Actions& actions);

  // Does what is due: refuses everybody whose time is over, tries a database that is down again,
  // opens for those who were expected to be served by now, reports who holds a connection for long.
  void Tick(Instant now, Actions& actions);

  // When Tick has something to do next.
  Instant NextDue() const;

  // Grants nothing and opens nothing until Resume: whoever comes waits, whoever holds goes on.
  void Pause() { paused_ = true; }
  void Resume(Instant now, Actions& actions);

  // Replaces every connection: idle ones now, the others when they come back.
  void Reconnect(Instant now, Actions& actions);

  // Other limits from now on. Connections beyond them are closed now, or when they come back.
  void Resize(Instant now, int size, int overflow, Actions& actions);

  // No new waiters and no new connections; idle ones are closed. Leased ones are closed when they
  // come back; who stands in line is still served by them, and refused once none is left that
  // could.
  void Drain(Actions& actions);

  // Refuses everybody in line, and who comes back to it later: the drain's time is over.
  void RefuseAll(Actions& actions);

  Counts counts() const;
  const PoolLimits& limits() const { return limits_; }
  PoolMode mode() const;
  const Outage& outage() const { return outage_; }
  // When the first of those in line came; kNever if nobody waits.
  Instant longest_waiting() const { return line_.EarliestArrival(); }

 private:
  enum class Phase { kEmpty, kOpening, kIdle, kLeased, kClosing };
  struct Slot {
    Phase phase = Phase::kEmpty;
    Instant recycle_at = kNever;
    Instant answered{};
    std::uint64_t generation = 0;
    Instant since{};        // of an opening or of a lease: its beginning
    Claim claim;            // of the holder, while leased; of a group, its first
    int members = 1;        // of a group
    bool reported = false;  // as held for long
    bool silent = false;    // an opening that has been without an answer for too long
  };

  // Matches waiters with connections and opens what is missing.
  void Serve(Instant now, Actions& actions);
  bool GrantIdle(Instant now, Actions& actions);
  void AddMembers(Slot& slot, Actions::Grant& grant);
  Instant GroupsUntil(Instant now) const;
  Instant GroupsDue() const;
  void OpenMissing(Instant now, Actions& actions);
  void Open(Instant now, Actions& actions);
  void RefuseStranded(Actions& actions);
  void RefuseIfDown(Actions& actions);
  void RefuseEverybody(RefusalReason reason, Actions& actions);
  void ReportHeldLong(Instant now, Actions& actions);
  void NoticeSilence(Instant now, Actions& actions);
  void StartAfresh(Instant now);
  int Hopeful() const { return In(Phase::kOpening) - silent_; }
  // A connection that is closing makes room for the next one only once it is closed.
  bool HasRoom() const { return !empty_.empty() && live() < limits_.limit(); }
  bool MayOpen() const { return HasRoom() && !draining_ && !paused_ && !outage_.cautious(); }
  bool Beyond() const { return live() - In(Phase::kClosing) > limits_.limit(); }
  int live() const { return static_cast<int>(slots_.size()) - In(Phase::kEmpty); }
  int Wanted(Instant now) const;
  int WantedForGroups(Instant now) const;
  int Worthwhile(Instant now, int wanted) const;
  bool Hopeless(Instant now, const Claim& claim) const;
  Instant NextProbe() const;
  Duration HeldLong() const;
  int In(Phase phase) const { return in_phase_[static_cast<int>(phase)]; }
  std::optional<CloseReason> MustClose(Instant now, const Slot& slot) const;
  SlotId TakeIdle();
  void StartClosing(SlotId slot, CloseReason reason, Actions& actions);
  void GiveBack(Slot& slot);
  void DropClaim(const Claim& claim);
  void Move(Slot& slot, Phase phase);
  int ReportingLimit() const;
  Priority LowestServed() const;
  Instant RecycleAt(Instant now, SlotId slot);
  void Invalidate();

  PoolLimits limits_;
  Line line_;
  Outage outage_;
  Turnover turnover_;
  std::vector<Slot> slots_;
  std::deque<SlotId> idle_;  // the most recently used at the back
  std::vector<SlotId> empty_;
  int in_phase_[5] = {};
  int reporting_leased_ = 0;
  int groups_leased_ = 0;
  int leases_ = 0;
  int leases_leased_ = 0;         // of them, those that have their connection
  Instant look_again_ = kNever;   // at a line that is expected to be served without openings
  Instant sweep_ = kNever;        // for those who hold a connection for long
  Instant listen_ = kNever;       // for openings that get no answer
  Instant heard_{};               // when a connection was opened or came back well
  int silent_ = 0;                // openings, of those under way
  std::uint64_t generation_ = 1;  // connections of an older one are closed before their next use
  std::uint64_t jitter_ = 0x9E3779B97F4A7C15ULL;
  bool paused_ = false;
  bool draining_ = false;
  bool stopped_ = false;
};

}  // namespace emsdb

#endif  // EMSDB_POOL_POOL_STATE_H_
