// Names that callers give (of tables, columns, savepoints) on their way into SQL: checked, and
// quoted as they are. Both engines read "a""b" as the name a"b.
#ifndef EMSDB_POOL_NAMES_H_
#define EMSDB_POOL_NAMES_H_

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace emsdb {

inline constexpr std::size_t kAnyLength = std::numeric_limits<std::size_t>::max();
// NAMEDATALEN - 1: PostgreSQL would cut off the rest, and the name might be another's.
inline constexpr std::size_t kLongestPostgresName = 63;

// UTF-8 without U+0000, 1 to `longest` bytes. INVALID_ARGUMENT.
absl::Status CheckName(std::string_view field, std::string_view name, std::size_t longest);

std::string QuotedName(std::string_view name);

}  // namespace emsdb

#endif  // EMSDB_POOL_NAMES_H_
