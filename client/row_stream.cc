#include "client/row_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/convert.h"
#include "client/error_info.h"

namespace emsdb::client {
namespace {

absl::Status Incomplete(const std::string& what, Effect effect) {
  ErrorInfo info{.reason = kIncompleteStream};
  if (effect == Effect::kMayWrite) info.metadata["outcome"] = "unknown";
  return WithErrorInfo(absl::DataLossError(what), info);
}

}  // namespace

RowStream::RowStream(std::unique_ptr<ResponseStream> stream, v1::StreamQueryResponse first,
                     Effect effect)
    : stream_(std::move(stream)),
      message_(std::move(first)),
      effect_(effect),
      columns_(FromWire(std::move(*message_.mutable_columns()))) {}

absl::StatusOr<bool> RowStream::Next(Row& row) {
  if (!status_.ok()) return status_;
  while (next_in_message_ == message_.rows_size()) {
    if (completion_.has_value()) return false;
    if (absl::Status status = ReadOn(); !status.ok()) return Fail(std::move(status));
  }
  v1::Row& wire = *message_.mutable_rows(next_in_message_++);
  if (absl::Status status = FromWire(std::move(wire), columns_.size(), row); !status.ok()) {
    return Fail(std::move(status));
  }
  ++rows_seen_;
  return true;
}

// All rows of the message were taken: the next message, or the end.
absl::Status RowStream::ReadOn() {
  if (message_.has_complete()) return CheckEnd();
  next_in_message_ = 0;
  if (stream_->Read(message_)) return absl::OkStatus();
  message_.Clear();
  absl::Status status = stream_->Finish();
  if (!status.ok()) return status;
  return Incomplete(absl::StrCat("the stream ended after ", rows_seen_,
                                 " rows without saying that "
                                 "it was complete"),
                    effect_);
}

// `complete` counts only with the status of the call behind it.
absl::Status RowStream::CheckEnd() {
  const v1::StreamComplete& complete = message_.complete();
  v1::StreamQueryResponse beyond;
  if (stream_->Read(beyond)) return Incomplete("the stream went on behind its end", effect_);
  if (absl::Status status = stream_->Finish(); !status.ok()) return status;
  if (complete.row_count() != rows_seen_) {
    return Incomplete(
        absl::StrCat("the stream had ", rows_seen_, " rows, but said ", complete.row_count()),
        effect_);
  }
  completion_ = Completion{.row_count = complete.row_count(),
                           .rows_affected = complete.rows_affected(),
                           .command = complete.command()};
  return absl::OkStatus();
}

absl::Status RowStream::Fail(absl::Status status) {
  stream_.reset();  // ends the call if it still runs
  status_ = WithOutcome(std::move(status), effect_);
  return status_;
}

absl::StatusOr<RowStream> OpenRowStream(Transport& transport, const CallContext& context,
                                        const v1::StreamQueryRequest& request, Effect effect) {
  auto stream = transport.StreamQuery(context, request);
  if (!stream.ok()) return stream.status();
  v1::StreamQueryResponse first;
  if ((*stream)->Read(first)) return RowStream(*std::move(stream), std::move(first), effect);
  if (absl::Status status = (*stream)->Finish(); !status.ok()) return status;
  return Incomplete("the stream ended without a message", effect);
}

}  // namespace emsdb::client
