// Who asks the pool for connections: a bare waiter, and a call as a handler makes it.
#ifndef EMSDB_TESTS_POOL_SIMULATION_CALLERS_H_
#define EMSDB_TESTS_POOL_SIMULATION_CALLERS_H_

#include <functional>

#include "pool/call.h"
#include "tests/pool/simulation/person.h"
#include "tests/pool/simulation/witness.h"

namespace emsdb {

// Uses the connection it was granted; may keep the lease.
using Use = std::function<absl::Status(Connection&, const Bounds&, Lease&)>;

// Knows no more than the pool's contract for a Waiter; so what the pool calls is seen unfiltered.
class BareWaiter final : public Waiter, public Participant {
 public:
  BareWaiter(Person& person, Witness& witness, Use use)
      : Participant(person), witness_(witness), use_(std::move(use)) {}

  void Granted(Lease lease) override {
    witness_.Granted(person(), lease.connection());
    Connection& connection = lease.connection();
    const bool whole = !connection.broken();
    use_(connection, {person().caller_deadline, &lease.stop()}, lease).IgnoreError();
    if (whole && connection.broken() && !connection.given_up()) witness_.Lost(person());
  }
  void Answer() override { witness_.Answered(person()); }
  void Refused(absl::Status /*why*/) override {
    witness_.Refused(person());
    witness_.Answered(person());
  }
  Holder holder() const override {
    witness_.Chosen(const_cast<BareWaiter*>(this)->person());
    return {"bare", ""};
  }

 private:
  Witness& witness_;
  const Use use_;
};

class SimulatedCall final : public Call, public Participant, private GroupedRead {
 public:
  SimulatedCall(
      Person& person, Witness& witness, Clock& clock, CallOptions options, Use use,
      std::function<void()> then = [] {})
      : Call(std::move(options), clock),
        Participant(person),
        witness_(witness),
        use_(std::move(use)),
        then_(std::move(then)) {}

  // Asked by the pool once, under its lock, when it has chosen: nothing else tells the moment.
  Holder holder() const override {
    witness_.Chosen(const_cast<SimulatedCall*>(this)->person());
    return Call::holder();
  }
  void Joined() override { witness_.Joined(person()); }

 private:
  Grouping grouping(Pool& /*pool*/) override {
    return person().shares ? Grouping::kGroup : Grouping::kAlone;
  }
  GroupedRead* grouped_read() override {
    witness_.Boarded(person());
    return this;
  }
  void StartOver() override { witness_.AsksAgain(person()); }

  // The simulation has no SQL: a read is one by name.
  const Statement& statement() const override { return statement_; }
  std::string_view identity() const override { return ""; }
  Duration time_limit() const override { return ProvenReads::kLimits.back(); }
  Instant deadline() const override { return options().deadline; }
  RowSink& sink() override { std::abort(); }
  void Ended(absl::StatusOr<Completion> result, Duration /*took*/) override {
    LeaveGroup(result.status());
  }

  absl::Status Run(Connection& connection, const Bounds& bounds, Lease& lease) override {
    witness_.Granted(person(), connection);
    const bool whole = !connection.broken();
    absl::Status used = use_(connection, bounds, lease);
    if (whole && connection.broken() && !connection.given_up()) witness_.Lost(person());
    return used;
  }
  void Finish(absl::Status /*status*/, const CallTimes& /*times*/) override {
    if (person().at == Person::At::kInLine) witness_.RefusedOrWithdrawn(person());
    if (person().grouped) witness_.LeavesGroup(person());
    witness_.Answered(person());
    then_();
  }

  Witness& witness_;
  const Use use_;
  const std::function<void()> then_;
  const Statement statement_;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_POOL_SIMULATION_CALLERS_H_
