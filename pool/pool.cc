#include "pool/pool.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "absl/strings/str_format.h"
#include "pool/errors.h"

namespace emsdb {
namespace {

constexpr char kTooManyConnections[] = "53300";

WorkerFactory Threads(std::shared_ptr<Connector> connector, Clock& clock) {
  return [connector = std::move(connector), &clock](WorkerHost& host, SlotId slot) {
    return std::make_unique<ThreadWorker>(host, slot, *connector, clock);
  };
}

absl::Status NoAnswer() {
  return ConnectionUnavailable("the database did not answer in time to an attempt to connect",
                               Stage::kConnecting);
}

OpenFailure KindOf(const absl::Status& why) {
  return DetailOf(why).sqlstate == kTooManyConnections ? OpenFailure::kServerFull
                                                       : OpenFailure::kUnreachable;
}

}  // namespace

Pool::Pool(const PoolLimits& limits, std::unique_ptr<Connector> connector, Clock& clock,
           Upkeep& upkeep, PoolObserver& observer)
    : Pool(limits, Threads(std::move(connector), clock), clock, upkeep, observer) {}

Pool::Pool(const PoolLimits& limits, WorkerFactory workers, Clock& clock, Upkeep& upkeep,
           PoolObserver& observer)
    : workers_(std::move(workers)),
      clock_(clock),
      upkeep_(upkeep),
      observer_(observer),
      group_batches_(limits.group_batches),
      state_(limits),
      slots_(limits.limit()) {
  if (limits.group_reads) proven_reads_.emplace();
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
    const auto arrival = state_.Arrive(now, checkout, actions);
    if (arrival.refused) {
      if (*arrival.refused == RefusalReason::kTimedOut) ++totals_.timeouts_total;
      deliveries.refusals.push_back(
          {std::move(waiter), *arrival.refused, Refusal(*arrival.refused, now)});
    } else {
      Seat(arrival.ticket, std::move(waiter));
    }
    Prepare(now, actions, kNobody, deliveries);
  }
  Deliver(deliveries);
}

bool Pool::Withdraw(Waiter& waiter) {
  std::shared_ptr<Waiter> gone;  // released without the lock
  MutexLock lock(mutex_);
  const Ticket ticket = waiter.ticket_;
  if (!state_.Withdraw(ticket)) return false;
  gone = Unseat(ticket);
  TellDrain();
  return true;
}

bool Pool::Drain(Instant deadline) {
  Decide([&](Instant, Actions& actions)
             ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { state_.Drain(actions); });
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
  Deliver(deliveries);
  for (Worker* worker : workers) worker->Stop(StopReason::kShutdown);
}

void Pool::Pause() {
  Decide([&](Instant, Actions&) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { state_.Pause(); });
}

void Pool::Resume() {
  Decide([&](Instant now, Actions& actions)
             ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { state_.Resume(now, actions); });
}

void Pool::Reconnect() {
  Decide([&](Instant now, Actions& actions)
             ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { state_.Reconnect(now, actions); });
}

void Pool::Resize(int size, int overflow) {
  Decide([&](Instant now, Actions& actions) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (static_cast<int>(slots_.size()) < size + overflow) slots_.resize(size + overflow);
    state_.Resize(now, size, overflow, actions);
  });
}

// Changes the state from outside of any worker, and carries out what follows.
template <typename Decision>
void Pool::Decide(Decision decision) {
  const Instant now = clock_.Now();
  Deliveries deliveries;
  {
    MutexLock lock(mutex_);
    Actions actions;
    decision(now, actions);
    Prepare(now, actions, kNobody, deliveries);
  }
  Deliver(deliveries);
}

PoolNumbers Pool::numbers() const {
  MutexLock lock(mutex_);
  const Instant now = clock_.Now();
  PoolNumbers numbers = totals_;
  numbers.counts = state_.counts();
  numbers.last_connect_error = std::string(last_connect_failure_.message());
  numbers.mode = state_.mode();
  if (const auto since = state_.outage().since()) {
    numbers.down_for = now - *since;
    numbers.next_attempt = std::max(Duration::zero(), state_.outage().next_attempt() - now);
  }
  if (numbers.counts.waiting > 0) numbers.longest_wait = now - state_.longest_waiting();
  for (const HeldConnection& each : Held(now)) {
    numbers.longest_held = std::max(numbers.longest_held, each.held);
  }
  return numbers;
}

PoolLimits Pool::limits() const {
  MutexLock lock(mutex_);
  return state_.limits();
}

std::vector<HeldConnection> Pool::holders(std::size_t most) const {
  std::vector<HeldConnection> held;
  {
    MutexLock lock(mutex_);
    held = Held(clock_.Now());
  }
  std::sort(held.begin(), held.end(), [](const auto& a, const auto& b) { return a.held > b.held; });
  if (held.size() > most) held.resize(most);
  return held;
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
  return Deliver(deliveries);
}

std::optional<Order> Pool::OpenFailed(SlotId slot, const absl::Status& why) {
  observer_.OpenFailed();
  const Instant now = clock_.Now();
  Deliveries deliveries;
  {
    MutexLock lock(mutex_);
    // Not the caller's deadline: that of the opening.
    last_connect_failure_ = why.code() == absl::StatusCode::kDeadlineExceeded ? NoAnswer() : why;
    Actions actions;
    state_.OpenFailed(now, slot, KindOf(why), actions);
    Prepare(now, actions, slot, deliveries);
  }
  return Deliver(deliveries);
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
  return Deliver(deliveries);
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
  std::optional<Order> next = Deliver(deliveries);
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
  return Deliver(deliveries);
}

Instant Pool::Tick(Instant now) {
  Deliveries deliveries;
  Instant next;
  {
    MutexLock lock(mutex_);
    Actions actions;
    state_.Tick(now, actions);
    Prepare(now, actions, kNobody, deliveries);
    // Told by the return value: a nudge would only bring the upkeep back at once, for ever.
    next = std::exchange(deliveries.next_due, kNever);
  }
  Deliver(deliveries);
  return next;
}

void Pool::Prepare(Instant now, const Actions& actions, SlotId self, Deliveries& deliveries) {
  // Down without a failure: for silence.
  if (state_.outage().down() && last_connect_failure_.ok()) last_connect_failure_ = NoAnswer();
  // A slot that gets no worker fails at once, which may lead to the next action.
  Actions failures = PrepareOnce(now, actions, self, deliveries);
  while (!failures.opens.empty() || !failures.refusals.empty()) {
    failures = PrepareOnce(now, failures, self, deliveries);
  }
  NoticeOutage(now, deliveries);
  deliveries.next_due = state_.NextDue();
  TellDrain();
}

// Nobody else waits for the pool to be empty.
void Pool::TellDrain() {
  if (state_.mode() == PoolMode::kDraining) emptied_.NotifyAll();
}

void Pool::NoticeOutage(Instant now, Deliveries& deliveries) {
  const std::optional<Instant> since = state_.outage().since();
  if (since && !down_since_) deliveries.went_down = last_connect_failure_;
  if (!since && down_since_) deliveries.came_back = now - *down_since_;
  down_since_ = since;
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
        {Unseat(refusal.ticket), refusal.reason, Refusal(refusal.reason, now)});
  }
  for (const Actions::Grant& grant : actions.grants) {
    std::shared_ptr<Waiter> waiter = Unseat(grant.ticket);
    SlotRecord& slot = slots_[grant.slot];
    slot.holder = waiter->holder();
    slot.held_since = now;
    slot.purpose = grant.purpose;
    deliveries.waits.push_back(now - grant.arrived);
    ServeOrder serve{.waiter = std::move(waiter),
                     .check = grant.check,
                     .deadline = grant.caller_deadline,
                     .grouping = grant.grouping};
    for (const Actions::Member& member : grant.others) {
      serve.others.push_back(Unseat(member.ticket));
      serve.others.back()->Joined();
      deliveries.waits.push_back(now - member.arrived);
    }
    if (!serve.others.empty()) {
      deliveries.groups.push_back(1 + static_cast<int>(serve.others.size()));
    }
    order(grant.slot, std::move(serve));
  }
  for (const Actions::Close& close : actions.closes) order(close.slot, CloseOrder{close.reason});
  for (const SlotId slot : actions.held_long) {
    deliveries.held_long.push_back(HeldAt(slots_[slot], now));
  }
  Actions failures;
  for (const SlotId slot : actions.opens) {
    if (HasWorker(slot)) {
      order(slot, OpenOrder{});
    } else {
      state_.OpenFailed(now, slot, OpenFailure::kUnreachable, failures);
    }
  }
  return failures;
}

std::optional<Order> Pool::Deliver(Deliveries& deliveries) {
  for (auto& [worker, order] : deliveries.orders) worker->Give(std::move(order));
  for (auto& refused : deliveries.refusals) {
    observer_.Refused(refused.reason);
    refused.waiter->Refused(std::move(refused.why));
  }
  for (const Duration wait : deliveries.waits) observer_.Waited(wait);
  for (const int members : deliveries.groups) observer_.Grouped(members);
  for (const auto& held : deliveries.held_long) observer_.HeldLong(held.who, held.held);
  if (deliveries.went_down) observer_.WentDown(*deliveries.went_down);
  if (deliveries.came_back) observer_.CameBack(*deliveries.came_back);
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

absl::Status Pool::Refusal(RefusalReason reason, Instant now) const {
  RefusalFacts facts = {.limits = state_.limits(),
                        .counts = state_.counts(),
                        .last_connect_failure = last_connect_failure_};
  if (reason == RefusalReason::kDown) {
    // One that is under way, and may hang, says nothing about when to come again.
    facts.next_attempt =
        facts.counts.opening > 0 ? Outage::kLongestPause : state_.outage().next_attempt() - now;
  }
  // Thousands may be refused at one stroke, and most have no use for the names.
  if (reason == RefusalReason::kTimedOut || reason == RefusalReason::kLeaseLimit) {
    facts.held = Held(now);
  }
  return WhyRefused(reason, facts);
}

std::vector<HeldConnection> Pool::Held(Instant now) const {
  std::vector<HeldConnection> held;
  for (const SlotRecord& slot : slots_) {
    if (slot.holder) held.push_back(HeldAt(slot, now));
  }
  return held;
}

HeldConnection Pool::HeldAt(const SlotRecord& slot, Instant now) const {
  return {slot.holder.value_or(Holder{}), now - slot.held_since, slot.purpose};
}

}  // namespace emsdb
