// Rows in bulk: the transaction around a COPY.
#include "pool/copy_target.h"
#include "pool/errors.h"
#include "pool/names.h"
#include "pool/postgres/connection.h"
#include "pool/postgres/copy_text.h"
#include "pool/postgres/copy_unit.h"
#include "pool/postgres/server_error.h"

namespace emsdb {

absl::StatusOr<std::int64_t> PostgresConnection::CopyIn(const CopyTarget& target,
                                                        const RunOptions& options,
                                                        const Bounds& bounds, RowSource& source) {
  if (absl::Status names = CheckCopyTarget(target, kLongestPostgresName); !names.ok()) return names;
  absl::Status begun = Begin({.access = options.access}, options, bounds);
  if (!begun.ok()) return begun;
  auto rows = RunCopy(target, bounds, source);
  if (rows.ok()) {
    if (absl::Status late = CheckTime(bounds, Stage::kRunning); !late.ok()) rows = late;
  }
  if (!rows.ok()) {
    CleanUp();
    return rows;
  }
  if (absl::Status committed = Commit(bounds, options.witness); !committed.ok()) {
    CleanUp();
    return committed;
  }
  return rows;
}

absl::StatusOr<std::int64_t> PostgresConnection::RunCopy(const CopyTarget& target,
                                                         const Bounds& bounds, RowSource& source) {
  // What a trigger tells about each row is for nobody, and would hide the one word that counts.
  const std::string sql = "SET LOCAL client_min_messages TO error; " + CopyStatement(target);
  PGconn* const handle = wire_->handle();
  if (PQexitPipelineMode(handle) != 1 || PQsendQuery(handle, sql.c_str()) != 1) {
    return SendFailed(Stage::kRunning);
  }
  Exchange exchange = Start(bounds);
  CopyUnit copy(exchange, source, target.table);
  const absl::Status status = copy.Run();
  exchange.Finish();
  const bool in_pipeline = !exchange.answered() || PQenterPipelineMode(handle) == 1;
  Settle(exchange);
  if (!in_pipeline && !broken()) GiveUp();
  if (status.ok() && exchange.answered()) {
    if (state_ == TransactionState::kOpen) return copy.rows_written();
    GiveUp();
    return TransactionGone();
  }
  const bool own = exchange.asked() == Exchange::Asked::kSink;  // the source's word
  if (exchange.answered() || own) return Explain(status, exchange, Stage::kRunning);
  return NoAnswer(exchange, Stage::kRunning, Doubt::kTransaction);
}

}  // namespace emsdb
