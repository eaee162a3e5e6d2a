// What a SQLSTATE means to a caller: a pure table, by class first and by code where a code differs
// from its class.
#ifndef EMSDB_POOL_POSTGRES_SQLSTATE_H_
#define EMSDB_POOL_POSTGRES_SQLSTATE_H_

#include <string_view>

#include "absl/status/status.h"
#include "pool/errors.h"

namespace emsdb {

struct SqlstateMeaning {
  absl::StatusCode code = absl::StatusCode::kInternal;
  Retry retry = Retry::kNo;
};

// For an error that a statement got. An unknown class is kInternal, never retryable.
SqlstateMeaning MeaningOf(std::string_view sqlstate);

// For an error that opening a connection got: a refused login is the gateway's own trouble, which
// the caller sees as a database that is not there.
SqlstateMeaning ConnectMeaningOf(std::string_view sqlstate);

inline constexpr std::string_view kQueryCanceled = "57014";
inline constexpr std::string_view kReadOnlyTransaction = "25006";
inline constexpr std::string_view kUnknownPreparedStatement = "26000";
// A statement that must not be in a transaction.
inline constexpr std::string_view kInTransaction = "25001";

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_SQLSTATE_H_
