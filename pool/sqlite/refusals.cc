#include "pool/sqlite/refusals.h"

#include <string>

#include "absl/strings/str_format.h"
#include "pool/errors.h"

namespace emsdb::sqlite {

absl::Status ReadOnlyRefused() {
  return WithDetail(absl::FailedPreconditionError(
                        "the statement writes, in a read-only statement or transaction"),
                    {.reason = "READ_ONLY", .stage = Stage::kRunning, .retry = Retry::kNo});
}

absl::Status TransactionFailed() {
  return WithDetail(absl::AbortedError("the transaction has failed before: only rolling it back is "
                                       "left, and nothing of it will take effect"),
                    {.reason = "TX_FAILED", .stage = Stage::kRunning, .retry = Retry::kNo});
}

absl::Status EndingItsTransaction(const absl::Status& status) {
  ErrorDetail detail = DetailOf(status);
  if (detail.retry != Retry::kYes) return status;
  detail.retry = Retry::kNo;
  detail.retry_after.reset();
  return WithDetail(absl::AbortedError(status.message()), detail);
}

absl::Status NotAllowed(std::string_view what, std::string_view why) {
  return WithDetail(absl::PermissionDeniedError(absl::StrFormat("%s is refused: %s", what, why)),
                    {.reason = "NOT_ALLOWED", .field = "statement.sql", .retry = Retry::kNo});
}

absl::Status StoredTextRefused(std::string_view column, std::int64_t row,
                               std::string_view problem) {
  return WithDetail(absl::FailedPreconditionError(absl::StrFormat(
                        "row %d: the stored text in column \"%s\" %s", row, column, problem)),
                    {.reason = "TEXT_NOT_UTF8",
                     .column = std::string(column),
                     .hint = "CAST(... AS BLOB) returns its bytes",
                     .stage = Stage::kRunning,
                     .retry = Retry::kNo});
}

}  // namespace emsdb::sqlite
