#include "server/result_sink.h"

#include "absl/strings/str_format.h"
#include "pool/errors.h"

namespace emsdb {
namespace {

constexpr char kAdvice[] = "use StreamQuery, or ask for less";

}  // namespace

absl::Status ResultSink::OnColumns(std::span<const Column> columns) {
  SetColumns(columns, columns_);
  return absl::OkStatus();
}

absl::Status ResultSink::OnRow(std::span<const Cell> cells) {
  if (budget_.rows == 0) {
    return ResultTooLarge(absl::StrFormat("%d rows", budget_.row_limit), kAdvice);
  }
  --budget_.rows;
  const std::size_t bytes = AddRow(cells, rows_);
  if (bytes > budget_.bytes) {
    return ResultTooLarge(absl::StrFormat("%d bytes", ResultBudget::kMostBytes), kAdvice);
  }
  budget_.bytes -= bytes;
  return absl::OkStatus();
}

}  // namespace emsdb
