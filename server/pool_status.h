// How pools do, as the protocol says it.
#ifndef EMSDB_SERVER_POOL_STATUS_H_
#define EMSDB_SERVER_POOL_STATUS_H_

#include <google/protobuf/repeated_ptr_field.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "emsdb/v1/database_service.pb.h"
#include "server/admission.h"

namespace emsdb {

// The pool of a database as it is now.
void Describe(Gateway& gateway, Database& database, v1::PoolStatus& status);

// The database of this name, or where it is empty all that the caller may use.
absl::StatusOr<std::vector<Database*>> Selected(Gateway& gateway, const Caller& caller,
                                                const std::string& name);

}  // namespace emsdb

#endif  // EMSDB_SERVER_POOL_STATUS_H_
