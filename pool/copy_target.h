// The names of rows in bulk, as SQL has them.
#ifndef EMSDB_POOL_COPY_TARGET_H_
#define EMSDB_POOL_COPY_TARGET_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "pool/connection.h"

namespace emsdb {

// CheckName of each, as an error of the request's `start`.
absl::Status CheckCopyTarget(const CopyTarget& target, std::size_t longest);

// `"schema"."table"`.
std::string QuotedTable(const CopyTarget& target);

// ` ("a", "b")`; empty if no columns are named, since an empty list is none in SQL.
std::string QuotedColumns(const CopyTarget& target);

}  // namespace emsdb

#endif  // EMSDB_POOL_COPY_TARGET_H_
