#include "tests/pool/simulation/worker.h"

#include <utility>

namespace emsdb {

WatchedHost::WatchedHost(WorkerHost& pool, SlotId slot, Scheduler& scheduler, Witness& witness,
                         Defect defect)
    : pool_(pool), slot_(slot), scheduler_(scheduler), witness_(witness), defect_(defect) {}

void WatchedHost::Ordered(const Order& order) {
  if (std::holds_alternative<ExitOrder>(order)) return;
  if (busy_) scheduler_.Violation("a worker has two orders at a time");
  busy_ = true;
  const auto* serve = std::get_if<ServeOrder>(&order);
  holder_ = serve ? &dynamic_cast<Participant&>(*serve->waiter).person() : nullptr;
  scheduler_.Note("worker %d is to %s", slot_,
                  serve                                      ? "serve"
                  : std::holds_alternative<OpenOrder>(order) ? "open"
                                                             : "close");
  if (std::holds_alternative<OpenOrder>(order)) witness_.OpeningOrdered(slot_);
  group_ = serve != nullptr && serve->grouping == Grouping::kGroup;
  if (serve == nullptr) return;
  if (group_) {
    group_reports_ = holder_->reports();
    holder_->grouped = true;
    for (const auto& other : serve->others) {
      dynamic_cast<Participant&>(*other).person().grouped = true;
    }
  }
  scheduler_.Note("... #%d", holder_->number);
  witness_.HandedOut(generation_, opened_);
}

void WatchedHost::Reports(const char* what) {
  scheduler_.MayYield();
  scheduler_.Note("worker %d: %s", slot_, what);
  busy_ = false;
  scheduler_.EntersPool();
}

std::optional<Order> WatchedHost::Answered(std::optional<Order> order) {
  if (order) Ordered(*order);
  scheduler_.MayYield();
  return order;
}

bool WatchedHost::IsTrue(CloseReason reason) const {
  switch (reason) {
    case CloseReason::kOverflow:
      return true;  // how many are idle was another's affair by now
    case CloseReason::kRecycled: {
      const auto& recycle = witness_.limits().recycle;
      return recycle && scheduler_.Now() - opened_ >= *recycle * 9 / 10;
    }
    case CloseReason::kInvalidated:
      return generation_ == kUnknown || witness_.IsSuspect(generation_);
    case CloseReason::kStale:
      return stale_;
    case CloseReason::kBroken:
      return returned_ == Condition::kBroken;
    case CloseReason::kDirty:
      return returned_ == Condition::kDirty;
    case CloseReason::kOutgrown:
      return returned_ == Condition::kOutgrown;
    case CloseReason::kResized:
      return witness_.resized();
    case CloseReason::kShutdown:
      return witness_.draining();
  }
  return false;
}

std::optional<Order> WatchedHost::Opened(SlotId slot, Duration took) {
  Reports("opened");
  witness_.OpeningOver(slot);
  generation_ = kUnknown;
  stale_ = false;
  returned_ = std::nullopt;
  const int generation = witness_.generation();
  opened_ = scheduler_.Now();
  std::optional<Order> next = pool_.Opened(slot, took);
  // Who can say whether it came before or after a disconnect in the meantime?
  if (generation == witness_.generation()) generation_ = generation;
  return Answered(std::move(next));
}

std::optional<Order> WatchedHost::OpenFailed(SlotId slot, const absl::Status& why) {
  Reports("open failed");
  witness_.OpeningOver(slot);
  if (defect_ == Defect::kForgetsAFailedOpening) return std::nullopt;
  return Answered(pool_.OpenFailed(slot, why));
}

std::optional<Order> WatchedHost::Closed(SlotId slot, CloseReason reason) {
  Reports("closed");
  if (!IsTrue(reason)) {
    scheduler_.Violation(
        absl::StrFormat("a connection was closed for a reason that is not true: %s",
                        std::string(CloseReasonName(reason))));
  }
  if (defect_ == Defect::kForgetsAClose && reason == CloseReason::kStale) return std::nullopt;
  return Answered(pool_.Closed(slot, reason));
}

std::optional<Order> WatchedHost::FoundStale(SlotId slot, std::shared_ptr<Waiter> waiter) {
  Reports("found stale");
  stale_ = true;
  witness_.BackInLine(*std::exchange(holder_, nullptr));
  witness_.Disconnect(generation_);
  return Answered(pool_.FoundStale(slot, std::move(waiter)));
}

std::optional<Order> WatchedHost::Returned(SlotId slot, Condition condition, Instant answered) {
  Reports(condition == Condition::kGood     ? "given back"
          : condition == Condition::kBroken ? "given back broken"
                                            : "given back dirty");
  if (!group_ && holder_->lost_connection && condition != Condition::kBroken) {
    scheduler_.Violation("a connection was lost in use, and nobody suspects the others");
  }
  returned_ = condition;
  if (group_) {
    holder_ = nullptr;
    witness_.GroupGivesBack(group_reports_);
  } else {
    witness_.GivesBack(*std::exchange(holder_, nullptr));
  }
  if (condition == Condition::kBroken) witness_.Disconnect(generation_);
  return Answered(pool_.Returned(slot, condition, answered));
}

void WatchedHost::Reset(SlotId slot, ResetResult result) {
  scheduler_.MayYield();
  pool_.Reset(slot, result);
}

SimulatedWorker::SimulatedWorker(std::unique_ptr<WatchedHost> host, SlotId slot,
                                 Connector& connector, Scheduler& scheduler)
    : ConnectionWorker(*host, slot, connector, scheduler),
      host_(std::move(host)),
      scheduler_(scheduler),
      task_(scheduler.Start(absl::StrFormat("worker %d", slot), [this] { Run(); })) {}

void SimulatedWorker::Give(Order order) {
  scheduler_.MayYield();
  host_->Ordered(order);
  ConnectionWorker::Give(std::move(order));
}

void SimulatedWorker::AwaitChange() {
  mutex_.Unlock();
  scheduler_.Block();
  mutex_.Lock();
}

}  // namespace emsdb
