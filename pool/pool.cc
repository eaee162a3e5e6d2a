#include "pool/pool.h"

#include <algorithm>
#include <map>
#include <system_error>
#include <utility>

#include "absl/strings/str_format.h"
#include "pool/errors.h"

namespace emsdb {
namespace {

constexpr Duration kRetryWhenFull = std::chrono::milliseconds(200);

absl::Status Exhausted(const std::string& message, std::string reason) {
  return WithDetail(absl::ResourceExhaustedError(message), {.reason = std::move(reason),
                                                            .stage = Stage::kWaiting,
                                                            .retry = Retry::kYes,
                                                            .retry_after = kRetryWhenFull});
}

WorkerFactory Threads(std::shared_ptr<Connector> connector, Clock& clock) {
  return [connector = std::move(connector), &clock](WorkerHost& host, SlotId slot) {
    return std::make_unique<ThreadWorker>(host, slot, *connector, clock);
  };
}

}  // namespace

Pool::Pool(const PoolLimits& limits, std::unique_ptr<Connector> connector, Clock& clock,
           Upkeep& upkeep, PoolObserver& observer)
    : Pool(limits, Threads(std::move(connector), clock), clock, upkeep, observer) {}

Pool::Pool(const PoolLimits& limits, WorkerFactory workers, Clock& clock, Upkeep& upkeep,
           PoolObserver& observer)
    : limits_(limits),
      workers_(std::move(workers)),
      clock_(clock),
      upkeep_(upkeep),
      observer_(observer),
      state_(limits),
      slots_(limits.limit()) {
  upkeep_.Add(*this);
}

Pool::~Pool() {
  Stop();
  Drain(kNever);
  upkeep_.Remove(*this);
  std::vector<SlotRecord> slots;
  {
    MutexLock lock(mutex_);
    slots = std::move(slots_);
  }
  for (SlotRecord& slot : slots) {
    if (slot.worker) slot.worker->Give(ExitOrder{});
  }
}

void Pool::Submit(std::shared_ptr<Waiter> waiter, const Checkout& checkout) {
  const Instant now = clock_.Now();
  Deliveries deliveries;
  {
    MutexLock lock(mutex_);
    Actions actions;
    const auto arrival =
        state_.Arrive(now, checkout.priority, checkout.purpose, checkout.deadline, actions);
    if (arrival.refused) {
      if (*arrival.refused == RefusalReason::kTimedOut) ++totals_.timeouts_total;
      deliveries.refusals.push_back(
          {std::move(waiter), *arrival.refused, Refusal(*arrival.refused)});
    } else {
      Seat(arrival.ticket, std::move(waiter));
    }
    Prepare(now, actions, kNobody, deliveries);
  }
  Deliver(std::move(deliveries));
}

bool Pool::Withdraw(Waiter& waiter) {
  std::shared_ptr<Waiter> gone;  // released without the lock
  MutexLock lock(mutex_);
  const Ticket ticket = waiter.ticket_;
  if (!state_.Withdraw(ticket)) return false;
  gone = Unseat(ticket);
  emptied_.NotifyAll();
  return true;
}

bool Pool::Drain(Instant deadline) {
  Deliveries deliveries;
  {
    MutexLock lock(mutex_);
    Actions actions;
    state_.Drain(actions);
    Prepare(clock_.Now(), actions, kNobody, deliveries);
  }
  Deliver(std::move(deliveries));
  MutexLock lock(mutex_);
  for (;;) {
    const PoolState::Counts counts = state_.counts();
    if (counts.idle + counts.leased + counts.opening + counts.closing + counts.waiting == 0) {
      return true;
    }
    if (clock_.Now() >= deadline) return false;
    clock_.WaitUntil(mutex_, emptied_, deadline);
  }
}

void Pool::Stop() {
  Deliveries deliveries;
  std::vector<Worker*> workers;
  {
    MutexLock lock(mutex_);
    Actions actions;
    state_.Drain(actions);
    state_.RefuseAll(actions);
    Prepare(clock_.Now(), actions, kNobody, deliveries);
    for (SlotRecord& slot : slots_) {
      if (slot.worker) workers.push_back(slot.worker.get());
    }
  }
  Deliver(std::move(deliveries));
  for (Worker* worker : workers) worker->Stop(StopReason::kShutdown);
}

PoolNumbers Pool::numbers() const {
  MutexLock lock(mutex_);
  PoolNumbers numbers = totals_;
  numbers.counts = state_.counts();
  numbers.last_connect_error = std::string(last_connect_failure_.message());
  return numbers;
}

std::optional<Order> Pool::Opened(SlotId slot, Duration took) {
  observer_.Opened(took);
  const Instant now = clock_.Now();
  Deliveries deliveries;
  {
    MutexLock lock(mutex_);
    ++totals_.opened_total;
    last_connect_failure_ = absl::OkStatus();
    Actions actions;
    state_.Opened(now, slot, actions);
    Prepare(now, actions, slot, deliveries);
  }
  return Deliver(std::move(deliveries));
}

std::optional<Order> Pool::OpenFailed(SlotId slot, const absl::Status& why) {
  observer_.OpenFailed();
  const Instant now = clock_.Now();
  Deliveries deliveries;
  {
    MutexLock lock(mutex_);
    // Not the caller's deadline: that of the opening.
    last_connect_failure_ = why.code() == absl::StatusCode::kDeadlineExceeded
                                ? ConnectionUnavailable(
                                      "the database did not answer in time to "
                                      "an attempt to connect",
                                      Stage::kConnecting)
                                : why;
    Actions actions;
    state_.OpenFailed(now, slot, actions);
    Prepare(now, actions, slot, deliveries);
  }
  return Deliver(std::move(deliveries));
}

std::optional<Order> Pool::Closed(SlotId slot, CloseReason reason) {
  observer_.Closed(reason);
  const Instant now = clock_.Now();
  Deliveries deliveries;
  {
    MutexLock lock(mutex_);
    Actions actions;
    state_.Closed(now, slot, actions);
    Prepare(now, actions, slot, deliveries);
  }
  return Deliver(std::move(deliveries));
}

std::optional<Order> Pool::FoundStale(SlotId slot, std::shared_ptr<Waiter> waiter) {
  const Instant now = clock_.Now();
  Deliveries deliveries;
  {
    MutexLock lock(mutex_);
    ++totals_.stale_total;
    slots_[slot].holder.reset();
    Actions actions;
    Seat(state_.FoundStale(now, slot, actions), waiter);
    Prepare(now, actions, slot, deliveries);
  }
  std::optional<Order> next = Deliver(std::move(deliveries));
  waiter->BackInLine();
  return next;
}

std::optional<Order> Pool::Returned(SlotId slot, Condition condition, Instant answered) {
  const Instant now = answered;
  Deliveries deliveries;
  {
    MutexLock lock(mutex_);
    if (condition == Condition::kBroken) ++totals_.stale_total;
    slots_[slot].holder.reset();
    Actions actions;
    state_.Returned(now, slot, condition, answered, actions);
    Prepare(now, actions, slot, deliveries);
  }
  return Deliver(std::move(deliveries));
}

Instant Pool::Tick(Instant now) {
  Deliveries deliveries;
  Instant next;
  {
    MutexLock lock(mutex_);
    Actions actions;
    state_.Tick(now, actions);
    Prepare(now, actions, kNobody, deliveries);
    next = state_.NextDue();
    deliveries.next_due = kNever;  // the upkeep hears of it here: a nudge would make it ask again
  }
  Deliver(std::move(deliveries));
  return next;
}

void Pool::Prepare(Instant now, const Actions& actions, SlotId self, Deliveries& deliveries) {
  // A slot that gets no worker fails at once, which may lead to the next action.
  Actions failures = PrepareOnce(now, actions, self, deliveries);
  while (!failures.opens.empty() || !failures.refusals.empty()) {
    failures = PrepareOnce(now, failures, self, deliveries);
  }
  deliveries.next_due = state_.NextDue();
  emptied_.NotifyAll();
}

// Returns what follows from openings that could not even begin.
Actions Pool::PrepareOnce(Instant now, const Actions& actions, SlotId self,
                          Deliveries& deliveries) {
  const auto order = [&](SlotId slot, Order what) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (slot == self) {
      deliveries.own = std::move(what);
    } else {
      deliveries.orders.emplace_back(&WorkerOf(slot), std::move(what));
    }
  };
  for (const Actions::Refusal& refusal : actions.refusals) {
    if (refusal.reason == RefusalReason::kTimedOut) ++totals_.timeouts_total;
    deliveries.refusals.push_back(
        {Unseat(refusal.ticket), refusal.reason, Refusal(refusal.reason)});
  }
  for (const Actions::Grant& grant : actions.grants) {
    std::shared_ptr<Waiter> waiter = Unseat(grant.ticket);
    slots_[grant.slot].holder = waiter->holder();
    deliveries.waits.push_back(now - grant.arrived);
    order(grant.slot, ServeOrder{std::move(waiter), grant.check, grant.caller_deadline});
  }
  for (const Actions::Close& close : actions.closes) order(close.slot, CloseOrder{close.reason});
  Actions failures;
  for (const SlotId slot : actions.opens) {
    if (HasWorker(slot)) {
      order(slot, OpenOrder{});
    } else {
      state_.OpenFailed(now, slot, failures);
    }
  }
  return failures;
}

std::optional<Order> Pool::Deliver(Deliveries deliveries) {
  for (auto& [worker, order] : deliveries.orders) worker->Give(std::move(order));
  for (auto& refused : deliveries.refusals) {
    observer_.Refused(refused.reason);
    refused.waiter->Refused(std::move(refused.why));
  }
  for (const Duration wait : deliveries.waits) observer_.Waited(wait);
  if (deliveries.next_due != kNever) upkeep_.Nudge(deliveries.next_due);
  return std::move(deliveries.own);
}

Worker& Pool::WorkerOf(SlotId slot) { return *slots_[slot].worker; }

// A process may be out of threads or descriptors: then the slot cannot be opened.
bool Pool::HasWorker(SlotId slot) {
  SlotRecord& record = slots_[slot];
  if (record.worker) return true;
  try {
    WorkerHost& host = *this;
    record.worker = workers_(host, slot);
    return true;
  } catch (const std::system_error& failure) {
    last_connect_failure_ = ConnectionUnavailable(
        absl::StrFormat("the gateway has no thread or descriptor left: %s", failure.what()),
        Stage::kConnecting);
    return false;
  }
}

void Pool::Seat(Ticket ticket, std::shared_ptr<Waiter> waiter) {
  if (ticket.index >= seats_.size()) seats_.resize(ticket.index + 1);
  waiter->ticket_ = ticket;
  seats_[ticket.index] = std::move(waiter);
}

std::shared_ptr<Waiter> Pool::Unseat(Ticket ticket) {
  std::shared_ptr<Waiter> waiter = std::move(seats_[ticket.index]);
  waiter->ticket_ = {};  // another pool, which it goes on to, might take it for one of its own
  return waiter;
}

absl::Status Pool::Refusal(RefusalReason reason) const {
  const PoolState::Counts counts = state_.counts();
  const double seconds = std::chrono::duration<double>(limits_.timeout).count();
  // Nobody holds a connection: what everybody waits for is one to be opened.
  const bool only_connecting = counts.leased == 0 && counts.opening > 0;
  switch (reason) {
    case RefusalReason::kTimedOut:
      if (only_connecting) {
        return ConnectionUnavailable(
            absl::StrFormat("no connection could be opened within %.2f s%s%s", seconds,
                            last_connect_failure_.ok() ? "" : "; last connect error: ",
                            std::string(last_connect_failure_.message())),
            Stage::kConnecting);
      }
      return Exhausted(
          absl::StrFormat("QueuePool limit of size %d overflow %d reached, connection timed out, "
                          "timeout %.2f%s%s%s",
                          limits_.size, limits_.overflow, seconds, Holders(),
                          last_connect_failure_.ok() ? "" : "; last connect error: ",
                          std::string(last_connect_failure_.message())),
          "POOL_TIMEOUT");
    case RefusalReason::kDeadline:
      return DeadlineExceeded(only_connecting ? Stage::kConnecting : Stage::kWaiting);
    case RefusalReason::kLineFull:
      return Exhausted(
          absl::StrFormat("the line for a connection is full: %d wait, at most %d may; %d of %d "
                          "connections are in use",
                          counts.waiting, limits_.max_waiters, counts.leased, limits_.limit()),
          "LINE_FULL");
    case RefusalReason::kLeaseLimit:
      return Exhausted(
          absl::StrFormat("leased transactions hold %d of the %d connections that they may hold%s",
                          counts.leases, limits_.leased_limit(), Holders()),
          "LEASE_LIMIT");
    case RefusalReason::kConnectFailed:
      return AtStage(last_connect_failure_, Stage::kConnecting);
    case RefusalReason::kShutdown:
      return Stopped(StopReason::kShutdown, Stage::kWaiting);
  }
  return absl::InternalError("a refusal without a reason");
}

// "; held by cad 9, billing 6"
std::string Pool::Holders() const {
  std::map<std::string, int> held;
  for (const SlotRecord& slot : slots_) {
    if (slot.holder) ++held[slot.holder->caller.empty() ? "unnamed" : slot.holder->caller];
  }
  std::string text;
  for (const auto& [caller, count] : held) {
    text += absl::StrFormat("%s%s %d", text.empty() ? "; held by " : ", ", caller, count);
  }
  return text;
}

}  // namespace emsdb
