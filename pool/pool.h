// One logical database's connections. Carries out what PoolState decides: a waiter is an entry in
// the line with a deadline and a callback, never a thread; each slot has a Worker, made when the
// slot is first used.
#ifndef EMSDB_POOL_POOL_H_
#define EMSDB_POOL_POOL_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pool/lease.h"
#include "pool/limits.h"
#include "pool/observer.h"
#include "pool/pool_state.h"
#include "pool/proven_reads.h"
#include "pool/refusal.h"
#include "pool/upkeep.h"
#include "pool/worker.h"

namespace emsdb {

struct PoolNumbers {
  PoolState::Counts counts;
  std::int64_t opened_total = 0;
  std::int64_t timeouts_total = 0;
  std::int64_t stale_total = 0;
  std::string last_connect_error;
  PoolMode mode = PoolMode::kRunning;
  Duration down_for{};      // while it is down
  Duration next_attempt{};  // until then, while it is down
  Duration longest_wait{};  // of those in line
  Duration longest_held{};  // of the connections in use
};

// Safe for use by any number of threads. No lock is held while anybody is called.
class Pool final : private WorkerHost, private Due {
 public:
  // The connector, the clock, the observer and the upkeep must outlive the pool.
  Pool(const PoolLimits& limits, std::unique_ptr<Connector> connector, Clock& clock, Upkeep& upkeep,
       PoolObserver& observer = PoolObserver::None());

  // With workers of another kind than threads with a connection each.
  Pool(const PoolLimits& limits, WorkerFactory workers, Clock& clock, Upkeep& upkeep,
       PoolObserver& observer = PoolObserver::None());

  // Everything has been given back and Drain() has returned true, or Stop() was called.
  ~Pool() override;

  // Never blocks. Afterwards the waiter belongs to the pool until it is granted or refused, which
  // may happen before this returns: refused in this thread, or in a worker's.
  void Submit(std::shared_ptr<Waiter> waiter, const Checkout& checkout);

  // Takes the waiter out of line. False if it is not in line: it was granted or refused, or is
  // about to be. After true it is neither.
  bool Withdraw(Waiter& waiter);

  // No new waiters from now on; those in line are still served. Waits until every connection is
  // closed, at most until `deadline`; then false.
  bool Drain(Instant deadline);

  // Refuses everybody in line and stops what runs. Drain() afterwards closes the rest.
  void Stop();

  // For operators. Pause: whoever comes waits, whoever holds a connection goes on.
  void Pause();
  void Resume();
  // Replaces every connection: idle ones now, the others when they come back.
  void Reconnect();
  // To limits without Complaints.
  void Resize(int size, int overflow);

  // What may be served in groups here; null: nothing (PoolLimits::group_reads).
  ProvenReads* proven_reads() { return proven_reads_ ? &*proven_reads_ : nullptr; }
  // The same for batches (PoolLimits::group_batches).
  ProvenReads* proven_batches() { return group_batches_ ? proven_reads() : nullptr; }

  PoolNumbers numbers() const;
  PoolLimits limits() const;
  // The connections in use that have been held longest, the longest first.
  std::vector<HeldConnection> holders(std::size_t most) const;

 private:
  // What is to be done once the lock is released.
  struct Deliveries {
    absl::InlinedVector<std::pair<Worker*, Order>, 2> orders;
    struct Refused {
      std::shared_ptr<Waiter> waiter;
      RefusalReason reason;
      absl::Status why;
    };
    absl::InlinedVector<Refused, 1> refusals;
    absl::InlinedVector<Duration, 1> waits;
    absl::InlinedVector<int, 1> groups;  // how many members each has
    absl::InlinedVector<HeldConnection, 1> held_long;
    std::optional<absl::Status> went_down;
    std::optional<Duration> came_back;  // after so long
    std::optional<Order> own;
    Instant next_due = kNever;
  };
  struct SlotRecord {
    std::unique_ptr<Worker> worker;
    std::optional<Holder> holder;
    Instant held_since{};
    Purpose purpose = Purpose::kStatement;
  };

  std::optional<Order> Opened(SlotId slot, Duration took) override;
  std::optional<Order> OpenFailed(SlotId slot, const absl::Status& why) override;
  std::optional<Order> Closed(SlotId slot, CloseReason reason) override;
  std::optional<Order> FoundStale(SlotId slot, std::shared_ptr<Waiter> waiter) override;
  std::optional<Order> Returned(SlotId slot, Condition condition, Instant answered) override;
  void Reset(SlotId /*slot*/, ResetResult result) override { observer_.Reset(result); }
  Instant Tick(Instant now) override;

  static constexpr SlotId kNobody = -1;
  void Prepare(Instant now, const Actions& actions, SlotId self, Deliveries& deliveries)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<Order> Deliver(Deliveries& deliveries);
  Actions PrepareOnce(Instant now, const Actions& actions, SlotId self, Deliveries& deliveries)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Worker& WorkerOf(SlotId slot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasWorker(SlotId slot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Seat(Ticket ticket, std::shared_ptr<Waiter> waiter) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::shared_ptr<Waiter> Unseat(Ticket ticket) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Refusal(RefusalReason reason, Instant now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<HeldConnection> Held(Instant now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  HeldConnection HeldAt(const SlotRecord& slot, Instant now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellDrain() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NoticeOutage(Instant now, Deliveries& deliveries) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  template <typename Decision>
  void Decide(Decision decision);

  const WorkerFactory workers_;
  Clock& clock_;
  Upkeep& upkeep_;
  PoolObserver& observer_;
  std::optional<ProvenReads> proven_reads_;
  const bool group_batches_;

  mutable Mutex mutex_;
  CondVar emptied_;
  PoolState state_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Waiter>> seats_ ABSL_GUARDED_BY(mutex_);  // by Ticket::index
  std::vector<SlotRecord> slots_ ABSL_GUARDED_BY(mutex_);
  PoolNumbers totals_ ABSL_GUARDED_BY(mutex_);
  absl::Status last_connect_failure_ ABSL_GUARDED_BY(mutex_);
  std::optional<Instant> down_since_ ABSL_GUARDED_BY(mutex_);  // as it was told
};

}  // namespace emsdb

#endif  // EMSDB_POOL_POOL_H_
