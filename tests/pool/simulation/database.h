// A database that is as unreliable as the dice want it, and the connections to it. An operation
// takes virtual time; the flow that does it lets others go on meanwhile.
#ifndef EMSDB_TESTS_POOL_SIMULATION_DATABASE_H_
#define EMSDB_TESTS_POOL_SIMULATION_DATABASE_H_

#include <memory>
#include <vector>

#include "pool/connection.h"
#include "tests/pool/simulation/defect.h"
#include "tests/pool/simulation/dice.h"
#include "tests/pool/simulation/scheduler.h"
#include "tests/pool/simulation/witness.h"

namespace emsdb {

class SimulatedConnection;

class SimulatedDatabase final : public Connector {
 public:
  SimulatedDatabase(Dice& dice, Scheduler& scheduler, Witness& witness, Defect defect);

  absl::StatusOr<std::unique_ptr<Connection>> Open(const Bounds& bounds) override;

  // What happens to it. A connection that is killed may or may not look so.
  void KillOne();
  void KillAll();
  void HangFor(Duration time) { hangs_until_ = After(scheduler_.Now(), time); }
  void RefuseFor(Duration time) { refuses_until_ = After(scheduler_.Now(), time); }

 private:
  friend class SimulatedConnection;

  Dice& dice_;
  Scheduler& scheduler_;
  Witness& witness_;
  const Defect defect_;
  const int fails_;          // one opening in how many
  const Duration slowness_;  // of opening
  std::vector<SimulatedConnection*> connections_;
  Instant hangs_until_{};
  Instant refuses_until_{};
};

class SimulatedConnection final : public Connection {
 public:
  explicit SimulatedConnection(SimulatedDatabase& database);
  ~SimulatedConnection() override;

  // Works for a caller for `time`; now and then something goes wrong.
  absl::Status Work(Duration time, const Bounds& bounds);

  void Kill();

  absl::StatusOr<Completion> Execute(const Statement& statement, const RunOptions& options,
                                     const Bounds& bounds, RowSink& sink) override;
  void ExecuteGroup(std::span<GroupedRead* const> reads, const Bounds& bounds) override;
  absl::Status ExecuteBatch(std::span<const GuardedStatement> statements,
                            const TransactionOptions& transaction, const RunOptions& options,
                            const Bounds& bounds, BatchSink& sink) override;
  bool sends_ahead() const override { return true; }
  bool SendRead(GroupedRead& read) override;
  void EndRead(const Bounds& bounds) override;
  absl::Status Begin(const TransactionOptions& transaction, const RunOptions& options,
                     const Bounds& bounds) override;
  absl::StatusOr<std::int64_t> CopyIn(const CopyTarget& target, const RunOptions& options,
                                      const Bounds& bounds, RowSource& source) override;
  absl::Status Commit(const Bounds& bounds, CommitWitness* witness) override;
  absl::Status Savepoint(const SavepointAction& action, const Bounds& bounds) override;
  absl::Status ResetSession(const Bounds& bounds) override;
  absl::Status RollBack(const Bounds& bounds) override;
  absl::Status Ping(const Bounds& bounds) override;
  bool LooksAlive() override;
  TransactionState transaction_state() const override;
  bool broken() const override { return broken_; }
  bool given_up() const override { return given_up_; }
  bool session_changed() const override { return session_changed_; }

 private:
  absl::Status Trip(Duration time, const Bounds& bounds);

  SimulatedDatabase& database_;
  TransactionState transaction_ = TransactionState::kIdle;
  GroupedRead* sent_ = nullptr;  // and not answered yet
  bool killed_ = false;
  bool hung_up_ = false;  // and it shows
  bool broken_ = false;
  bool given_up_ = false;
  bool session_changed_ = false;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_POOL_SIMULATION_DATABASE_H_
