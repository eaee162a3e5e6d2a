// What a server's word about a transaction's number says about a commit. Pure: no connection.
#ifndef EMSDB_POOL_POSTGRES_COMMIT_FATE_H_
#define EMSDB_POOL_POSTGRES_COMMIT_FATE_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "pool/commit.h"

namespace emsdb {

// The answers of pg_xact_status(), and its error for a number that was not given out yet.
enum class NumberStatus { kCommitted, kAborted, kInProgress, kForgotten, kFuture };

// NULL (an empty text) is kForgotten.
NumberStatus NumberStatusOf(std::string_view text);

// `server` is the one that said `status`. A status that is not OK where the truth cannot be told.
//
// On the same incarnation the server's word is the truth. On another one of the same system (it has
// crashed, or this is a copy that took over) the number may stand for a later transaction, so:
//   committed   may be the later one's: cannot be told.
//   aborted     the commit is not in this server's data: it was rolled back, was lost with the
//               crash, or was lost with the fail-over. But a server on an earlier timeline, or one
//               that follows another, may lack what the present one has: cannot be told.
//   future      the number was never used in what survived. After a crash that is a roll-back;
//               after a fail-over a further server may have it: cannot be told.
absl::StatusOr<CommitFate> FateOf(const CommitId& id, const ServerIdentity& server,
                                  NumberStatus status);

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_COMMIT_FATE_H_
