// What went wrong, in one form for all layers: an absl::Status whose payloads carry the details,
// and one function for each error, so that each wording exists once. Nothing here shows a password.
// A database's own message may quote what the caller sent: it is for that caller alone, and never
// for a log.
#ifndef EMSDB_POOL_ERRORS_H_
#define EMSDB_POOL_ERRORS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "pool/clock.h"
#include "pool/stop_signal.h"

namespace emsdb {

// Where a call was when it ended.
enum class Stage { kNone, kWaiting, kConnecting, kRunning, kCommitting };
std::string_view StageName(Stage stage);  // "waiting", ...; "" for kNone

// Whether the whole call may be repeated as it is.
enum class Retry { kUnset, kNo, kYes };

// Whether a write that failed may have been done all the same.
enum class Outcome { kNothingDone, kUnknown };

// Whether an error may quote a server's DETAIL, in which there are values of rows. Where it may
// not, it is not read from what the server sent.
enum class ServerDetail { kLeftOut, kQuoted };

struct ErrorDetail {
  std::string reason;    // UPPER_SNAKE_CASE, stable; "SQL_ERROR" for what the database refused
  std::string sqlstate;  // five characters, "" if it is no error of PostgreSQL
  std::string constraint;
  std::string schema;
  std::string table;
  std::string column;
  std::string hint;
  std::string server_detail;  // "" unless ServerDetail::kQuoted; for that caller alone
  int position = 0;           // in the statement, in characters from 1; 0 = unknown
  int statement = -1;         // index in a batch; -1 = none
  std::int64_t row = 0;       // of rows that are written in bulk, from 1; 0 = none
  std::string field;          // the request's field that was refused
  Stage stage = Stage::kNone;
  Retry retry = Retry::kUnset;
  Outcome outcome = Outcome::kNothingDone;
  std::optional<Duration> retry_after;
  // What operators shall know and callers not: the names of logins, hosts and files. For the log
  // alone; no caller's error has it.
  std::string for_operators;
  std::string commit_token;  // for asking what became of it; "" where there is none
  int attempts = 0;          // how often a batch was run; 0: not counted

  friend bool operator==(const ErrorDetail&, const ErrorDetail&) = default;
};

// Attaches `detail` to a status that is not OK, in place of what was attached before.
absl::Status WithDetail(absl::Status status, const ErrorDetail& detail);

// What was attached; an empty ErrorDetail if nothing was.
ErrorDetail DetailOf(const absl::Status& status);

// What an operator shall read: for_operators, else the message.
std::string OperatorText(const absl::Status& status);

// Sets the stage unless one is set already: the innermost layer knows best.
absl::Status AtStage(absl::Status status, Stage stage);

// Adds the token of a commit in doubt.
absl::Status WithCommitToken(absl::Status status, const std::string& token);

// Adds how often the batch was run.
absl::Status AfterAttempts(absl::Status status, int attempts);

// Adds the statement's index in its batch.
absl::Status AtStatement(absl::Status status, int index);

// Adds the number of the row, from 1, of those that are written in bulk.
absl::Status AtRow(absl::Status status, std::int64_t row);

// `field` as in the request, "statement.parameters[2]"; `problem` names the value's kind and the
// rule, never the value.
absl::Status InvalidField(std::string_view field, std::string_view problem);

absl::Status DeadlineExceeded(Stage stage);
absl::Status Stopped(StopReason reason, Stage stage);

// The connection was lost after a statement was sent that may have written. Never retryable.
absl::Status OutcomeUnknown(std::string_view cause, Stage stage);

// The connection was lost or could not be made, and nothing was sent on it.
absl::Status ConnectionUnavailable(std::string_view cause, Stage stage);
// The same with more than `cause` for operators.
absl::Status ConnectionUnavailable(std::string_view cause, Stage stage,
                                   std::string_view for_operators);

// The session could not be brought back to the state in which it was opened. UNAVAILABLE, nothing
// was run.
absl::Status SessionNotReset(std::string_view cause);

// A commit did not commit: the transaction had failed before. ABORTED.
absl::Status CommitRolledBack();

// A commit that another server, or another database, was told to make. FAILED_PRECONDITION.
absl::Status OutcomeElsewhere();

// A commit whose outcome cannot be told any more, because of `why`. NOT_FOUND.
absl::Status OutcomeForgotten(std::string_view why);

// A commit whose answer was lost was found to have been rolled back. ABORTED; may be repeated.
absl::Status CommitFoundRolledBack();

// A batch's statement touched or returned another number of rows than promised.
absl::Status RowsMismatch(int statement, std::int64_t expected, std::int64_t actual);

// The same of a statement in an open transaction.
absl::Status RowsMismatch(std::int64_t expected, std::int64_t actual);

// A statement in a transaction in which one has failed before; it was not run. ABORTED.
absl::Status FailedEarlier();

// The result is over a limit of rows or bytes. RESOURCE_EXHAUSTED.
absl::Status ResultTooLarge(std::string_view limit, std::string_view advice);

// The results of all calls together have used up the memory that they may have; nothing is wrong
// with this one. RESOURCE_EXHAUSTED; may be repeated.
absl::Status ResultMemoryUsedUp(std::int64_t mebibytes);

// The caller of a stream did not read for too long. RESOURCE_EXHAUSTED.
absl::Status SlowReader(Duration waited);

// The caller of a stream did not send for too long; nothing of it was kept. RESOURCE_EXHAUSTED.
absl::Status SlowWriter(Duration waited);

// Transaction control in the text of a statement. INVALID_ARGUMENT, nothing was run.
absl::Status TransactionControlRefused(std::string_view keyword);

// A read-only connection was asked to write; nothing was run. The pool manager sends the statement
// to the database's writer. Never reaches a caller.
absl::Status NeedsWriter();
bool IsNeedsWriter(const absl::Status& status);

// A read cannot be served in a group; nothing was done, and it may be run by itself. Never reaches
// a caller.
absl::Status RunAlone();
bool IsRunAlone(const absl::Status& status);
// The same, and by its own fault: it met its bounds there.
absl::Status UnfitForGroup();
bool IsUnfitForGroup(const absl::Status& status);

}  // namespace emsdb

#endif  // EMSDB_POOL_ERRORS_H_
