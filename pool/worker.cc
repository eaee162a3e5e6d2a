#include "pool/worker.h"

#include <algorithm>
#include <utility>

#include "pool/errors.h"

namespace emsdb {
namespace {

// How long a ping may take, and the roll-back of what a lease left open. Longer means lost.
constexpr Duration kPingTimeout = std::chrono::seconds(2);
constexpr Duration kRollBackTimeout = std::chrono::seconds(5);
// And the reset of a session that was changed. A new connection takes less.
constexpr Duration kResetTimeout = std::chrono::seconds(3);
// All of a group, or until the first deadline of a member: what is not answered by then is run on
// other connections, and this one is closed.
constexpr Duration kGroupTimeout = std::chrono::seconds(1);

}  // namespace

void Lease::Run(LeaseTask task) && { std::exchange(worker_, nullptr)->Post(std::move(task)); }
Connection& Lease::connection() const { return worker_->connection(); }
StopSignal& Lease::stop() const { return worker_->stop(); }
void Lease::AnswerAfterwards(std::shared_ptr<Waiter> waiter) const {
  worker_->AnswerAfterwards(std::move(waiter));
}
void Lease::End() {
  if (worker_ != nullptr) std::exchange(worker_, nullptr)->EndLease();
}

void ConnectionWorker::Give(Order order) {
  if (auto* serve = std::get_if<ServeOrder>(&order); serve != nullptr) SendAhead(*serve);
  MutexLock lock(mutex_);
  order_ = std::move(order);
  Changed();
}

Order ConnectionWorker::NextOrder() {
  MutexLock lock(mutex_);
  waits_ = true;
  while (!order_) AwaitChange();
  waits_ = false;
  Order order = *std::move(order_);
  order_.reset();
  return order;
}

// Who gives the order has the slot, and the worker is not at its connection. The way of a read to
// the database is one change of thread shorter.
void ConnectionWorker::SendAhead(ServeOrder& order) {
  if (order.grouping == Grouping::kAlone || !order.others.empty()) return;
  if (order.check != Check::kLook || !IsWaiting()) return;
  if (!connection_->sends_ahead() || !connection_->LooksAlive()) return;
  order.ahead = ServeOrder::Ahead::kBoarded;
  order.read = order.waiter->Board();
  if (order.read == nullptr) return;
  if (connection_->SendRead(*order.read)) order.ahead = ServeOrder::Ahead::kSent;
}

bool ConnectionWorker::IsWaiting() {
  MutexLock lock(mutex_);
  return waits_;
}

void ConnectionWorker::Run() {
  for (std::optional<Order> next = NextOrder();;) {
    if (std::holds_alternative<ExitOrder>(*next)) return;
    next = std::visit([this](auto& order) { return Carry(order); }, *next);
    if (!next) next.emplace(NextOrder());
  }
}

std::optional<Order> ConnectionWorker::Carry(const OpenOrder&) {
  const Instant began = clock_.Now();
  auto opened = connector_.Open(ShortBounds(kConnectTimeout));
  if (!opened.ok()) return host_.OpenFailed(slot_, opened.status());
  connection_ = *std::move(opened);
  return host_.Opened(slot_, clock_.Now() - began);
}

std::optional<Order> ConnectionWorker::Carry(const CloseOrder& order) {
  connection_.reset();
  return host_.Closed(slot_, order.reason);
}

std::optional<Order> ConnectionWorker::Carry(ServeOrder& order) {
  if (order.ahead != ServeOrder::Ahead::kNothing) return CarrySent(order);
  const bool groups = order.grouping == Grouping::kGroup && connection_->sends_ahead();
  if (groups || !order.others.empty()) return CarryGroup(order);
  const std::shared_ptr<Waiter> waiter = std::move(order.waiter);
  if (!Proved(order)) return host_.FoundStale(slot_, waiter);
  {
    MutexLock lock(mutex_);
    leased_ = true;
  }
  waiter->Granted(Lease(this));
  std::shared_ptr<Waiter> unanswered = waiter;
  const auto answer = [&] {
    if (unanswered) std::exchange(unanswered, nullptr)->Answer();
  };
  while (Kept()) {
    answer();
    unanswered = RunTask();
  }
  if (MustBeCleaned()) answer();  // nobody waits for what is done for the next one
  const Condition condition = Clean();
  stop_.Clear();
  std::optional<Order> next = host_.Returned(slot_, condition, clock_.Now());
  answer();
  return next;
}

std::optional<Order> ConnectionWorker::CarryGroup(ServeOrder& order) {
  std::vector<std::shared_ptr<Waiter>> members = std::move(order.others);
  const bool proved = Proved(order);
  if (proved) members.insert(members.begin(), std::move(order.waiter));
  std::vector<GroupedRead*> reads;
  std::vector<Waiter*> late;
  for (const auto& member : members) {
    GroupedRead* read = member->Board();
    read == nullptr ? late.push_back(member.get()) : reads.push_back(read);
  }
  for (Waiter* waiter : late) waiter->Answer();
  if (!proved) {
    // The others each ask for a connection again: that of this one may be all there is.
    for (GroupedRead* read : reads) read->Ended(RunAlone(), Duration::zero());
    return host_.FoundStale(slot_, std::move(order.waiter));
  }
  if (!reads.empty()) connection_->ExecuteGroup(reads, GroupBounds(reads));
  return GiveBackGroup();
}

std::optional<Order> ConnectionWorker::CarrySent(const ServeOrder& order) {
  ping_cut_short_ = false;
  if (order.read == nullptr) {
    order.waiter->Answer();
    return GiveBackGroup();
  }
  GroupedRead* const reads[] = {order.read};
  if (order.ahead == ServeOrder::Ahead::kSent) {
    connection_->EndRead(GroupBounds(reads));
  } else {
    connection_->ExecuteGroup(reads, GroupBounds(reads));
  }
  return GiveBackGroup();
}

Bounds ConnectionWorker::GroupBounds(std::span<GroupedRead* const> reads) {
  Bounds bounds = ShortBounds(kGroupTimeout);
  for (const GroupedRead* read : reads) {
    bounds.deadline = std::min(bounds.deadline, read->deadline());
  }
  return bounds;
}

std::optional<Order> ConnectionWorker::GiveBackGroup() {
  const Condition condition = Clean();
  stop_.Clear();
  return host_.Returned(slot_, condition, clock_.Now());
}

bool ConnectionWorker::Proved(const ServeOrder& order) {
  ping_cut_short_ = false;
  if (!connection_->LooksAlive()) return false;
  if (order.check == Check::kLook) return true;
  const Bounds bounds = ShortBounds(kPingTimeout);
  const bool answered =
      connection_->Ping({std::min(bounds.deadline, order.deadline), bounds.stop}).ok();
  // A caller whose deadline was too short for the ping is no evidence against the connection, still
  // less against all the others: it is told so, and the connection closed if the ping spoiled it.
  ping_cut_short_ =
      !answered && bounds.deadline >= order.deadline && clock_.Now() >= order.deadline;
  return answered || ping_cut_short_;
}

bool ConnectionWorker::Kept() {
  MutexLock lock(mutex_);
  return leased_;
}

// Serves the holder of a lease that outlived its call; returns at once when the lease has ended.
// Who is to be answered then, if anybody.
std::shared_ptr<Waiter> ConnectionWorker::RunTask() {
  LeaseTask task;
  {
    MutexLock lock(mutex_);
    while (leased_ && !task_) AwaitChange();
    if (!leased_) return nullptr;
    task = *std::move(task_);
    task_.reset();
  }
  task(Lease(this));
  return std::exchange(answer_, nullptr);
}

bool ConnectionWorker::MustBeCleaned() const {
  return !connection_->broken() && (connection_->session_changed() ||
                                    connection_->transaction_state() != TransactionState::kIdle);
}

// Nothing of one holder reaches the next: what is open is rolled back, what was changed in the
// session is reset, and what cannot be is closed.
Condition ConnectionWorker::Clean() {
  if (MustBeCleaned()) {
    stop_.Clear();
    const bool idle = connection_->transaction_state() == TransactionState::kIdle;
    if (!idle && !connection_->RollBack(ShortBounds(kRollBackTimeout)).ok()) {
      return Condition::kDirty;
    }
    if (!connection_->broken() && connection_->session_changed()) ResetSession();
  }
  // Only a lost one makes the others suspect.
  if (connection_->broken()) {
    return ping_cut_short_ || connection_->given_up() ? Condition::kDirty : Condition::kBroken;
  }
  const bool idle = connection_->transaction_state() == TransactionState::kIdle;
  if (!idle || connection_->session_changed()) return Condition::kDirty;
  return connection_->outgrown() ? Condition::kOutgrown : Condition::kGood;
}

void ConnectionWorker::ResetSession() {
  const bool done = connection_->ResetSession(ShortBounds(kResetTimeout)).ok();
  host_.Reset(slot_, done ? ResetResult::kDone : ResetResult::kFailed);
}

Bounds ConnectionWorker::ShortBounds(Duration longest) {
  return {After(clock_.Now(), longest), &stop_};
}

void ConnectionWorker::Post(LeaseTask task) {
  MutexLock lock(mutex_);
  task_ = std::move(task);
  Changed();
}

void ConnectionWorker::EndLease() {
  MutexLock lock(mutex_);
  leased_ = false;
  Changed();
}

}  // namespace emsdb
