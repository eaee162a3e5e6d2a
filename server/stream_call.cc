#include "server/stream_call.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "server/convert.h"

namespace emsdb {
namespace {

constexpr std::size_t kMessageBytes = 64U << 10;
constexpr std::size_t kMostCellBytes = 16U << 20;

std::size_t SizeOf(const Cell& cell) {
  if (const auto* text = std::get_if<std::string_view>(&cell)) return text->size();
  if (const auto* bytes = std::get_if<BytesView>(&cell)) return bytes->data.size();
  return 0;
}

}  // namespace

absl::Status StreamCall::Run(Connection& connection, const Bounds& bounds, Lease&) {
  bounds_ = bounds;
  const auto completion =
      connection.Execute(work_.statement, run_options(work_.access), bounds, *this);
  if (!completion.ok()) return WithoutToken(completion.status(), work_.naming);
  v1::StreamComplete& complete = *message_.mutable_complete();
  complete.set_row_count(row_count_);
  complete.set_rows_affected(completion->rows_affected);
  complete.set_command(completion->command);
  return absl::OkStatus();
}

void StreamCall::Finish(absl::Status status, const CallTimes& times) {
  Report(status, times);
  if (status.ok()) {
    reactor_.Complete(message_);
  } else {
    reactor_.Fail(ToRpcStatus(status, times.waiting + times.running));
  }
}

absl::Status StreamCall::OnColumns(std::span<const Column> columns) {
  SetColumns(columns, *message_.mutable_columns());
  return absl::OkStatus();
}

absl::Status StreamCall::OnRow(std::span<const Cell> cells) {
  if (work_.max_rows != 0 && static_cast<std::uint64_t>(row_count_) == work_.max_rows) {
    return ResultTooLarge(absl::StrFormat("%d rows", work_.max_rows), "ask for less");
  }
  for (const Cell& cell : cells) {
    if (SizeOf(cell) > kMostCellBytes) {
      return ResultTooLarge(absl::StrFormat("%d bytes in one cell", kMostCellBytes),
                            "read it in parts");
    }
  }
  ++row_count_;
  bytes_ += AddRow(cells, *message_.mutable_rows());
  if (bytes_ < kMessageBytes) return absl::OkStatus();
  bytes_ = 0;
  return reactor_.Send(message_, bounds_);
}

}  // namespace emsdb
