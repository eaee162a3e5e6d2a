// Why a connection could not be opened, as two texts: one for callers, without the names of logins,
// hosts, databases and files, and what libpq and the server said, for operators.
#ifndef EMSDB_POOL_POSTGRES_CONNECT_FAILURE_H_
#define EMSDB_POOL_POSTGRES_CONNECT_FAILURE_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace emsdb {

// `said` is libpq's verbose message of a failed connect, in which there may be a SQLSTATE and any
// bytes; without the password.
absl::Status ConnectFailed(std::string said);

// The server took the login and then refused what readies a session.
absl::Status ConnectRefused(std::string_view sqlstate, std::string_view said);

// The host's name could not be turned into an address, because of `why`.
absl::Status HostNotResolved(std::string_view host, std::string_view why);

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_CONNECT_FAILURE_H_
