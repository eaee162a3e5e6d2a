// What is asked of every call before anything is done for it: who calls, how urgent it is, how long
// it may take, which database it may use. Nothing else in server/ looks databases up for a caller.
#ifndef EMSDB_SERVER_ADMISSION_H_
#define EMSDB_SERVER_ADMISSION_H_

#include <grpcpp/server_context.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "emsdb/v1/statement.pb.h"
#include "pool/call.h"
#include "server/caller.h"
#include "server/gateway.h"

namespace emsdb {

// The deadline of calls that bring none, and the longest that any may have.
inline constexpr Duration kDefaultDeadline = std::chrono::seconds(30);
inline constexpr Duration kDefaultStreamDeadline = std::chrono::seconds(300);
inline constexpr Duration kLongestDeadline = std::chrono::hours(1);

// The caller's deadline on our steady clock, taken over once, when the call arrives.
Instant DeadlineOf(const grpc::ServerContextBase& context, Clock& clock, Duration unset);

// What is known of a call before it gets a connection.
struct CallBasics {
  const char* rpc;
  std::string database;
  Caller caller;
  CallOptions options;

  // What the caller asked for, or less: one that may only read gets read-only transactions, in
  // which the database itself refuses writes.
  Access Allowed(Access asked) const {
    return caller.rights ? std::max(asked, caller.rights->access) : asked;
  }
};

// What every RPC checks first. The database and the statement are left to be filled in.
// UNAUTHENTICATED where tokens are configured and the caller proves to be none of theirs.
absl::StatusOr<CallBasics> Admit(const char* rpc, const grpc::ServerContextBase& context,
                                 Gateway& gateway, v1::Priority priority, Duration unset_deadline);

// The class of a call: the request's own word, else the caller's usual class, else the default;
// never above what the caller may have. Admit has asked already; for a request that comes later on
// a stream.
absl::StatusOr<Priority> GrantedPriority(const Caller& caller, v1::Priority requested);

// PERMISSION_DENIED for a caller that may only read: for RPCs that do nothing but write.
absl::Status CheckMayWrite(const Caller& caller);

// PERMISSION_DENIED, whether there is such a database or not, if the caller may not use it.
absl::Status CheckMayUse(const Caller& caller, const std::string& database);

// The database that a caller named ("" is "main"), if it may use it. NOT_FOUND names those that
// there are, to callers who may use all of them.
absl::StatusOr<Database*> FindDatabase(Gateway& gateway, const Caller& caller,
                                       const std::string& name);

// Those that the caller may use, in the order of their names.
std::vector<Database*> DatabasesOf(Gateway& gateway, const Caller& caller);

}  // namespace emsdb

#endif  // EMSDB_SERVER_ADMISSION_H_
