// Every end has a name: why a connection was closed, why a waiter got none, what a pool does. The
// same words are the metric's label, the log's field and the test's expectation.
#ifndef EMSDB_POOL_REASONS_H_
#define EMSDB_POOL_REASONS_H_

#include <string_view>

namespace emsdb {

// Why a connection was closed.
enum class CloseReason {
  kOverflow,     // given back while enough idle ones were kept
  kRecycled,     // older than DB_POOL_RECYCLE
  kInvalidated,  // older than a disconnect that was noticed on another one
  kStale,        // found dead before use, by a ping or by a look at the socket
  kBroken,       // lost in use
  kDirty,        // given back in a state that could not be cleaned
  kOutgrown,     // given back with much memory, which a huge value had needed
  kResized,      // beyond the limits of a pool that was made smaller
  kShutdown
};
std::string_view CloseReasonName(CloseReason reason);  // "overflow", ...

// Why a waiter got no connection.
enum class RefusalReason {
  kTimedOut,       // DB_POOL_TIMEOUT
  kDeadline,       // the caller's own, shorter deadline
  kLineFull,       // EMSDB_MAX_WAITERS
  kLeaseLimit,     // EMSDB_MAX_LEASED
  kConnectFailed,  // the connection opened for it could not be made
  kDown,           // the database cannot be reached: nobody waits for it
  kPaused,         // DB_POOL_TIMEOUT was over while an operator's pause lasted
  kHopeless,       // EMSDB_REFUSE_HOPELESS: its deadline would have passed in line
  kShutdown
};
std::string_view RefusalReasonName(RefusalReason reason);  // "timed_out", ...

// What became of the reset of a session that its holder had changed.
enum class ResetResult {
  kDone,
  kFailed  // the connection is closed: kDirty, or kBroken where it was lost
};
std::string_view ResetResultName(ResetResult result);  // "done", "failed"

// What a pool does, as its operators see it.
enum class PoolMode { kRunning, kPaused, kDown, kDraining };
std::string_view PoolModeName(PoolMode mode);  // "running", ...

}  // namespace emsdb

#endif  // EMSDB_POOL_REASONS_H_
