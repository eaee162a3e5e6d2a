// What can be refused, or has to be known, before a statement is sent.
#ifndef EMSDB_POOL_POSTGRES_STATEMENT_CHECK_H_
#define EMSDB_POOL_POSTGRES_STATEMENT_CHECK_H_

#include <string_view>

#include "absl/status/status.h"

namespace emsdb {

// INVALID_ARGUMENT for a text that is too long, no text at all, transaction control or COPY.
absl::Status CheckStatementText(std::string_view sql);

// Whether an autocommit statement that may write may have rows, which must be shown before it is
// committed (see PostgresConnection), or may commit by itself in its middle.
bool MayReturnRows(std::string_view sql);

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_STATEMENT_CHECK_H_
