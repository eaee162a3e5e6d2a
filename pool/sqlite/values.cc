#include "pool/sqlite/values.h"

#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <variant>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "pool/sqlite/refusals.h"
#include "pool/sqlite/result_code.h"
#include "pool/sqlite/text.h"
#include "pool/statement_facts.h"
#include "pool/utf8.h"

namespace emsdb::sqlite {
namespace {

constexpr std::size_t kLongestSql = 1 << 20;

std::string ParameterField(std::size_t index) {
  return absl::StrFormat("statement.parameters[%d]", index);
}

// The rule that a value or a cell breaks; empty if it can be stored as it is.
struct ProblemOf {
  std::string operator()(std::string_view text) const {
    const std::string_view problem = TextProblem(text);
    return problem.empty() ? "" : absl::StrFormat("the text %s", problem);
  }
  std::string operator()(double number) const {
    return std::isnan(number) ? "the double is NaN, which SQLite would store as NULL" : "";
  }
  std::string operator()(Null) const { return ""; }
  std::string operator()(bool) const { return ""; }
  std::string operator()(std::int64_t) const { return ""; }
  std::string operator()(const Bytes&) const { return ""; }
  std::string operator()(BytesView) const { return ""; }
};

absl::Status CheckText(std::string_view sql) {
  if (sql.size() > kLongestSql) {
    return InvalidField("statement.sql",
                        absl::StrFormat("has %d bytes, the most is %d", sql.size(), kLongestSql));
  }
  if (const std::string_view problem = TextProblem(sql); !problem.empty()) {
    return InvalidField("statement.sql", problem);
  }
  const auto facts = FactsOf(sql);
  if (!facts->transaction_control.empty()) {
    return TransactionControlRefused(facts->transaction_control);
  }
  if (facts->leading_keyword == "VACUUM") {
    return NotAllowed("VACUUM",
                      "it cannot run in a transaction; outside_transaction lets it run by itself");
  }
  return absl::OkStatus();
}

// The number in "$7" or "?7"; 0 for another name.
int NumberOf(std::string_view name) {
  int number = 0;
  if (name.size() < 2 || (name[0] != '$' && name[0] != '?')) return 0;
  const std::string digits(name.substr(1));
  if (digits.find_first_not_of("0123456789") != std::string::npos) return 0;
  return absl::SimpleAtoi(digits, &number) ? number : 0;
}

absl::Status PlaceholderRefused(std::string_view name) {
  if (name.find("::") != std::string_view::npos) {
    return InvalidField(
        "statement.sql",
        absl::StrFormat("%s: SQLite has no casts by ::, write CAST($1 AS type)", name));
  }
  return InvalidField(
      "statement.sql",
      absl::StrFormat("the placeholder %s is refused: they are $1, $2, ... for both engines",
                      name));
}

// For each of SQLite's slots the number of its parameter. SQLite numbers the slots by the first
// appearance of each name, so that in "$2, $1" the first slot is $2.
absl::StatusOr<std::vector<int>> NumbersOfSlots(sqlite3_stmt* statement) {
  std::vector<int> numbers(static_cast<std::size_t>(sqlite3_bind_parameter_count(statement)));
  bool expected_gap = false;  // ?5 alone makes slots 1 to 4, which nothing refers to
  for (std::size_t slot = numbers.size(); slot > 0; --slot) {
    const char* name = sqlite3_bind_parameter_name(statement, static_cast<int>(slot));
    if (name == nullptr && !expected_gap) return PlaceholderRefused("?");
    if (name == nullptr) {
      numbers[slot - 1] = static_cast<int>(slot);
      continue;
    }
    numbers[slot - 1] = NumberOf(name);
    if (numbers[slot - 1] == 0) return PlaceholderRefused(name);
    if (name[0] == '?') expected_gap = true;
  }
  return numbers;
}

struct Binder {
  sqlite3_stmt* statement;
  int slot;

  int operator()(Null) const { return sqlite3_bind_null(statement, slot); }
  int operator()(bool value) const { return sqlite3_bind_int(statement, slot, value ? 1 : 0); }
  int operator()(std::int64_t value) const { return sqlite3_bind_int64(statement, slot, value); }
  int operator()(double value) const { return sqlite3_bind_double(statement, slot, value); }
  int operator()(std::string_view value) const {
    return sqlite3_bind_text64(statement, slot, AddressOf(value), value.size(), SQLITE_STATIC,
                               SQLITE_UTF8);
  }
  int operator()(BytesView value) const {
    return sqlite3_bind_blob64(statement, slot, AddressOf(value.data), value.data.size(),
                               SQLITE_STATIC);
  }
  int operator()(const Bytes& value) const { return (*this)(BytesView{value.data}); }

  // What has no address would be NULL.
  static const char* AddressOf(std::string_view data) {
    return data.data() == nullptr ? "" : data.data();
  }
};

absl::Status BindFailed(int result, std::size_t index) {
  if (result == SQLITE_TOOBIG) return InvalidField(ParameterField(index), "is too large");
  return ToStatus({result, sqlite3_errstr(result)}, Phase::kPreparing, "");
}

absl::StatusOr<Cell> ReadText(sqlite3_stmt* statement, int column, std::int64_t row) {
  const unsigned char* data = sqlite3_column_text(statement, column);
  if (data == nullptr) {
    return ToStatus({SQLITE_NOMEM, "out of memory"}, Phase::kPreparing, "");
  }
  const std::string_view text(reinterpret_cast<const char*>(data),
                              static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
  if (const std::string_view problem = TextProblem(text); !problem.empty()) {
    return StoredTextRefused(sqlite3_column_name(statement, column), row, problem);
  }
  return Cell(text);
}

Cell ReadBlob(sqlite3_stmt* statement, int column) {
  // An empty one has no address.
  const void* data = sqlite3_column_blob(statement, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
  if (data == nullptr) return BytesView{};
  return BytesView{{static_cast<const char*>(data), size}};
}

absl::StatusOr<Cell> ReadCell(sqlite3_stmt* statement, int column, std::int64_t row) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return Cell(std::int64_t{sqlite3_column_int64(statement, column)});
    case SQLITE_FLOAT:
      return Cell(sqlite3_column_double(statement, column));
    case SQLITE_TEXT:
      return ReadText(statement, column, row);
    case SQLITE_BLOB:
      return ReadBlob(statement, column);
    default:
      return Cell(Null{});
  }
}

std::string OrEmpty(const char* text) { return text == nullptr ? "" : text; }

}  // namespace

absl::Status CheckStatement(const Statement& statement) {
  if (absl::Status status = CheckText(statement.sql); !status.ok()) return status;
  if (!statement.parameter_types.empty()) {
    return InvalidField("statement.parameter_types",
                        "must be empty: SQLite takes a parameter's type from its value");
  }
  for (std::size_t i = 0; i < statement.parameters.size(); ++i) {
    const std::string problem = std::visit(ProblemOf{}, statement.parameters[i]);
    if (!problem.empty()) return InvalidField(ParameterField(i), problem);
  }
  return absl::OkStatus();
}

absl::Status Bind(sqlite3_stmt* statement, std::span<const Value> parameters) {
  const auto numbers = NumbersOfSlots(statement);
  if (!numbers.ok()) return numbers.status();
  int expected = 0;
  for (const int number : *numbers) expected = std::max(expected, number);
  if (static_cast<std::size_t>(expected) != parameters.size()) {
    return InvalidField("statement.parameters",
                        absl::StrFormat("the statement has %d placeholders, but %d values came",
                                        expected, parameters.size()));
  }
  for (std::size_t slot = 0; slot < numbers->size(); ++slot) {
    const auto index = static_cast<std::size_t>((*numbers)[slot] - 1);
    const int result = std::visit(Binder{statement, static_cast<int>(slot) + 1}, parameters[index]);
    if (result != SQLITE_OK) return BindFailed(result, index);
  }
  return absl::OkStatus();
}

absl::Status BindRow(sqlite3_stmt* statement, std::span<const Cell> cells, std::string_view field) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto refuse = [&](std::string_view problem) {
      return InvalidField(absl::StrFormat("%s.values[%d]", field, i), problem);
    };
    const std::string problem = std::visit(ProblemOf{}, cells[i]);
    if (!problem.empty()) return refuse(problem);
    const int result = std::visit(Binder{statement, static_cast<int>(i) + 1}, cells[i]);
    if (result == SQLITE_TOOBIG) return refuse("is too large");
    if (result != SQLITE_OK) {
      return ToStatus({result, sqlite3_errstr(result)}, Phase::kPreparing, "");
    }
  }
  return absl::OkStatus();
}

std::vector<Column> ColumnsOf(sqlite3_stmt* statement) {
  std::vector<Column> columns(static_cast<std::size_t>(sqlite3_column_count(statement)));
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const int column = static_cast<int>(i);
    columns[i].name = OrEmpty(sqlite3_column_name(statement, column));
    columns[i].type = OrEmpty(sqlite3_column_decltype(statement, column));
  }
  return columns;
}

absl::Status ReadRow(sqlite3_stmt* statement, std::int64_t row, std::vector<Cell>& cells) {
  cells.clear();
  const int count = sqlite3_column_count(statement);
  for (int column = 0; column < count; ++column) {
    auto cell = ReadCell(statement, column, row);
    if (!cell.ok()) return cell.status();
    cells.push_back(*cell);
  }
  return absl::OkStatus();
}

}  // namespace emsdb::sqlite
