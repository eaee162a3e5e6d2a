// Bind values as a log line shows them, to an operator who asked for it by EMSDB_LOG_VALUES=1.
#ifndef EMSDB_SERVER_BOUND_VALUES_H_
#define EMSDB_SERVER_BOUND_VALUES_H_

#include <cstddef>
#include <vector>

#include "pool/value.h"
#include "server/log.h"

namespace emsdb {

// A line shall stay a line: so many values of a statement are shown, and so many bytes of each.
inline constexpr std::size_t kMostShownValues = 50;
inline constexpr std::size_t kMostShownBytes = 200;

// A JSON array: numbers and texts as they are, bytes as "\x00ff", what is too long with "..."; the
// last entry says how many are left out.
Fields ShownValues(const std::vector<Value>& values);

}  // namespace emsdb

#endif  // EMSDB_SERVER_BOUND_VALUES_H_
