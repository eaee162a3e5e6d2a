#include "server/result_sink.h"

#include "absl/strings/str_format.h"
#include "pool/errors.h"

namespace emsdb {
namespace {

// What a result and a column take beside their texts. A type's name may come after the rows.
constexpr std::size_t kResultOverhead = 64;
constexpr std::size_t kColumnOverhead = 16 + 64;

// What protobuf's objects take on an arena beside what is in them: a message and the pointer to it,
// and what the growing array of pointers leaves behind; for a cell a string's header too, with its
// place in the arena's list of what must be destroyed.
constexpr std::size_t kHeapOfRow = 88;
constexpr std::size_t kHeapOfCell = 96;

constexpr char kAdvice[] = "use StreamQuery, or ask for less";

}  // namespace

absl::Status ResultSink::OnColumns(std::span<const Column> columns) {
  SetColumns(columns, columns_);
  std::size_t bytes = kResultOverhead;
  for (const Column& column : columns) {
    bytes += column.name.size() + column.type.size() + kColumnOverhead;
  }
  return Spend(bytes, columns.size() * kHeapOfCell);
}

absl::Status ResultSink::Spend(std::size_t bytes, std::size_t heap) {
  if (bytes > budget_.bytes) {
    return ResultTooLarge(absl::StrFormat("%d bytes", ResultBudget::kMostBytes), kAdvice);
  }
  budget_.bytes -= bytes;
  if (budget_.share == nullptr) return absl::OkStatus();
  // Twice: in the message, and written out for the network.
  return budget_.share->Take(2 * bytes + heap);
}

absl::Status ResultSink::OnRow(std::span<const Cell> cells) {
  if (budget_.rows == 0) {
    return ResultTooLarge(absl::StrFormat("%d rows", budget_.row_limit), kAdvice);
  }
  --budget_.rows;
  return Spend(AddRow(cells, rows_), kHeapOfRow + cells.size() * kHeapOfCell);
}

}  // namespace emsdb
