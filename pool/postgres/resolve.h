// Names to addresses under a deadline. libpq asks the resolver itself and waits for it as long as
// the resolver likes, which may be half a minute; so it is given addresses instead.
#ifndef EMSDB_POOL_POSTGRES_RESOLVE_H_
#define EMSDB_POOL_POSTGRES_RESOLVE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pool/clock.h"
#include "pool/connection.h"

namespace emsdb {

// The addresses of `host` in the resolver's order, as text; at least one. The question is asked on
// a thread of its own, which is left behind if the answer does not come in time; only so many may
// be left behind at once.
absl::StatusOr<std::vector<std::string>> Resolve(const std::string& host, const Clock& clock,
                                                 const Bounds& bounds);

// Whether `host` is something to ask the resolver for: not a socket's directory, not an address.
bool IsHostName(const std::string& host);

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_RESOLVE_H_
