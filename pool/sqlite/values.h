// Values in and out: parameters bound by their number, cells by SQLite's storage class.
#ifndef EMSDB_POOL_SQLITE_VALUES_H_
#define EMSDB_POOL_SQLITE_VALUES_H_

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pool/value.h"

struct sqlite3_stmt;

namespace emsdb::sqlite {

// What is wrong with a statement by itself, before any database has seen it; OK if nothing is.
// Field names are those of the request.
absl::Status CheckStatement(const Statement& statement);

// Binds $1, $2, ... (or ?1, ?2, ...) by their number. `parameters` must stay until the statement
// has ended: texts and bytes are not copied. Only what SQLite answers is a result code.
absl::Status Bind(sqlite3_stmt* statement, std::span<const Value> parameters);

// Binds the cells to the slots in their order, of which there must be as many. `field` is the row's
// place in the request. Without copies, as Bind.
absl::Status BindRow(sqlite3_stmt* statement, std::span<const Cell> cells, std::string_view field);

std::vector<Column> ColumnsOf(sqlite3_stmt* statement);

// The row that `statement` stands on, into `cells`: views that are valid until the next step.
// `row` counts from 1.
absl::Status ReadRow(sqlite3_stmt* statement, std::int64_t row, std::vector<Cell>& cells);

}  // namespace emsdb::sqlite

#endif  // EMSDB_POOL_SQLITE_VALUES_H_
