// Sinks that keep what they are given, or refuse it after so many rows.
#ifndef EMSDB_TESTS_SUPPORT_COLLECTING_SINK_H_
#define EMSDB_TESTS_SUPPORT_COLLECTING_SINK_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "pool/connection.h"

namespace emsdb {

inline Value ToValue(const Cell& cell) {
  return std::visit(
      [](const auto& held) -> Value {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::string_view>) {
          return std::string(held);
        } else if constexpr (std::is_same_v<T, BytesView>) {
          return Bytes{std::string(held.data)};
        } else {
          return held;
        }
      },
      cell);
}

inline Cell ToCell(const Value& value) {
  return std::visit(
      [](const auto& held) -> Cell {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::string>) {
          return std::string_view(held);
        } else if constexpr (std::is_same_v<T, Bytes>) {
          return BytesView{held.data};
        } else {
          return held;
        }
      },
      value);
}

using Row = std::vector<Value>;

// Public data: the test reads it after the call.
class CollectingSink : public RowSink {
 public:
  absl::Status OnColumns(std::span<const Column> given) override {
    ++times_columns_given;
    columns.assign(given.begin(), given.end());
    return columns_answer;
  }
  absl::Status OnRow(std::span<const Cell> cells) override {
    if (refuse_from_row && rows.size() + 1 >= *refuse_from_row) return refusal;
    Row row;
    for (const Cell& cell : cells) row.push_back(ToValue(cell));
    rows.push_back(std::move(row));
    if (on_row) on_row();
    return absl::OkStatus();
  }
  void OnColumnsNamed(std::span<const Column> given) override {
    columns.assign(given.begin(), given.end());
  }

  std::vector<Column> columns;
  std::vector<Row> rows;
  int times_columns_given = 0;

  absl::Status columns_answer;
  std::optional<std::size_t> refuse_from_row;  // 1 = the first
  absl::Status refusal = absl::ResourceExhaustedError("the sink is full");
  std::function<void()> on_row;
};

class CollectingBatchSink : public BatchSink {
 public:
  RowSink& Rows(std::size_t statement) override {
    while (sinks.size() <= statement) sinks.emplace_back();
    return sinks[statement];
  }
  void Completed(std::size_t statement, const Completion& completion) override {
    completed.emplace_back(statement, completion);
  }

  std::deque<CollectingSink> sinks;
  std::vector<std::pair<std::size_t, Completion>> completed;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_SUPPORT_COLLECTING_SINK_H_
