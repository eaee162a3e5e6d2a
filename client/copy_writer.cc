#include "client/copy_writer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/convert.h"
#include "client/error_info.h"
#include "client/outcome.h"
#include "client/text_check.h"

namespace emsdb::client {
namespace {

constexpr std::size_t kRequestBytes = 64U << 10;
constexpr std::size_t kMostRowBytes = 15U << 20;  // the gateway takes requests of 16 MiB

std::size_t SizeOf(const Value& value) {
  constexpr std::size_t kOverhead = 12;
  if (const auto* text = value.get_if<std::string>()) return text->size() + kOverhead;
  if (const auto* bytes = value.get_if<Bytes>()) return bytes->data.size() + kOverhead;
  return kOverhead;
}

absl::Status RowRefused(std::int64_t row, const std::string& field, const std::string& problem) {
  return WithErrorInfo(absl::InvalidArgumentError(absl::StrCat("row ", row, ": ", problem)),
                       {.reason = "INVALID_FIELD",
                        .metadata = {{"retryable", "false"}, {"row", absl::StrCat(row)}},
                        .violations = {{.field = field, .description = problem}}});
}

}  // namespace

CopyWriter::CopyWriter(std::unique_ptr<RequestStream> stream, v1::CopyInRequest first)
    : stream_(std::move(stream)), request_(std::move(first)) {}

absl::Status CopyWriter::Add(Row row) {
  if (!status_.ok()) return status_;
  ++rows_added_;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    bytes += SizeOf(row[i]);
    const auto* text = row[i].get_if<std::string>();
    const std::string problem = text == nullptr ? "" : TextProblem(*text);
    if (problem.empty()) continue;
    return Fail(RowRefused(rows_added_, absl::StrCat("rows.values[", i, "]"),
                           absl::StrCat("value ", i + 1, " is a text that ", problem)));
  }
  if (bytes > kMostRowBytes) {
    return Fail(RowRefused(rows_added_, "rows", "more than 15 MiB in one row"));
  }
  if (bytes_ + bytes > kMostRowBytes) {
    if (absl::Status sent = Send(); !sent.ok()) return sent;
  }
  v1::Row& wire = *request_.add_rows();
  for (Value& value : row) *wire.add_values() = ToWire(std::move(value));
  bytes_ += bytes;
  return bytes_ < kRequestBytes ? absl::OkStatus() : Send();
}

absl::Status CopyWriter::Flush() {
  if (!status_.ok() || (request_.rows_size() == 0 && !request_.has_start())) return status_;
  return Send();
}

absl::StatusOr<std::int64_t> CopyWriter::Commit() {
  if (!status_.ok()) return status_;
  request_.mutable_end()->set_row_count(rows_added_);
  if (absl::Status sent = Send(); !sent.ok()) return sent;
  auto response = stream_->Finish();
  // What comes now may be lost behind a commit.
  if (!response.ok()) return Fail(WithOutcome(response.status(), Effect::kMayWrite));
  stream_.reset();
  status_ = WithErrorInfo(absl::FailedPreconditionError("the rows were committed already"),
                          {.reason = "COPY_ENDED"});
  return response->row_count();
}

absl::Status CopyWriter::Send() {
  const bool sent = stream_->Write(request_);
  const bool last = request_.has_end();
  // Keeps the memory.
  request_.Clear();
  bytes_ = 0;
  if (sent) return absl::OkStatus();
  // The call has ended before it was told to: its status says why.
  const absl::Status status = stream_->Finish().status();
  if (status.ok()) return Fail(absl::DataLossError("the gateway ended the call before its end"));
  return Fail(last ? WithOutcome(status, Effect::kMayWrite) : status);
}

absl::Status CopyWriter::Fail(absl::Status status) {
  stream_.reset();  // ends the call if it still runs
  status_ = std::move(status);
  return status_;
}

}  // namespace emsdb::client
