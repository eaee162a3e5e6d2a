// Values to libpq and back: what a statement's parameters look like on the wire, and what the text
// of a cell means.
#ifndef EMSDB_POOL_POSTGRES_VALUES_H_
#define EMSDB_POOL_POSTGRES_VALUES_H_

#include <libpq-fe.h>

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pool/value.h"

namespace emsdb {

// A statement's parameters as PQsendQueryParams takes them. Texts and bytes are not copied: the
// Statement must stay as it is while this is in use.
//
// Types are left to the server, so that "42" fits an integer column and a number fits a numeric
// one; only bytes say that they are bytea, since their binary form means nothing else.
class BoundParameters {
 public:
  // Refuses what PostgreSQL would cut off or could not take, before anything is sent.
  static absl::StatusOr<BoundParameters> Bind(const Statement& statement);

  int count() const { return static_cast<int>(values_.size()); }
  const Oid* types() const { return types_.data(); }
  const char* const* values() const { return values_.data(); }
  const int* lengths() const { return lengths_.data(); }
  const int* formats() const { return formats_.data(); }

 private:
  // Room for the longest double, 24 characters, and its end.
  using NumberText = std::array<char, 32>;

  explicit BoundParameters(std::size_t count);
  void SetNumber(std::size_t index, std::int64_t value);
  void SetNumber(std::size_t index, double value);
  NumberText& RoomFor(std::size_t index);

  // Of most statements without an allocation.
  static constexpr std::size_t kFew = 4;

  absl::InlinedVector<Oid, kFew> types_;
  absl::InlinedVector<const char*, kFew> values_;
  absl::InlinedVector<int, kFew> lengths_;
  absl::InlinedVector<int, kFew> formats_;
  // Not inlined, since values_ point into it; empty until the first number.
  std::vector<NumberText> numbers_;
};

// Turns the rows of one result into cells. Its buffers are used again for each row, so that a row
// costs no allocation of ours; the cells are views that end with the next row or the PGresult.
class RowDecoder {
 public:
  // Takes the columns' types from `result`.
  void Start(const PGresult* result);
  absl::StatusOr<std::span<const Cell>> Decode(const PGresult* result, int row);

 private:
  absl::StatusOr<Cell> DecodeCell(Oid type, std::string_view text);
  absl::StatusOr<Cell> DecodeBytes(std::string_view hex);

  std::vector<Oid> types_;
  std::vector<Cell> cells_;
  std::string bytes_;  // all bytea cells of the row, one behind the other
};

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_VALUES_H_
