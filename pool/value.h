// What goes into a statement and what comes out: plain data, free of any protocol and any driver.
#ifndef EMSDB_POOL_VALUE_H_
#define EMSDB_POOL_VALUE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace emsdb {

struct Null {
  friend bool operator==(Null, Null) { return true; }
};

// Bytes are a type of their own, so that they are never taken for text.
struct Bytes {
  std::string data;
  friend bool operator==(const Bytes&, const Bytes&) = default;
};

struct BytesView {
  std::string_view data;
  friend bool operator==(BytesView, BytesView) = default;
};

// A value that owns what it holds. Text is UTF-8 without U+0000; types without an alternative of
// their own (numeric, timestamptz, uuid, json, arrays, ...) are the database's exact text.
using Value = std::variant<Null, bool, std::int64_t, double, std::string, Bytes>;

// A view into the driver's buffer, valid only during the call that hands it over.
using Cell = std::variant<Null, bool, std::int64_t, double, std::string_view, BytesView>;

struct Column {
  std::string name;            // may be empty, may repeat
  std::string type;            // PostgreSQL: pg_type.typname; SQLite: the declared type
  std::uint32_t type_oid = 0;  // PostgreSQL only
  friend bool operator==(const Column&, const Column&) = default;
};

struct Statement {
  std::string sql;                           // one statement, placeholders $1, $2, ...
  std::vector<Value> parameters;             // $1 first
  std::vector<std::string> parameter_types;  // empty, or one for each parameter; "" = inferred
};

}  // namespace emsdb

#endif  // EMSDB_POOL_VALUE_H_
