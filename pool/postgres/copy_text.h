// Rows as COPY's text format has them: pure functions, no connection.
#ifndef EMSDB_POOL_POSTGRES_COPY_TEXT_H_
#define EMSDB_POOL_POSTGRES_COPY_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "pool/connection.h"
#include "pool/value.h"

namespace emsdb {

// What keeps a cell from being copied: its kind and the rule, never the value.
struct CopyRefusal {
  std::size_t cell;
  std::string_view problem;
};

// Appends the row as one line: no cell can end it or begin another, whatever is in it. What the
// cells look like is what a parameter of a statement would look like. On a refusal, which
// PostgreSQL would either cut short or answer with the row's content, `lines` is as it was.
std::optional<CopyRefusal> AppendCopyLine(std::span<const Cell> cells, std::string& lines);

// "COPY ... FROM STDIN", every name quoted.
std::string CopyStatement(const CopyTarget& target);

// The line that PostgreSQL's CONTEXT blames: "COPY units, line 5, column id: ..." is 5. What stands
// behind it there is the row's content, and goes no further. 0: it blames none.
std::int64_t CopyLineOf(std::string_view context, std::string_view table);

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_COPY_TEXT_H_
