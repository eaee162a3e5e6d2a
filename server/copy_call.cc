#include "server/copy_call.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "server/convert.h"

namespace emsdb {

CopyCall::CopyCall(Gateway& gateway, CallBasics basics, CopyReactor& reactor,
                   v1::CopyInRequest& first, v1::CopyInResponse& response)
    : RpcCall(gateway, std::move(basics)), reactor_(reactor), response_(response) {
  request_.Swap(&first);
  v1::CopyInStart& start = *request_.mutable_start();
  target_.schema = std::move(*start.mutable_schema());
  target_.table = std::move(*start.mutable_table());
  target_.columns.assign(start.columns().begin(), start.columns().end());
  if (request_.has_end()) rows_promised_ = request_.end().row_count();
}

absl::Status CopyCall::Run(Connection& connection, const Bounds& bounds, Lease&) {
  bounds_ = bounds;
  TokenWitness witness(basics().database, reactor_);
  RunOptions options = run_options(Access::kReadWrite);
  options.witness = &witness;
  const auto rows = connection.CopyIn(target_, options, bounds, *this);
  if (!rows.ok()) return witness.Marked(rows.status());
  response_.set_row_count(*rows);
  return absl::OkStatus();
}

void CopyCall::Finish(absl::Status status, const CallTimes& times) {
  Report(status, times);
  if (!status.ok()) response_.Clear();
  reactor_.End(ToRpcStatus(status, times.waiting + times.running));
}

absl::StatusOr<RowSource::Supply> CopyCall::Next(std::span<const Cell>& cells) {
  while (next_ == request_.rows_size()) {
    const auto taken = reactor_.Take(request_, bounds_);
    if (!taken.ok()) return taken.status();
    absl::Status fit;
    switch (*taken) {
      case CopyReactor::Taken::kNothingYet:
        return Supply::kNothingYet;
      case CopyReactor::Taken::kEnd:
        fit = CheckEnd();
        if (!fit.ok()) return fit;
        return Supply::kEnd;
      case CopyReactor::Taken::kRequest:
        fit = CheckRequest();
        if (!fit.ok()) return fit;
        break;
    }
    next_ = 0;
    if (request_.has_end()) rows_promised_ = request_.end().row_count();
  }
  ++rows_given_;
  const std::optional<int> unset = ToCells(request_.rows(next_++), cells_);
  if (!unset) {
    cells = cells_;
    return Supply::kRow;
  }
  return AtRow(InvalidField(absl::StrFormat("%s.values[%d]", RowField(), *unset),
                            "the value is not set; NULL is said by null_value"),
               rows_given_);
}

std::string CopyCall::RowField() const { return absl::StrFormat("rows[%d]", next_ - 1); }

absl::Status CopyCall::CheckRequest() const {
  if (request_.has_start()) return InvalidField("start", "only the first request has it");
  if (rows_promised_) return InvalidField("end", "a request came behind the one that had it");
  return absl::OkStatus();
}

// To gRPC the end of a stream that broke, or whose next message could not be read, looks like any
// other: only the caller's own word shows that nothing is missing.
absl::Status CopyCall::CheckEnd() const {
  if (!rows_promised_) {
    return InvalidField("end", absl::StrFormat("the stream ended without it after %d rows, and may "
                                               "have been cut short; nothing was written",
                                               rows_given_));
  }
  if (*rows_promised_ == rows_given_) return absl::OkStatus();
  return InvalidField("end.row_count", absl::StrFormat("%d, but %d rows came; nothing was written",
                                                       *rows_promised_, rows_given_));
}

}  // namespace emsdb
