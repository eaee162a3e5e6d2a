#include "tests/pool/simulation/simulation.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "tests/pool/simulation/worker.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kPatience = seconds(200);  // more than all time-outs and statements together

PoolLimits SomeLimits(Dice& dice) {
  PoolLimits limits;
  limits.size = 1 + dice.Below(4);
  limits.overflow = dice.Below(3);
  const Duration timeouts[] = {Duration::zero(), dice.UpTo(seconds(2)), dice.UpTo(seconds(2)),
                               seconds(30)};
  limits.timeout = timeouts[dice.Below(4)];
  if (dice.OneIn(2)) {
    limits.recycle = std::nullopt;
  } else {
    limits.recycle = milliseconds(1) + dice.UpTo(seconds(5));
  }
  limits.pre_ping_window = dice.OneIn(2) ? Duration::zero() : dice.UpTo(seconds(1));
  limits.max_waiters = dice.Below(12);
  limits.refuse_hopeless = dice.OneIn(4);
  if (dice.OneIn(2)) limits.max_leased = 1 + dice.Below(limits.limit());
  if (dice.OneIn(2)) limits.idle_order = IdleOrder::kLeastRecentFirst;
  return limits;
}

Duration SomeSpan(Dice& dice) {
  const Duration spans[] = {milliseconds(2), milliseconds(50), milliseconds(500), seconds(4)};
  return spans[dice.Below(4)];
}

}  // namespace

Simulation::Simulation(std::uint64_t seed, Defect defect, Scheduler::Recording recording)
    : dice_(seed),
      defect_(defect),
      scheduler_(dice_, recording),
      limits_(SomeLimits(dice_)),
      pace_(SomeSpan(dice_)),
      longest_(SomeSpan(dice_)),
      reports_(dice_.OneIn(5)),
      sharing_(dice_.OneIn(3) ? 0 : dice_.Below(5)),
      witness_(limits_, scheduler_),
      database_(dice_, scheduler_, witness_, defect),
      upkeep_(scheduler_),
      pool_(std::make_unique<Pool>(
          limits_, [this](WorkerHost& host, SlotId slot) { return MakeWorker(host, slot); },
          scheduler_, upkeep_, witness_)),
      transactions_(std::make_unique<Transactions>(scheduler_, upkeep_)) {
  scheduler_.Note("size %d, overflow %d, timeout %.3f s, %d may wait, %d may be leased",
                  limits_.size, limits_.overflow,
                  std::chrono::duration<double>(limits_.timeout).count(), limits_.max_waiters,
                  limits_.leased_limit());
}

const std::vector<std::string>& Simulation::Run() {
  scheduler_.Start("director", [this] { Direct(); });
  scheduler_.Run(
      [this] {
        if (pool_) witness_.Checked(*pool_);
      },
      [this] {
        if (pool_) witness_.Quiet(*pool_);
      });
  if (scheduler_.violations().empty() && !over_) scheduler_.Violation("nothing can go on");
  return scheduler_.violations();
}

// Tasks that will never go on have their stacks still, and what lies there refers to the rest.
void Simulation::Abandon(std::unique_ptr<Simulation> broken_off) {
  static auto& abandoned = *new std::vector<std::unique_ptr<Simulation>>;
  abandoned.push_back(std::move(broken_off));
}

void Simulation::Rounds::Run() {
  for (Instant next{}; Wait(next);) {
    scheduler_.EntersPool();
    next = Round();
    scheduler_.Stir();
  }
}

void Simulation::Rounds::End() {
  Upkeep::End();
  scheduler_.Stir();
}

std::unique_ptr<Worker> Simulation::MakeWorker(WorkerHost& host, SlotId slot) {
  if (dice_.OneIn(50)) {
    witness_.CannotOpen();
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
  }
  return std::make_unique<SimulatedWorker>(
      std::make_unique<WatchedHost>(host, slot, scheduler_, witness_, defect_), slot, database_,
      scheduler_);
}

void Simulation::Direct() {
  std::vector<Scheduler::TaskId> clients;
  const int count = 1 + dice_.Below(3);
  for (int i = 0; i < count; ++i) {
    clients.push_back(scheduler_.Start(absl::StrFormat("client %d", i),
                                       [this] { BeClient(3 + dice_.Below(12)); }));
  }
  const auto weather = scheduler_.Start("weather", [this] { MakeWeather(dice_.Below(6)); });
  const auto operators =
      scheduler_.Start("operator", [this] { Operate(dice_.OneIn(2) ? 0 : dice_.Below(6)); });
  const auto upkeep = scheduler_.Start("upkeep", [this] {
    if (defect_ != Defect::kNoUpkeep) upkeep_.Run();
  });
  if (dice_.OneIn(3)) {
    scheduler_.Sleep(dice_.UpTo(8 * pace_));
  } else {
    for (const auto client : clients) scheduler_.Join(client);
    scheduler_.Join(operators);
    const Instant latest = scheduler_.Now() + kPatience;
    while (!witness_.AllAnswered() && scheduler_.Now() < latest) scheduler_.Sleep(seconds(1));
    if (!witness_.AllAnswered()) return scheduler_.Violation("somebody is never answered");
  }
  CloseDown();
  for (const auto client : clients) scheduler_.Join(client);
  scheduler_.Join(operators);
  scheduler_.Join(weather);
  upkeep_.End();
  scheduler_.Join(upkeep);
  transactions_.reset();
  std::exchange(pool_, nullptr).reset();
  witness_.Over();
  over_ = true;
}

void Simulation::CloseDown() {
  witness_.Drains();
  transactions_->Drain();
  scheduler_.EntersPool();
  scheduler_.Note("drain");
  if (pool_->Drain(After(scheduler_.Now(), dice_.UpTo(seconds(3))))) return;
  scheduler_.Note("stop");
  scheduler_.EntersPool();
  pool_->Stop();
  if (!pool_->Drain(kNever)) scheduler_.Violation("it drained and says that it did not");
}

void Simulation::BeClient(int actions) {
  for (int i = 0; i < actions; ++i) {
    if (!dice_.OneIn(3)) scheduler_.Sleep(dice_.UpTo(pace_));
    scheduler_.EntersPool();
    switch (dice_.Below(12)) {
      case 0:
      case 1:
        Leave();
        break;
      case 2:
        BeginTransaction();
        break;
      case 3:
      case 4:
        UseTransaction();
        break;
      default:
        Ask();
        break;
    }
    scheduler_.Stir();
  }
}

void Simulation::MakeWeather(int events) {
  for (int i = 0; i < events; ++i) {
    scheduler_.Sleep(dice_.UpTo(4 * pace_));
    switch (dice_.Below(6)) {
      case 0:
        database_.KillAll();
        break;
      case 1:
        scheduler_.Note("the database hangs");
        database_.HangFor(dice_.UpTo(seconds(4)));
        break;
      case 2:
        scheduler_.Note("the database refuses connections");
        database_.RefuseFor(dice_.UpTo(seconds(4)));
        break;
      default:
        database_.KillOne();
        break;
    }
  }
}

void Simulation::Operate(int actions) {
  for (int i = 0; i < actions; ++i) {
    scheduler_.Sleep(dice_.UpTo(4 * pace_));
    scheduler_.EntersPool();
    switch (dice_.Below(3)) {
      case 0:
        scheduler_.Note("pause");
        witness_.Pauses();
        pool_->Pause();
        scheduler_.Sleep(dice_.UpTo(4 * pace_));
        scheduler_.Note("resume");
        scheduler_.EntersPool();
        witness_.Resumes();
        pool_->Resume();
        break;
      case 1:
        scheduler_.Note("reconnect");
        witness_.Reconnects();
        pool_->Reconnect();
        break;
      default:
        Resize();
        break;
    }
    scheduler_.Stir();
  }
}

void Simulation::Resize() {
  const int size = 1 + dice_.Below(5);
  const int overflow = dice_.Below(3);
  if (size + overflow < limits_.max_leased.value_or(1)) return;
  scheduler_.Note("resize to %d and %d", size, overflow);
  witness_.Resizes(size, overflow);
  pool_->Resize(size, overflow);
}

Instant Simulation::SomeDeadline() {
  return dice_.OneIn(2) ? kNever : After(scheduler_.Now(), dice_.UpTo(seconds(2)));
}

Priority Simulation::SomePriority() {
  if (reports_ && !dice_.OneIn(4)) return Priority::kReporting;
  return static_cast<Priority>(dice_.Below(kPriorities));
}

Checkout Simulation::AsksFor(const Person& person) const {
  const bool cheats = defect_ == Defect::kJumpsTheLine && person.number % 4 == 0;
  return {cheats ? Priority::kDispatch : person.priority, person.purpose, person.caller_deadline,
          person.shares ? Grouping::kGroup : Grouping::kAlone};
}

Use Simulation::SomeStatement() {
  const Duration time = dice_.UpTo(longest_);
  const bool keeps = defect_ == Defect::kKeepsTheConnection && dice_.OneIn(10);
  return [this, time, keeps](Connection& connection, const Bounds& bounds, Lease& lease) {
    if (keeps) kept_.push_back(std::move(lease));
    return static_cast<SimulatedConnection&>(connection).Work(time, bounds);
  };
}

void Simulation::Ask() {
  const auto purpose = dice_.OneIn(8) ? Purpose::kLease : Purpose::kStatement;
  Use use = SomeStatement();
  Person& person = witness_.Arrives(SomePriority(), purpose, SomeDeadline());
  const Checkout checkout = AsksFor(person);
  if (dice_.OneIn(2)) {
    auto waiter = std::make_shared<BareWaiter>(person, witness_, std::move(use));
    callers_.push_back({&person, waiter, nullptr});
    pool_->Submit(std::move(waiter), checkout);
  } else {
    const bool may_wait = limits_.timeout > Duration::zero();
    person.shares = may_wait && purpose == Purpose::kStatement && dice_.Below(4) < sharing_;
    auto call = std::make_shared<SimulatedCall>(
        person, witness_, scheduler_,
        CallOptions{.deadline = checkout.deadline, .priority = checkout.priority}, std::move(use));
    callers_.push_back({&person, nullptr, call});
    call->Start(*pool_, checkout.purpose);
  }
  witness_.Submitted(person);
}

void Simulation::BeginTransaction() {
  Person& person = witness_.Arrives(SomePriority(), Purpose::kLease, SomeDeadline());
  const Checkout checkout = AsksFor(person);
  auto call = std::make_shared<SimulatedCall>(
      person, witness_, scheduler_,
      CallOptions{.deadline = checkout.deadline, .priority = checkout.priority},
      [this](Connection& connection, const Bounds& bounds, Lease& lease) {
        return OpenTransaction(connection, bounds, lease);
      });
  callers_.push_back({&person, nullptr, call});
  call->Start(*pool_, checkout.purpose);
  witness_.Submitted(person);
}

absl::Status Simulation::OpenTransaction(Connection& connection, const Bounds& bounds,
                                         Lease& lease) {
  absl::Status begun = connection.Begin({}, {}, bounds);
  if (!begun.ok()) return begun;
  ids_.push_back(transactions_->Add(std::move(lease), {.caller = "cad",
                                                       .database = "main",
                                                       .idle_timeout = dice_.UpTo(seconds(2)),
                                                       .total_timeout = dice_.UpTo(seconds(5))}));
  return absl::OkStatus();
}

void Simulation::UseTransaction() {
  if (ids_.empty()) return;
  const std::string id = ids_[dice_.Below(static_cast<int>(ids_.size()))];
  if (dice_.OneIn(8)) return transactions_->Abandon(id);
  const TransactionStep steps[] = {TransactionStep::kStatement, TransactionStep::kStatement,
                                   TransactionStep::kCommit, TransactionStep::kRollBack};
  const TransactionStep step = steps[dice_.Below(4)];
  Use use = step == TransactionStep::kStatement ? SomeStatement()
            : step == TransactionStep::kCommit
                ? Use([](Connection& connection, const Bounds& bounds, Lease&) {
                    return connection.Commit(bounds);
                  })
                : Use([](Connection& connection, const Bounds& bounds, Lease&) {
                    return connection.RollBack(bounds);
                  });
  Person& person = witness_.ArrivesInside(SomeDeadline());
  auto call = std::make_shared<SimulatedCall>(person, witness_, scheduler_,
                                              CallOptions{.deadline = person.caller_deadline},
                                              std::move(use));
  callers_.push_back({&person, nullptr, call});
  transactions_->Run(id, "cad", step, std::move(call));
}

void Simulation::Leave() {
  std::vector<Caller> unanswered;
  for (const Caller& caller : callers_) {
    if (caller.person->answers == 0) unanswered.push_back(caller);
  }
  if (unanswered.empty()) return;
  const Caller caller = unanswered[dice_.Below(static_cast<int>(unanswered.size()))];
  Person& person = *caller.person;
  scheduler_.Note("#%d is cancelled", person.number);
  if (caller.call) {
    person.cancelled = true;
    return caller.call->Cancel(StopReason::kCallerLeft);
  }
  person.cancelled = true;
  if (pool_->Withdraw(*caller.bare)) {
    witness_.Withdrawn(person);
    witness_.Answered(person);
  } else {
    person.cancelled = false;
  }
}

}  // namespace emsdb
