// One run of a real pool, its workers' steps, its upkeep and its transactions, among callers and a
// database that do what the dice say. The whole run is a function of the seed.
#ifndef EMSDB_TESTS_POOL_SIMULATION_SIMULATION_H_
#define EMSDB_TESTS_POOL_SIMULATION_SIMULATION_H_

#include <memory>
#include <string>
#include <vector>

#include "pool/pool.h"
#include "pool/transactions.h"
#include "tests/pool/simulation/callers.h"
#include "tests/pool/simulation/database.h"
#include "tests/pool/simulation/defect.h"
#include "tests/pool/simulation/dice.h"
#include "tests/pool/simulation/scheduler.h"
#include "tests/pool/simulation/witness.h"

namespace emsdb {

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed, Defect defect = Defect::kNone,
                      Scheduler::Recording recording = Scheduler::Recording::kOff);
  // Run has found nothing. A run that was broken off cannot be unwound: Abandon it.
  ~Simulation() = default;

  // Once. What was wrong; empty if nothing was.
  const std::vector<std::string>& Run();

  // What happened, step by step, if it was recorded.
  const std::vector<std::string>& record() const { return scheduler_.record(); }
  int steps() const { return scheduler_.step(); }

  static void Abandon(std::unique_ptr<Simulation> broken_off);

 private:
  // The upkeep without its thread.
  class Rounds final : public Upkeep {
   public:
    explicit Rounds(Scheduler& scheduler) : Upkeep(scheduler), scheduler_(scheduler) {}
    void Run();
    void End();

   private:
    Scheduler& scheduler_;
  };
  struct Caller {
    Person* person;
    std::shared_ptr<BareWaiter> bare;
    std::shared_ptr<SimulatedCall> call;
  };

  std::unique_ptr<Worker> MakeWorker(WorkerHost& host, SlotId slot);

  // The tasks.
  void Direct();
  void CloseDown();
  void BeClient(int actions);
  void MakeWeather(int events);
  void Operate(int actions);

  // What a client does.
  void Ask();
  void BeginTransaction();
  void UseTransaction();
  void Leave();

  Instant SomeDeadline();
  Priority SomePriority();
  Checkout AsksFor(const Person& person) const;
  Use SomeStatement();
  void Resize();
  absl::Status OpenTransaction(Connection& connection, const Bounds& bounds, Lease& lease);

  Dice dice_;
  const Defect defect_;
  Scheduler scheduler_;
  const PoolLimits limits_;
  const Duration pace_;     // between a client's actions
  const Duration longest_;  // statement
  const bool reports_;      // most of them are for reporting
  const int sharing_;       // of four calls, so many may be served in groups
  Witness witness_;
  SimulatedDatabase database_;
  Rounds upkeep_;
  std::unique_ptr<Pool> pool_;
  std::unique_ptr<Transactions> transactions_;
  std::vector<Caller> callers_;
  std::vector<std::string> ids_;  // of transactions, open or not
  std::vector<Lease> kept_;
  bool over_ = false;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_POOL_SIMULATION_SIMULATION_H_
