#include "pool/errors.h"

#include <array>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"

namespace emsdb {
namespace {

constexpr char kPrefix[] = "emsdb/";
constexpr char kNeedsWriter[] = "NEEDS_WRITER";
constexpr char kRunAlone[] = "RUN_ALONE";
constexpr char kUnfitForGroup[] = "UNFIT_FOR_GROUP";

struct TextField {
  const char* name;
  std::string ErrorDetail::*member;
};
constexpr std::array kTextFields = {
    TextField{"reason", &ErrorDetail::reason},
    TextField{"sqlstate", &ErrorDetail::sqlstate},
    TextField{"constraint", &ErrorDetail::constraint},
    TextField{"schema", &ErrorDetail::schema},
    TextField{"table", &ErrorDetail::table},
    TextField{"column", &ErrorDetail::column},
    TextField{"hint", &ErrorDetail::hint},
    TextField{"server_detail", &ErrorDetail::server_detail},
    TextField{"field", &ErrorDetail::field},
    TextField{"for_operators", &ErrorDetail::for_operators},
    TextField{"commit_token", &ErrorDetail::commit_token},
};

void Put(absl::Status& status, const char* name, const std::string& text, bool present) {
  const std::string url = absl::StrFormat("%s%s", kPrefix, name);
  if (present) {
    status.SetPayload(url, absl::Cord(text));
  } else {
    status.ErasePayload(url);
  }
}

std::string Get(const absl::Status& status, const char* name) {
  const auto payload = status.GetPayload(absl::StrFormat("%s%s", kPrefix, name));
  return payload ? std::string(*payload) : std::string();
}

void PutNumber(absl::Status& status, const char* name, std::int64_t number, std::int64_t absent) {
  Put(status, name, absl::StrFormat("%d", number), number != absent);
}

std::int64_t GetNumber(const absl::Status& status, const char* name, std::int64_t absent) {
  std::int64_t number = absent;
  return absl::SimpleAtoi(Get(status, name), &number) ? number : absent;
}

absl::Status Make(absl::StatusCode code, const std::string& message, const ErrorDetail& detail) {
  return WithDetail(absl::Status(code, message), detail);
}

}  // namespace

std::string_view StageName(Stage stage) {
  switch (stage) {
    case Stage::kNone:
      return "";
    case Stage::kWaiting:
      return "waiting";
    case Stage::kConnecting:
      return "connecting";
    case Stage::kRunning:
      return "running";
    case Stage::kCommitting:
      return "committing";
  }
  return "";
}

absl::Status WithDetail(absl::Status status, const ErrorDetail& detail) {
  for (const TextField& field : kTextFields) {
    const std::string& text = detail.*field.member;
    Put(status, field.name, text, !text.empty());
  }
  PutNumber(status, "position", detail.position, 0);
  PutNumber(status, "statement", detail.statement, -1);
  PutNumber(status, "row", detail.row, 0);
  PutNumber(status, "stage", static_cast<int>(detail.stage), 0);
  PutNumber(status, "retry", static_cast<int>(detail.retry), 0);
  PutNumber(status, "outcome", static_cast<int>(detail.outcome), 0);
  PutNumber(status, "attempts", detail.attempts, 0);
  PutNumber(status, "retry_after_ns", detail.retry_after ? detail.retry_after->count() : -1, -1);
  return status;
}

ErrorDetail DetailOf(const absl::Status& status) {
  ErrorDetail detail;
  if (status.ok()) return detail;
  for (const TextField& field : kTextFields) detail.*field.member = Get(status, field.name);
  detail.position = static_cast<int>(GetNumber(status, "position", 0));
  detail.statement = static_cast<int>(GetNumber(status, "statement", -1));
  detail.row = GetNumber(status, "row", 0);
  detail.stage = static_cast<Stage>(GetNumber(status, "stage", 0));
  detail.retry = static_cast<Retry>(GetNumber(status, "retry", 0));
  detail.outcome = static_cast<Outcome>(GetNumber(status, "outcome", 0));
  detail.attempts = static_cast<int>(GetNumber(status, "attempts", 0));
  const std::int64_t after = GetNumber(status, "retry_after_ns", -1);
  if (after >= 0) detail.retry_after = Duration(after);
  return detail;
}

std::string OperatorText(const absl::Status& status) {
  const std::string text = Get(status, "for_operators");
  return text.empty() ? std::string(status.message()) : text;
}

absl::Status AtStage(absl::Status status, Stage stage) {
  if (!status.ok() && GetNumber(status, "stage", 0) == 0) {
    PutNumber(status, "stage", static_cast<int>(stage), 0);
  }
  return status;
}

absl::Status WithCommitToken(absl::Status status, const std::string& token) {
  if (!status.ok()) Put(status, "commit_token", token, !token.empty());
  return status;
}

absl::Status AfterAttempts(absl::Status status, int attempts) {
  if (!status.ok()) PutNumber(status, "attempts", attempts, 0);
  return status;
}

absl::Status AtStatement(absl::Status status, int index) {
  if (!status.ok()) PutNumber(status, "statement", index, -1);
  return status;
}

absl::Status AtRow(absl::Status status, std::int64_t row) {
  if (!status.ok()) PutNumber(status, "row", row, 0);
  return status;
}

absl::Status InvalidField(std::string_view field, std::string_view problem) {
  return Make(absl::StatusCode::kInvalidArgument, absl::StrFormat("%s: %s", field, problem),
              {.reason = "INVALID_FIELD", .field = std::string(field), .retry = Retry::kNo});
}

absl::Status DeadlineExceeded(Stage stage) {
  return Make(absl::StatusCode::kDeadlineExceeded,
              absl::StrFormat("the deadline passed while %s", StageName(stage)),
              {.reason = "DEADLINE", .stage = stage});
}

absl::Status Stopped(StopReason reason, Stage stage) {
  switch (reason) {
    case StopReason::kExpired:
      return Make(absl::StatusCode::kAborted, "the transaction's total time is over",
                  {.reason = "TX_EXPIRED", .stage = stage, .retry = Retry::kNo});
    case StopReason::kShutdown:
      return Make(absl::StatusCode::kUnavailable, "the gateway is shutting down",
                  {.reason = "SHUTDOWN", .stage = stage});
    case StopReason::kNone:
    case StopReason::kCallerLeft:
      break;
  }
  return Make(absl::StatusCode::kCancelled, "the caller left",
              {.reason = "CALLER_LEFT", .stage = stage});
}

absl::Status OutcomeUnknown(std::string_view cause, Stage stage) {
  const bool committing = stage == Stage::kCommitting;
  return Make(absl::StatusCode::kUnknown,
              absl::StrFormat("the connection was lost %s, whose outcome is not known: %s",
                              committing ? "during a commit" : "while a statement ran", cause),
              {.reason = committing ? "COMMIT_IN_DOUBT" : "OUTCOME_UNKNOWN",
               .stage = stage,
               .retry = Retry::kNo,
               .outcome = Outcome::kUnknown});
}

absl::Status ConnectionUnavailable(std::string_view cause, Stage stage) {
  return ConnectionUnavailable(cause, stage, "");
}

absl::Status ConnectionUnavailable(std::string_view cause, Stage stage,
                                   std::string_view for_operators) {
  return Make(absl::StatusCode::kUnavailable, std::string(cause),
              {.reason = "CONNECTION_UNAVAILABLE",
               .stage = stage,
               .retry = Retry::kYes,
               .retry_after = std::chrono::milliseconds(500),
               .for_operators = std::string(for_operators)});
}

absl::Status SessionNotReset(std::string_view cause) {
  return WithDetail(
      absl::UnavailableError(absl::StrFormat(
          "the database session could not be reset before its use: %s; nothing was run", cause)),
      {.reason = "SESSION_NOT_RESET", .stage = Stage::kRunning, .retry = Retry::kYes});
}

absl::Status CommitRolledBack() {
  return Make(absl::StatusCode::kAborted,
              "the transaction was rolled back: a statement in it had failed",
              {.reason = "TX_ROLLED_BACK", .stage = Stage::kCommitting, .retry = Retry::kNo});
}

absl::Status OutcomeElsewhere() {
  return Make(absl::StatusCode::kFailedPrecondition,
              "the commit was made in another database server than the one that serves here",
              {.reason = "OUTCOME_ELSEWHERE", .retry = Retry::kNo});
}

absl::Status OutcomeForgotten(std::string_view why) {
  return Make(absl::StatusCode::kNotFound,
              absl::StrFormat("what became of this commit cannot be told: %s", why),
              {.reason = "OUTCOME_FORGOTTEN", .retry = Retry::kNo});
}

absl::Status CommitFoundRolledBack() {
  return Make(absl::StatusCode::kAborted,
              "the connection was lost during the commit, and the database has rolled it back: "
              "nothing of it took effect",
              {.reason = "COMMIT_ROLLED_BACK", .stage = Stage::kCommitting, .retry = Retry::kYes});
}

absl::Status RowsMismatch(int statement, std::int64_t expected, std::int64_t actual) {
  return Make(absl::StatusCode::kFailedPrecondition,
              absl::StrFormat("statements[%d]: expected %d rows, found %d; nothing was changed",
                              statement, expected, actual),
              {.reason = "ROWS_MISMATCH",
               .statement = statement,
               .stage = Stage::kRunning,
               .retry = Retry::kNo});
}

absl::Status RowsMismatch(std::int64_t expected, std::int64_t actual) {
  return Make(
      absl::StatusCode::kFailedPrecondition,
      absl::StrFormat("expected %d rows, found %d: the transaction can only be rolled back, "
                      "wholly or to a savepoint",
                      expected, actual),
      {.reason = "ROWS_MISMATCH", .stage = Stage::kRunning, .retry = Retry::kNo});
}

absl::Status FailedEarlier() {
  return Make(
      absl::StatusCode::kAborted,
      "a statement of the transaction has failed before: it can only be rolled back, wholly "
      "or to a savepoint",
      {.reason = "TX_FAILED", .stage = Stage::kRunning, .retry = Retry::kNo});
}

absl::Status ResultTooLarge(std::string_view limit, std::string_view advice) {
  return Make(absl::StatusCode::kResourceExhausted,
              absl::StrFormat("the result has more than %s: %s", limit, advice),
              {.reason = "RESULT_TOO_LARGE", .stage = Stage::kRunning, .retry = Retry::kNo});
}

absl::Status ResultMemoryUsedUp(std::int64_t mebibytes) {
  return Make(absl::StatusCode::kResourceExhausted,
              absl::StrFormat("the results of all calls together have used up their %d MiB "
                              "(EMSDB_RESULT_MEMORY); nothing was changed",
                              mebibytes),
              {.reason = "RESULT_MEMORY",
               .stage = Stage::kRunning,
               .retry = Retry::kYes,
               .retry_after = std::chrono::milliseconds(200)});
}

absl::Status SlowReader(Duration waited) {
  return Make(absl::StatusCode::kResourceExhausted,
              absl::StrFormat("the caller did not read for %.1f s; the rows before this are not "
                              "the whole result",
                              std::chrono::duration<double>(waited).count()),
              {.reason = "SLOW_READER", .stage = Stage::kRunning, .retry = Retry::kNo});
}

absl::Status SlowWriter(Duration waited) {
  return Make(absl::StatusCode::kResourceExhausted,
              absl::StrFormat("the caller sent nothing for %.1f s; nothing was written",
                              std::chrono::duration<double>(waited).count()),
              {.reason = "SLOW_WRITER", .stage = Stage::kRunning, .retry = Retry::kNo});
}

absl::Status TransactionControlRefused(std::string_view keyword) {
  return Make(absl::StatusCode::kInvalidArgument,
              absl::StrFormat("statement.sql: %s is transaction control, which has RPCs of its own "
                              "(BeginTransaction, CommitTransaction, RollbackTransaction, "
                              "ExecuteBatch); nothing was run",
                              keyword),
              {.reason = "TRANSACTION_CONTROL", .field = "statement.sql", .retry = Retry::kNo});
}

absl::Status NeedsWriter() {
  return Make(absl::StatusCode::kFailedPrecondition, "the statement writes",
              {.reason = kNeedsWriter});
}

bool IsNeedsWriter(const absl::Status& status) {
  return status.code() == absl::StatusCode::kFailedPrecondition &&
         Get(status, "reason") == kNeedsWriter;
}

absl::Status RunAlone() {
  return Make(absl::StatusCode::kFailedPrecondition, "the read did not fit into a group",
              {.reason = kRunAlone});
}

absl::Status UnfitForGroup() {
  return Make(absl::StatusCode::kFailedPrecondition, "the read met its bounds in a group",
              {.reason = kUnfitForGroup});
}

bool IsUnfitForGroup(const absl::Status& status) {
  return status.code() == absl::StatusCode::kFailedPrecondition &&
         Get(status, "reason") == kUnfitForGroup;
}

bool IsRunAlone(const absl::Status& status) {
  if (status.code() != absl::StatusCode::kFailedPrecondition) return false;
  return Get(status, "reason") == kRunAlone || IsUnfitForGroup(status);
}

}  // namespace emsdb
