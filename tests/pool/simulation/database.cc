#include "tests/pool/simulation/database.h"

#include <algorithm>
#include <utility>

#include "pool/errors.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;

constexpr Duration kSlowOpening = milliseconds(150);
constexpr Duration kSlowTrip = milliseconds(5);
constexpr Duration kSlowClosing = milliseconds(50);

}  // namespace

SimulatedDatabase::SimulatedDatabase(Dice& dice, Scheduler& scheduler, Witness& witness,
                                     Defect defect)
    : dice_(dice),
      scheduler_(scheduler),
      witness_(witness),
      defect_(defect),
      fails_(2 + dice.Below(20)),
      slowness_(dice.OneIn(3) ? Duration::zero() : dice.UpTo(kSlowOpening)) {}

absl::StatusOr<std::unique_ptr<Connection>> SimulatedDatabase::Open(const Bounds& bounds) {
  ++witness_.places().opening;
  witness_.PlacesChanged();
  const Instant done = std::max(After(scheduler_.Now(), dice_.UpTo(slowness_)), hangs_until_);
  scheduler_.SleepUntil(std::min(done, bounds.deadline), bounds.stop);
  scheduler_.MayYield();
  absl::Status failure;
  if (bounds.stop->raised() != StopReason::kNone) {
    failure = Stopped(bounds.stop->raised(), Stage::kConnecting);
  } else if (scheduler_.Now() < done) {
    failure = DeadlineExceeded(Stage::kConnecting);
  } else if (scheduler_.Now() < refuses_until_ || dice_.OneIn(fails_)) {
    failure = ConnectionUnavailable("connection refused", Stage::kConnecting);
    if (dice_.OneIn(3)) failure = WithDetail(failure, {.sqlstate = "53300"});
  }
  --witness_.places().opening;
  if (!failure.ok()) {
    scheduler_.Note("opening fails: %s", std::string(failure.message()));
    return failure;
  }
  ++witness_.places().open;
  witness_.OpenSucceeded();
  return std::make_unique<SimulatedConnection>(*this);
}

void SimulatedDatabase::KillOne() {
  if (connections_.empty()) return;
  connections_[dice_.Below(static_cast<int>(connections_.size()))]->Kill();
}

void SimulatedDatabase::KillAll() {
  for (SimulatedConnection* connection : connections_) connection->Kill();
}

SimulatedConnection::SimulatedConnection(SimulatedDatabase& database) : database_(database) {
  database_.connections_.push_back(this);
}

SimulatedConnection::~SimulatedConnection() {
  auto& connections = database_.connections_;
  connections.erase(std::find(connections.begin(), connections.end(), this));
  if (database_.defect_ == Defect::kLeaksAConnection) return;
  Places& places = database_.witness_.places();
  --places.open;
  ++places.closing;
  if (database_.dice_.OneIn(3)) {
    database_.scheduler_.Sleep(database_.dice_.UpTo(kSlowClosing));
  } else {
    database_.scheduler_.MayYield();
  }
  --places.closing;
}

void SimulatedConnection::Kill() {
  killed_ = true;
  if (!database_.dice_.OneIn(3)) hung_up_ = true;
  database_.scheduler_.Note("a connection is killed%s", hung_up_ ? "" : ", unseen");
}

absl::Status SimulatedConnection::Trip(Duration time, const Bounds& bounds) {
  if (broken_) return ConnectionUnavailable("the connection is lost", Stage::kRunning);
  Scheduler& scheduler = database_.scheduler_;
  if (sent_ != nullptr) scheduler.Violation("a connection is used while a read is on its way");
  const Instant done = std::max(After(scheduler.Now(), time), database_.hangs_until_);
  scheduler.SleepUntil(std::min(done, bounds.deadline), bounds.stop);
  scheduler.MayYield();
  if (killed_) {
    broken_ = true;
    return ConnectionUnavailable("the connection is lost", Stage::kRunning);
  }
  const StopReason stopped = bounds.stop != nullptr ? bounds.stop->raised() : StopReason::kNone;
  if (stopped == StopReason::kNone && scheduler.Now() >= done) return absl::OkStatus();
  // A driver that cannot end it in another way gives the connection up.
  if (scheduler.Now() < database_.hangs_until_ || database_.dice_.OneIn(4)) {
    broken_ = given_up_ = true;
  } else if (transaction_ != TransactionState::kIdle) {
    transaction_ = TransactionState::kFailed;
  }
  return stopped != StopReason::kNone ? Stopped(stopped, Stage::kRunning)
                                      : DeadlineExceeded(Stage::kRunning);
}

absl::Status SimulatedConnection::Work(Duration time, const Bounds& bounds) {
  absl::Status worked = Trip(time, bounds);
  if (!worked.ok()) return worked;
  switch (database_.dice_.Below(24)) {
    case 0:
      session_changed_ = true;
      break;
    case 1:
      transaction_ = TransactionState::kOpen;
      break;
    case 2:
      if (transaction_ != TransactionState::kIdle) transaction_ = TransactionState::kFailed;
      return absl::InvalidArgumentError("a statement that fails");
    default:
      break;
  }
  return absl::OkStatus();
}

absl::StatusOr<Completion> SimulatedConnection::Execute(const Statement&, const RunOptions&,
                                                        const Bounds&, RowSink&) {
  return absl::UnimplementedError("the simulation has no SQL");
}

void SimulatedConnection::ExecuteGroup(std::span<GroupedRead* const> reads, const Bounds& bounds) {
  for (GroupedRead* read : reads) {
    const absl::Status ran = Trip(database_.dice_.UpTo(kSlowTrip), bounds);
    if (!ran.ok()) {
      broken_ = true;
      read->Ended(RunAlone(), Duration::zero());
    } else if (database_.dice_.OneIn(8)) {
      read->Ended(UnfitForGroup(), Duration::zero());
    } else if (database_.dice_.OneIn(8)) {
      read->Ended(absl::InvalidArgumentError("a statement that fails"), Duration::zero());
    } else {
      read->Ended(Completion{}, Duration::zero());
    }
    database_.scheduler_.MayYield();
  }
}

bool SimulatedConnection::SendRead(GroupedRead& read) {
  if (database_.dice_.OneIn(8)) return false;
  sent_ = &read;
  return true;
}

void SimulatedConnection::EndRead(const Bounds& bounds) {
  GroupedRead* const reads[] = {std::exchange(sent_, nullptr)};
  if (reads[0] == nullptr) database_.scheduler_.Violation("a read ends that was not sent");
  ExecuteGroup(reads, bounds);
}

absl::Status SimulatedConnection::ExecuteBatch(std::span<const GuardedStatement>,
                                               const TransactionOptions&, const RunOptions&,
                                               const Bounds&, BatchSink&) {
  return absl::UnimplementedError("the simulation has no SQL");
}

absl::Status SimulatedConnection::Begin(const TransactionOptions&, const RunOptions&,
                                        const Bounds& bounds) {
  absl::Status begun = Trip(database_.dice_.UpTo(kSlowTrip), bounds);
  if (begun.ok()) transaction_ = TransactionState::kOpen;
  return begun;
}

// Nobody copies here, and nobody sets savepoints: to the pool they are statements like others.
absl::StatusOr<std::int64_t> SimulatedConnection::CopyIn(const CopyTarget&, const RunOptions&,
                                                         const Bounds&, RowSource&) {
  return absl::UnimplementedError("not in the simulation");
}

absl::Status SimulatedConnection::Savepoint(const SavepointAction&, const Bounds&) {
  return absl::UnimplementedError("not in the simulation");
}

absl::Status SimulatedConnection::ResetSession(const Bounds& bounds) {
  absl::Status trip = Trip(database_.dice_.UpTo(kSlowTrip), bounds);
  if (trip.ok()) session_changed_ = false;
  return trip;
}

absl::Status SimulatedConnection::Commit(const Bounds& bounds, CommitWitness*) {
  const bool failed = transaction_ == TransactionState::kFailed;
  absl::Status trip = Trip(database_.dice_.UpTo(kSlowTrip), bounds);
  if (!trip.ok()) return broken_ ? OutcomeUnknown("the link died", Stage::kCommitting) : trip;
  transaction_ = TransactionState::kIdle;
  return failed ? CommitRolledBack() : absl::OkStatus();
}

absl::Status SimulatedConnection::RollBack(const Bounds& bounds) {
  if (transaction_ == TransactionState::kIdle && !broken_) return absl::OkStatus();
  absl::Status trip = Trip(database_.dice_.UpTo(kSlowTrip), bounds);
  if (trip.ok()) transaction_ = TransactionState::kIdle;
  return trip;
}

absl::Status SimulatedConnection::Ping(const Bounds& bounds) {
  return Trip(database_.dice_.UpTo(kSlowTrip), bounds);
}

bool SimulatedConnection::LooksAlive() {
  database_.scheduler_.MayYield();
  if (hung_up_) broken_ = true;
  return !hung_up_;
}

TransactionState SimulatedConnection::transaction_state() const {
  return broken_ ? TransactionState::kUnknown : transaction_;
}

}  // namespace emsdb
