// The contract between the pool and a driver. A driver is a Connector and its Connections; what it
// must do is proved by the suite in tests/contract/, which every driver runs.
#ifndef EMSDB_POOL_CONNECTION_H_
#define EMSDB_POOL_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pool/clock.h"
#include "pool/commit.h"
#include "pool/savepoint.h"
#include "pool/stop_signal.h"
#include "pool/value.h"

namespace emsdb {

// How long a driver may take, and how it is told to stop earlier. Every operation below ends soon
// after `deadline`, whatever the server does: with DeadlineExceeded, or, where the statement may
// have been done, with an outcome that says so. After `stop` was raised it ends as soon, with
// Stopped(). `deadline` is on the clock the connector was made with.
struct Bounds {
  Instant deadline = kNever;
  const StopSignal* stop = nullptr;  // null: nobody stops it
};

enum class Access { kReadWrite, kReadOnly };

enum class Isolation { kDefault, kReadCommitted, kRepeatableRead, kSerializable };

struct TransactionOptions {
  Isolation isolation = Isolation::kDefault;
  Access access = Access::kReadWrite;
  bool deferrable = false;
  // How long the server itself lets the transaction idle before it ends the session: a second line
  // of defence behind the gateway's own watch. Zero: not set.
  Duration server_idle_timeout{};
};

// When a session is brought back to the state in which it was opened, where the engine has such.
enum class SessionReset {
  kWhenChanged,    // given back with session_changed()
  kBeforeEveryUse  // then too, and in the packet of each use's first statement: for what cannot be
                   // seen
};

// Whether a statement by itself is wrapped into a transaction of its own.
enum class Wrapping {
  kTransaction,
  // VACUUM and its like refuse that. What such a statement did before it failed may stay (CREATE
  // INDEX CONCURRENTLY leaves an invalid index behind).
  kNone
};

// What travels with a statement beside its text.
struct RunOptions {
  Access access = Access::kReadWrite;  // of a statement outside a transaction
  std::string_view identity;           // the caller, as the database may show it; may be empty
  // Told of the commit, where the driver can name it. Of a statement outside a transaction that may
  // write it costs a trip more: it is committed in a second one. Null: nobody asks.
  CommitWitness* witness = nullptr;
  Wrapping wrapping = Wrapping::kTransaction;  // kNone: neither in a transaction, nor read-only,
                                               // nor with a witness
};

// What a finished statement says.
struct Completion {
  std::string command;             // "INSERT", "CREATE TABLE"; see QueryResponse.command
  std::int64_t rows_affected = 0;  // touched or returned
};

// Where a statement's rows go. Called in the worker's thread: OnColumns once, if the statement has
// columns, then OnRow for each row. A status that is not OK stops the statement (outside a
// transaction nothing of it takes effect), and is what the driver returns.
class RowSink {
 public:
  virtual ~RowSink() = default;
  virtual absl::Status OnColumns(std::span<const Column> columns) = 0;
  virtual absl::Status OnRow(std::span<const Cell> cells) = 0;
  // Replaces the columns given before, where a type's name could be found out only after the rows.
  virtual void OnColumnsNamed(std::span<const Column> /*columns*/) {}
};

struct GuardedStatement {
  Statement statement;
  std::optional<std::int64_t> expect_rows;
};

// Where a batch's rows go: one sink for each statement, asked for in their order. Completed is
// called when that statement has ended well; the batch may still fail after it.
class BatchSink {
 public:
  virtual ~BatchSink() = default;
  virtual RowSink& Rows(std::size_t statement) = 0;
  virtual void Completed(std::size_t statement, const Completion& completion) = 0;
};

// A whole batch in one read-only transaction, as ExecuteBatch runs it. It comes only where
// PoolLimits::group_batches says that the driver knows it.
struct GroupedBatch {
  std::span<const GuardedStatement> statements;
  BatchSink* sink;
};

// One of several callers' reads that travel together.
class GroupedRead {
 public:
  virtual ~GroupedRead() = default;
  virtual const Statement& statement() const = 0;
  virtual std::string_view identity() const = 0;  // as in RunOptions
  virtual Duration time_limit() const = 0;        // of each statement; what takes longer runs alone
  virtual Instant deadline() const = 0;           // by which it must have its end
  virtual RowSink& sink() = 0;
  // In place of `statement` and `sink`, where there is one.
  virtual std::optional<GroupedBatch> batch() { return std::nullopt; }

  // Its only end, as soon as it is known, in the worker's thread: while those behind it still run.
  // RunAlone(), though rows may have come: nothing was done, and it may be run by itself. `took`:
  // since the end of the one before it. The read may be gone when this returns.
  virtual void Ended(absl::StatusOr<Completion> result, Duration took) = 0;
};

// Where rows that are written in bulk go. Names, never SQL: a driver quotes them as they are.
struct CopyTarget {
  std::string schema;  // empty: found as the database finds it
  std::string table;
  std::vector<std::string> columns;  // in the order of the cells; empty: all, in the table's order
};

// Where rows that are written in bulk come from. Called in the worker's thread.
class RowSource {
 public:
  enum class Supply { kRow, kNothingYet, kEnd };

  virtual ~RowSource() = default;

  // The next row into `cells`, which are valid until the next call. Waits for it, but only a
  // moment: after kNothingYet the driver looks after its database and asks again. A status that is
  // not OK (the caller left, the time is over, a row is no row) ends the copy, of which nothing is
  // kept, and is what the driver returns.
  virtual absl::StatusOr<Supply> Next(std::span<const Cell>& cells) = 0;

  // The place of the row that Next gave last in the caller's request, "rows[3]", for errors.
  virtual std::string RowField() const = 0;
};

enum class TransactionState {
  kIdle,    // no transaction
  kOpen,    // in a transaction
  kFailed,  // in a transaction that can only be rolled back
  kUnknown  // the connection is lost
};

// One connection. Used by one thread at a time; nothing here is safe for two. It is its worker's,
// but for sends_ahead, LooksAlive and SendRead: while the worker waits for its next order, who
// gives that order may call them.
// Once broken() it stays so: it never reconnects, and every operation fails without sending.
class Connection {
 public:
  virtual ~Connection() = default;

  // Runs one statement: in the open transaction if there is one, else in one of its own, which is
  // committed when this returns OK. When this fails outside a transaction nothing took effect,
  // unless the detail's outcome is kUnknown. The statement is text with at most one statement;
  // transaction control is refused before anything is sent.
  virtual absl::StatusOr<Completion> Execute(const Statement& statement, const RunOptions& options,
                                             const Bounds& bounds, RowSink& sink) = 0;

  // Runs several reads together, each in a read-only transaction of its own: what one of them does,
  // and how it ends, is nothing to the others. What meets its time limit or tries to write ends
  // with UnfitForGroup(); what has no answer by `bounds`, which are within every deadline, or would
  // hold up the others or wait long for them, with RunAlone(). None is ever cancelled, since a
  // cancel might hit its neighbour. Only in state kIdle. Drivers that gain nothing run none.
  virtual void ExecuteGroup(std::span<GroupedRead* const> reads, const Bounds& bounds);

  // ExecuteGroup of one read in two steps, of which the first waits for nothing: the read is on its
  // way to the database before the thread that waits for its answer has woken. False: the driver
  // has no such steps, or not for this one; nothing was sent.
  virtual bool sends_ahead() const { return false; }
  virtual bool SendRead(GroupedRead& /*read*/) { return false; }
  // After SendRead, before anything else: reads the answer and ends the read.
  virtual void EndRead(const Bounds& /*bounds*/) {}

  // Runs all of them as one transaction and commits it, if every statement ends well with the rows
  // it promised; else rolls back and says which failed (detail's `statement`). Never commits
  // before every promise was checked. Only in state kIdle.
  virtual absl::Status ExecuteBatch(std::span<const GuardedStatement> statements,
                                    const TransactionOptions& transaction,
                                    const RunOptions& options, const Bounds& bounds,
                                    BatchSink& sink) = 0;

  // Writes the source's rows into a table as one transaction and commits it at the source's end;
  // gives the number of rows written. After any error none of them is there, unless the detail's
  // outcome is kUnknown; where a row is to blame the detail's `row` is its number. Only in state
  // kIdle.
  virtual absl::StatusOr<std::int64_t> CopyIn(const CopyTarget& target, const RunOptions& options,
                                              const Bounds& bounds, RowSource& source) = 0;

  virtual absl::Status Begin(const TransactionOptions& transaction, const RunOptions& options,
                             const Bounds& bounds) = 0;

  // OK only if the database said that it committed. ABORTED if it rolled back. OutcomeUnknown if
  // the answer was lost. A witness may cost a trip more.
  virtual absl::Status Commit(const Bounds& bounds, CommitWitness* witness) = 0;
  absl::Status Commit(const Bounds& bounds) { return Commit(bounds, nullptr); }

  // What became of a commit that a witness was told of, on whatever connection.
  // FAILED_PRECONDITION, reason OUTCOME_ELSEWHERE: another server's. NOT_FOUND, OUTCOME_FORGOTTEN:
  // it cannot be told any more. Only in state kIdle. Drivers whose commits are never in doubt know
  // of none.
  virtual absl::StatusOr<CommitFate> OutcomeOf(const CommitId& id, const Bounds& bounds);

  // In a transaction only. kRollBackTo leaves the state kOpen, also where a statement had failed;
  // the other two are refused then. NOT_FOUND if there is no savepoint of this name, which is
  // compared as it is written; the state may be kFailed afterwards.
  virtual absl::Status Savepoint(const SavepointAction& action, const Bounds& bounds) = 0;

  // Afterwards the state is kIdle or the connection is broken. OK without a transaction.
  virtual absl::Status RollBack(const Bounds& bounds) = 0;

  // One round trip that proves the connection alive. Only in state kIdle.
  virtual absl::Status Ping(const Bounds& bounds) = 0;

  // Looks, without waiting and without sending, whether the other side has hung up.
  virtual bool LooksAlive() = 0;

  virtual TransactionState transaction_state() const = 0;
  virtual bool broken() const = 0;

  // broken(), and by the driver's own will: the answer did not come in time, or the session cannot
  // be trusted any more. It says nothing about other connections, as a lost one does.
  virtual bool given_up() const = 0;

  // Something that a statement did may outlive it in the session (a setting, a prepared statement,
  // a temporary table, a lock) and would reach whoever uses the connection next, as far as can be
  // seen: by the statement's kind, the settings that the server reports, and names in the text. So
  // it shall be used by its present holder alone until it was reset.
  virtual bool session_changed() const = 0;

  // It has taken so much memory, for one huge value, that it shall be closed when it is given back.
  virtual bool outgrown() const { return false; }

  // Undoes what session_changed() means, in one round trip, and none if it is false. OK: the
  // session is as it was after Open. Anything else: it is not, or nobody knows, and the connection
  // is to be closed; so a driver that knows no reset need not have one. Only in state kIdle.
  virtual absl::Status ResetSession(const Bounds& /*bounds*/) {
    if (!session_changed()) return absl::OkStatus();
    return absl::FailedPreconditionError("this driver cannot reset a session");
  }
};

// Makes connections to one database. Safe for use by several threads.
class Connector {
 public:
  virtual ~Connector() = default;

  // Opens a connection and prepares its session; blocks within `bounds`. A failure says why in
  // words fit for an operator, without secrets.
  virtual absl::StatusOr<std::unique_ptr<Connection>> Open(const Bounds& bounds) = 0;
};

}  // namespace emsdb

#endif  // EMSDB_POOL_CONNECTION_H_
