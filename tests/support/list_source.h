// Sources of rows for bulk writes: from a list, or made up row by row.
#ifndef EMSDB_TESTS_SUPPORT_LIST_SOURCE_H_
#define EMSDB_TESTS_SUPPORT_LIST_SOURCE_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "pool/connection.h"
#include "tests/support/collecting_sink.h"

namespace emsdb {

class ListSource : public RowSource {
 public:
  explicit ListSource(std::vector<Row> rows) : rows_(std::move(rows)) {}

  absl::StatusOr<Supply> Next(std::span<const Cell>& cells) override {
    if (before_row) {
      auto supply = before_row(next_);
      if (!supply.ok() || *supply != Supply::kRow) return supply;
    }
    if (next_ == rows_.size()) return Supply::kEnd;
    cells_.clear();
    for (const Value& value : rows_[next_]) cells_.push_back(ToCell(value));
    ++next_;
    cells = cells_;
    return Supply::kRow;
  }

  std::string RowField() const override { return "rows[" + std::to_string(next_ - 1) + "]"; }

  std::size_t given() const { return next_; }

  // Asked before each row, with the number of those given; anything but kRow is what Next gives.
  std::function<absl::StatusOr<Supply>(std::size_t)> before_row;

 private:
  const std::vector<Row> rows_;
  std::size_t next_ = 0;
  std::vector<Cell> cells_;
};

// The same row again and again, with its number as the first cell; `count` of them.
class NumberedSource : public RowSource {
 public:
  NumberedSource(std::int64_t count, Row rest) : count_(count), rest_(std::move(rest)) {}

  absl::StatusOr<Supply> Next(std::span<const Cell>& cells) override {
    if (given_ == count_) return Supply::kEnd;
    cells_ = {Cell(++given_)};
    for (const Value& value : rest_) cells_.push_back(ToCell(value));
    cells = cells_;
    return Supply::kRow;
  }

  std::string RowField() const override { return "rows[0]"; }

  std::int64_t given() const { return given_; }

 private:
  const std::int64_t count_;
  const Row rest_;
  std::int64_t given_ = 0;
  std::vector<Cell> cells_;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_SUPPORT_LIST_SOURCE_H_
