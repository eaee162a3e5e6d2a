// The commands that bring a session back to the state in which it was opened.
#ifndef EMSDB_POOL_POSTGRES_SESSION_RESET_H_
#define EMSDB_POOL_POSTGRES_SESSION_RESET_H_

#include <libpq-fe.h>

#include <string>

#include "pool/postgres/session_changes.h"

namespace emsdb {

// Each queues commands in the pipeline and adds their number to `queued`; false if the connection
// is gone. A Sync is the caller's business.

// Undoes these changes and no others: what was prepared by the driver stays, unless somebody may
// have prepared or dropped statements by name (T45: never DISCARD ALL). What is beyond a reset is
// not in it.
bool QueueReset(PGconn* handle, SessionChanges changes, int& queued);

// Undoes everything, seen or not, the driver's own prepared statements with it; then marks the
// session with `mark`. Only a session that was reset to the end has the mark, since it is the last
// command: what follows behind the next Sync can ask for it (TransactionSettings::reset_mark).
bool QueueFullReset(PGconn* handle, const std::string& mark, int& queued);

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_SESSION_RESET_H_
