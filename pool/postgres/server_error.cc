#include "pool/postgres/server_error.h"

#include <chrono>
#include <cstdlib>
#include <optional>

#include "absl/strings/str_format.h"
#include "pool/postgres/sqlstate.h"
#include "pool/utf8.h"

namespace emsdb {
namespace {

std::string Field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? std::string() : std::string(text);
}

// A row in it may be large, and an error is kept and sent as a whole.
std::string DetailField(const PGresult* result) {
  constexpr std::size_t kLongest = 1024;
  return Shortened(Field(result, PG_DIAG_MESSAGE_DETAIL), kLongest);
}

// Whoever is told that the server is short of something, or away, is told when to come back.
std::optional<Duration> RetryAfter(const SqlstateMeaning& meaning) {
  const bool later = meaning.code == absl::StatusCode::kUnavailable ||
                     meaning.code == absl::StatusCode::kResourceExhausted;
  if (!later || meaning.retry != Retry::kYes) return std::nullopt;
  return std::chrono::milliseconds(100);
}

}  // namespace

std::string SqlstateOf(const PGresult* result) { return Field(result, PG_DIAG_SQLSTATE); }

bool IsFatal(const PGresult* result) {
  const std::string severity = Field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  return severity == "FATAL" || severity == "PANIC";
}

absl::Status StatusOf(const PGresult* result, Stage stage, ServerDetail detail) {
  const std::string sqlstate = SqlstateOf(result);
  const SqlstateMeaning meaning = MeaningOf(sqlstate);
  const std::string message = Field(result, PG_DIAG_MESSAGE_PRIMARY);
  std::string hint = Field(result, PG_DIAG_MESSAGE_HINT);
  if (sqlstate == kInTransaction && hint.empty()) {
    hint = "run it by itself with outside_transaction";  // T21
  }
  return WithDetail(
      absl::Status(meaning.code, message.empty() ? "the server gave no reason" : message),
      {.reason = "SQL_ERROR",
       .sqlstate = sqlstate,
       .constraint = Field(result, PG_DIAG_CONSTRAINT_NAME),
       .schema = Field(result, PG_DIAG_SCHEMA_NAME),
       .table = Field(result, PG_DIAG_TABLE_NAME),
       .column = Field(result, PG_DIAG_COLUMN_NAME),
       .hint = hint,
       .server_detail = detail == ServerDetail::kQuoted ? DetailField(result) : std::string(),
       .position = std::atoi(Field(result, PG_DIAG_STATEMENT_POSITION).c_str()),
       .stage = stage,
       .retry = meaning.retry,
       .retry_after = RetryAfter(meaning)});
}

absl::Status TransactionConnectionLost(std::string_view cause, Stage stage) {
  return WithDetail(
      absl::AbortedError(absl::StrFormat(
          "the transaction's connection was lost, nothing of it was committed: %s", cause)),
      {.reason = "TX_CONNECTION_LOST", .stage = stage, .retry = Retry::kNo});
}

absl::Status ReadConnectionLost(std::string_view cause, Stage stage) {
  return WithDetail(absl::UnavailableError(
                        absl::StrFormat("the connection was lost, nothing was changed: %s", cause)),
                    {.reason = "CONNECTION_LOST", .stage = stage, .retry = Retry::kYes});
}

absl::Status TransactionHasFailed() {
  return WithDetail(
      absl::AbortedError("the transaction has failed before: only rolling back is left"),
      {.reason = "TX_FAILED", .sqlstate = "25P02", .stage = Stage::kRunning, .retry = Retry::kNo});
}

absl::Status TransactionGone() {
  return WithDetail(
      absl::AbortedError("a statement ended its own transaction, the connection was closed"),
      {.reason = "TX_GONE", .stage = Stage::kRunning, .retry = Retry::kNo});
}

absl::Status InDoubt(const absl::Status& status) {
  ErrorDetail detail = DetailOf(status);
  detail.outcome = Outcome::kUnknown;
  detail.retry = Retry::kNo;
  detail.retry_after.reset();
  const bool unavailable = status.code() == absl::StatusCode::kUnavailable;
  const absl::StatusCode code = unavailable ? absl::StatusCode::kUnknown : status.code();
  return WithDetail(absl::Status(code, status.message()), detail);
}

absl::Status PlanChanged(const absl::Status& status) {
  ErrorDetail detail = DetailOf(status);
  detail.reason = "PLAN_CHANGED";
  detail.retry = Retry::kYes;
  return WithDetail(
      absl::AbortedError("a table of the statement was changed while its transaction ran; the "
                         "transaction can only be rolled back, and may be begun again"),
      detail);
}

absl::Status NoTransaction() {
  return WithDetail(absl::FailedPreconditionError("no transaction is open on this connection"),
                    {.reason = "TX_NONE", .stage = Stage::kCommitting, .retry = Retry::kNo});
}

}  // namespace emsdb
