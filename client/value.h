// What goes into a statement and what comes out of it, as plain values: `{42, "Ada", Null{}}`.
#ifndef EMSDB_CLIENT_VALUE_H_
#define EMSDB_CLIENT_VALUE_H_

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace emsdb::client {

struct Null {
  friend bool operator==(Null, Null) { return true; }
};

// Bytes are a type of their own, so that they are never taken for text.
struct Bytes {
  std::string data;
  friend bool operator==(const Bytes&, const Bytes&) = default;
};

// Integers that fit into 64 bits with a sign. Not bool, and not characters: 'a' is no number.
template <typename T>
concept Integer = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
                  !std::same_as<T, wchar_t> && (std::is_signed_v<T> || sizeof(T) < 8);

// One value. Converts from what stands in a statement's parameter list, so the constructors are
// implicit on purpose. Text is UTF-8 without U+0000; types without an alternative of their own
// (numeric, timestamps, uuid, json, arrays, ...) are the database's exact text.
class Value {
 public:
  using Kind = std::variant<Null, bool, std::int64_t, double, std::string, Bytes>;

  Value() = default;                               // NULL
  Value(Null) {}                                   // NOLINT(google-explicit-constructor)
  Value(Bytes bytes) : kind_(std::move(bytes)) {}  // NOLINT(google-explicit-constructor)
  template <std::same_as<bool> T>
  Value(T value) : kind_(value) {}  // NOLINT(google-explicit-constructor)
  template <Integer T>
  Value(T value) : kind_(std::int64_t{value}) {}              // NOLINT(google-explicit-constructor)
  Value(double value) : kind_(value) {}                       // NOLINT(google-explicit-constructor)
  Value(std::string text) : kind_(std::move(text)) {}         // NOLINT(google-explicit-constructor)
  Value(std::string_view text) : kind_(std::string(text)) {}  // NOLINT(google-explicit-constructor)
  Value(const char* text) : kind_(std::string(text)) {}       // NOLINT(google-explicit-constructor)
  // nullopt is NULL.
  template <typename T>
  Value(const std::optional<T>& value)  // NOLINT(google-explicit-constructor)
      : Value(value.has_value() ? Value(*value) : Value()) {}

  const Kind& kind() const { return kind_; }
  Kind&& TakeKind() && { return std::move(kind_); }
  bool is_null() const { return std::holds_alternative<Null>(kind_); }

  // The value, if it is of that kind; else null.
  template <typename T>
  const T* get_if() const {
    return std::get_if<T>(&kind_);
  }

  friend bool operator==(const Value&, const Value&) = default;

 private:
  Kind kind_;
};

using Row = std::vector<Value>;

struct Column {
  std::string name;            // may be empty, may repeat
  std::string type;            // PostgreSQL: the type's name; SQLite: the declared type
  std::uint32_t type_oid = 0;  // PostgreSQL only
  friend bool operator==(const Column&, const Column&) = default;
};

// What a statement gave, whole.
struct Result {
  std::vector<Column> columns;  // empty for a statement that returns no rows
  std::vector<Row> rows;
  std::int64_t rows_affected = 0;  // touched or returned
  std::string command;             // "INSERT", "CREATE TABLE", ...
};

}  // namespace emsdb::client

#endif  // EMSDB_CLIENT_VALUE_H_
