// What the server said, as the project's errors.
#ifndef EMSDB_POOL_POSTGRES_SERVER_ERROR_H_
#define EMSDB_POOL_POSTGRES_SERVER_ERROR_H_

#include <libpq-fe.h>

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "pool/errors.h"

namespace emsdb {

// The SQLSTATE of an error result; empty where libpq made the error itself, without the server.
std::string SqlstateOf(const PGresult* result);

// Whether the server ended the session with this error.
bool IsFatal(const PGresult* result);

// From the primary message and the diagnostic fields; DETAIL, which quotes rows, is looked at only
// where it is to be quoted. A primary message may quote a value that the caller itself sent: fit
// for the caller, never for a log.
absl::Status StatusOf(const PGresult* result, Stage stage, ServerDetail detail);

// The transaction is over because its connection is; nothing of it was committed.
absl::Status TransactionConnectionLost(std::string_view cause, Stage stage);

// The connection was lost while a statement ran that does not write.
absl::Status ReadConnectionLost(std::string_view cause, Stage stage);

// A statement was sent to a transaction that has failed; it was not run.
absl::Status TransactionHasFailed();

// The statement itself ended its transaction; nothing more is known. The connection is closed.
absl::Status TransactionGone();

// The same error of a statement that may have been done all the same. Not retryable, and never with
// a code that clients repeat by themselves (T17).
absl::Status InDoubt(const absl::Status& status);

// In a transaction, a prepared statement was outdated by a change of its tables. Nothing of the
// transaction took effect; the next one will find the statement prepared anew.
absl::Status PlanChanged(const absl::Status& status);

// There is nothing to commit.
absl::Status NoTransaction();

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_SERVER_ERROR_H_
