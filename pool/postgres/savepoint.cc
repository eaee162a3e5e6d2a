// Savepoints on PostgreSQL. Names are quoted, so that they are compared as they are written.
#include "pool/errors.h"
#include "pool/postgres/connection.h"
#include "pool/postgres/server_error.h"

namespace emsdb {

// No settings travel with it: in a transaction that has failed they could not, and an earlier
// statement's time-out is long enough for what takes microseconds, and cannot interrupt a
// roll-back.
absl::Status PostgresConnection::Savepoint(const SavepointAction& action, const Bounds& bounds) {
  if (absl::Status name = CheckSavepointName(action); !name.ok()) return name;
  if (state_ == TransactionState::kIdle) return NoTransaction();
  const bool revives =
      state_ == TransactionState::kFailed && action.verb == SavepointVerb::kRollBackTo;
  if (revives && !LooksAlive()) return SendFailed(Stage::kRunning);
  absl::Status ready =
      revives ? CheckTime(bounds, Stage::kRunning) : CheckReady(bounds, Stage::kRunning);
  if (!ready.ok()) return ready;
  if (!QueueText(SavepointText(action)) || !QueueSync()) return SendFailed(Stage::kRunning);
  Exchange exchange = Start(bounds);
  const StepEnd end = ReadStep(exchange, nullptr, Stage::kRunning);
  ReadSync(exchange, Stage::kRunning);
  exchange.Finish();
  Settle(exchange);
  if (!exchange.answered()) return NoAnswer(exchange, Stage::kRunning, Doubt::kTransaction);
  return end.done() ? absl::OkStatus() : Explain(end.status, exchange, Stage::kRunning);
}

}  // namespace emsdb
