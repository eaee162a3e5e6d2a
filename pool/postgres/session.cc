#include "pool/postgres/session.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <span>

#include "absl/strings/str_format.h"

namespace emsdb {
namespace {

// Qualified, so that no search_path leads elsewhere. set_config(..., true) is SET LOCAL with
// parameters: nothing of it outlives the transaction (T7, T40, T41).
constexpr char kReadWriteName[] = "emsdb_settings";
constexpr char kReadOnlyName[] = "emsdb_settings_read_only";
// The prepared ones return nothing: neither columns nor rows for anybody to write, send and read.
constexpr char kPreparedReadWriteSql[] =
    "SELECT WHERE pg_catalog.set_config('statement_timeout', $1, true) OPERATOR(pg_catalog.||) "
    "pg_catalog.set_config('application_name', $2, true) IS NULL";
constexpr char kPreparedReadOnlySql[] =
    "SELECT WHERE pg_catalog.set_config('statement_timeout', $1, true) OPERATOR(pg_catalog.||) "
    "pg_catalog.set_config('application_name', $2, true) OPERATOR(pg_catalog.||) "
    "pg_catalog.set_config('transaction_read_only', 'on', true) IS NULL";
constexpr char kReadWriteSql[] =
    "SELECT pg_catalog.set_config('statement_timeout', $1, true), "
    "pg_catalog.set_config('application_name', $2, true)";
constexpr char kReadOnlySql[] =
    "SELECT pg_catalog.set_config('statement_timeout', $1, true), "
    "pg_catalog.set_config('application_name', $2, true), "
    "pg_catalog.set_config('transaction_read_only', 'on', true)";
// No number if the mark is another one.
constexpr char kCheckMark[] =
    ", CAST(CASE WHEN pg_catalog.current_setting('emsdb.reset', true) OPERATOR(pg_catalog.=) $3 "
    "THEN '0' ELSE 'the session was not reset' END AS pg_catalog.int4)";

constexpr std::array kReported = {"DateStyle",
                                  "IntervalStyle",
                                  "TimeZone",
                                  "client_encoding",
                                  "standard_conforming_strings",
                                  "session_authorization",
                                  "is_superuser",
                                  "default_transaction_read_only",
                                  "application_name"};
constexpr std::array kLiterals = {"DateStyle", "IntervalStyle", "TimeZone"};

std::string_view ValueOf(const PGconn* handle, const char* name) {
  const char* value = PQparameterStatus(handle, name);
  return value == nullptr ? "" : value;
}

std::string Reported(const PGconn* handle, std::span<const char* const> names) {
  std::string settings;
  for (const char* name : names) {
    settings += ValueOf(handle, name);
    settings += '\n';
  }
  return settings;
}

// Whether Reported would say the same, which is asked after each statement.
bool IsReported(std::string_view settings, const PGconn* handle,
                std::span<const char* const> names) {
  for (const char* name : names) {
    const std::string_view value = ValueOf(handle, name);
    if (!settings.starts_with(value)) return false;
    settings.remove_prefix(value.size());
    if (!settings.starts_with('\n')) return false;
    settings.remove_prefix(1);
  }
  return settings.empty();
}

const char* IsolationText(Isolation isolation) {
  switch (isolation) {
    case Isolation::kDefault:
      return "";
    case Isolation::kReadCommitted:
      return " ISOLATION LEVEL READ COMMITTED";
    case Isolation::kRepeatableRead:
      return " ISOLATION LEVEL REPEATABLE READ";
    case Isolation::kSerializable:
      return " ISOLATION LEVEL SERIALIZABLE";
  }
  return "";
}

}  // namespace

std::string StatementTimeout(Instant now, Instant deadline) {
  if (deadline == kNever) return "0";
  constexpr std::int64_t kMost = 2147483647;  // of the setting
  const std::int64_t left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
  return std::to_string(std::clamp<std::int64_t>(left, 1, kMost));
}

std::string ApplicationName(std::string_view identity, const std::string& fallback) {
  if (identity.empty()) return fallback;
  std::string name(identity.substr(0, 63));
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return name;
}

std::string ReportedSettings(const PGconn* handle) { return Reported(handle, kReported); }

bool ReportsAsIn(const std::string& settings, const PGconn* handle) {
  return IsReported(settings, handle, kReported);
}

std::string LiteralSettings(const PGconn* handle) { return Reported(handle, kLiterals); }

bool ReadsLiteralsAsIn(const std::string& settings, const PGconn* handle) {
  return IsReported(settings, handle, kLiterals);
}

// READ WRITE is never said: it would undo default_transaction_read_only of a role or a database.
std::string BeginText(const TransactionOptions& options) {
  return absl::StrFormat("BEGIN%s%s%s", IsolationText(options.isolation),
                         options.access == Access::kReadOnly ? " READ ONLY" : "",
                         options.deferrable ? " DEFERRABLE" : "");
}

bool QueuePreparedSettings(PGconn* handle) {
  return PQsendPrepare(handle, kReadWriteName, kPreparedReadWriteSql, 0, nullptr) == 1 &&
         PQsendPrepare(handle, kReadOnlyName, kPreparedReadOnlySql, 0, nullptr) == 1;
}

bool QueueTypeQuestion(PGconn* handle) {
  constexpr char kOwnTypes[] =
      "SELECT t.oid, t.typname FROM pg_catalog.pg_type t "
      "LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typcategory = 'A' "
      "WHERE t.oid >= 16384 AND t.typtype IN ('b', 'd', 'e', 'm', 'r') "
      "AND (e.oid IS NULL OR e.typtype <> 'c') LIMIT 9000";
  return PQsendQueryParams(handle, kOwnTypes, 0, nullptr, nullptr, nullptr, nullptr, 0) == 1;
}

bool QueueTransactionSettings(PGconn* handle, const TransactionSettings& settings,
                              SettingsForm form) {
  const bool read_only = settings.access == Access::kReadOnly;
  const std::array<const char*, 3> values = {settings.statement_timeout.c_str(),
                                             settings.application_name.c_str(),
                                             settings.reset_mark.c_str()};
  if (form == SettingsForm::kPrepared) {
    const char* name = read_only ? kReadOnlyName : kReadWriteName;
    return PQsendQueryPrepared(handle, name, 2, values.data(), nullptr, nullptr, 0) == 1;
  }
  std::string sql = read_only ? kReadOnlySql : kReadWriteSql;
  if (!settings.reset_mark.empty()) sql += kCheckMark;
  return PQsendQueryParams(handle, sql.c_str(), settings.reset_mark.empty() ? 2 : 3, nullptr,
                           values.data(), nullptr, nullptr, 0) == 1;
}

bool QueueSessionSettings(PGconn* handle, const TransactionSettings& settings) {
  constexpr char kSql[] =
      "SELECT pg_catalog.set_config('statement_timeout', $1, false), "
      "pg_catalog.set_config('application_name', $2, false)";
  const std::array<const char*, 2> values = {settings.statement_timeout.c_str(),
                                             settings.application_name.c_str()};
  return PQsendQueryParams(handle, kSql, 2, nullptr, values.data(), nullptr, nullptr, 0) == 1;
}

bool QueueSessionSettingsReset(PGconn* handle) {
  for (const char* sql : {"RESET statement_timeout", "RESET application_name"}) {
    if (PQsendQueryParams(handle, sql, 0, nullptr, nullptr, nullptr, nullptr, 0) != 1) return false;
  }
  return true;
}

}  // namespace emsdb
