// A driver without a database, whose behaviour a test writes down beforehand. Everything succeeds
// at once unless the script says otherwise.
#ifndef EMSDB_TESTS_SUPPORT_SCRIPTED_CONNECTOR_H_
#define EMSDB_TESTS_SUPPORT_SCRIPTED_CONNECTOR_H_

#include <memory>
#include <string>
#include <vector>

#include "pool/connection.h"

namespace emsdb {

// The operations that a script may steer.
enum class Operation {
  kOpen,
  kExecute,
  kExecuteBatch,
  kBegin,
  kCommit,
  kSavepoint,
  kRollBack,
  kPing,
  kReset
};

// Whether a call answers at once, or hangs until Release, its deadline, a stop or a kill.
enum class Pace { kAtOnce, kHangs };

// What the call leaves of the connection.
enum class Aftermath { kUsable, kBroken, kGivenUp, kSessionChanged, kOutgrown };

// One call's behaviour: it hangs if told so, then gives its rows, then its status.
struct Step {
  Pace pace = Pace::kAtOnce;
  std::vector<Column> columns = {};
  std::vector<std::vector<Value>> rows = {};
  absl::Status status = absl::OkStatus();
  Aftermath aftermath = Aftermath::kUsable;
  Completion completion = {.command = "SELECT"};
};

// Whether LooksAlive can see that a killed connection is dead.
enum class Death { kSeen, kSilent };

class ScriptedStage;

// Safe for use by any number of threads, the test's own among them. Connections are numbered from 1
// in the order of their opening, and may outlive the connector.
//
// Breaches of the contract (a connection used by two threads at once, Ping, Begin or ExecuteBatch
// inside a transaction, a connection destroyed while in use) fail the test, when the connector is
// destroyed, unless TakeBreaches took them.
class ScriptedConnector final : public Connector {
 public:
  // Deadlines of hanging calls are on `clock`, which must outlive every connection.
  explicit ScriptedConnector(Clock& clock);
  ~ScriptedConnector() override;

  absl::StatusOr<std::unique_ptr<Connection>> Open(const Bounds& bounds) override;

  // The next such call, on whatever connection, behaves so; several are used up in their order.
  void Next(Operation operation, Step step);
  // Every such call for which nothing was put down by Next behaves so.
  void Always(Operation operation, Step step);

  // Blocks until at least `count` calls hang.
  void AwaitHanging(int count);
  // Lets the call go on that has hung longest; waits for one if none hangs.
  void Release();
  // Lets all go on that hang now.
  void ReleaseAll();

  // As if the server had gone: a hanging call on it ends, the next call on it finds it dead.
  void Kill(int connection, Death death = Death::kSeen);
  void KillAll(Death death = Death::kSeen);

  // Blocks until `count` connections have been closed.
  void AwaitClosed(int count);

  int opened() const;    // successfully, ever
  int attempts() const;  // calls of Open
  int closed() const;
  int open_now() const;   // open, or being opened: what counts against a limit
  int most_open() const;  // the most there ever were of these
  int hanging() const;
  int pings() const;

  // Texts in the order in which they were run, of batches too.
  std::vector<std::string> executed() const;
  // Everything that was done: "1 open", "1 ping", "1 execute SELECT 1", "1 begin", "1 commit",
  // "1 set NAME", "1 rollback_to NAME", "1 rollback", "1 reset", "1 batch", "1 close"; "open
  // failed".
  std::vector<std::string> log() const;

  std::vector<std::string> TakeBreaches();

 private:
  std::shared_ptr<ScriptedStage> stage_;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_SUPPORT_SCRIPTED_CONNECTOR_H_
