#include "pool/sqlite/result_code.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "absl/strings/str_format.h"
#include "pool/sqlite/text.h"

namespace emsdb::sqlite {
namespace {

using enum absl::StatusCode;

#define EMSDB_CODE(name) name, #name
// A code that may be had again a moment later has Retry::kYes: SQLite has then done nothing.
constexpr std::array kMeanings = {
    Meaning{EMSDB_CODE(SQLITE_ERROR), kInvalidArgument},
    Meaning{EMSDB_CODE(SQLITE_INTERNAL), kInternal, Retry::kNo, Damage::kConnection},
    Meaning{EMSDB_CODE(SQLITE_PERM), kUnavailable, Retry::kNo, Damage::kConnection},
    Meaning{EMSDB_CODE(SQLITE_ABORT), kAborted, Retry::kYes},
    // Another process holds the lock.
    Meaning{EMSDB_CODE(SQLITE_BUSY), kUnavailable, Retry::kYes},
    // Someone else wrote since this transaction began to read (T69).
    Meaning{EMSDB_CODE(SQLITE_BUSY_SNAPSHOT), kAborted, Retry::kYes},
    Meaning{EMSDB_CODE(SQLITE_LOCKED), kAborted, Retry::kYes},
    Meaning{EMSDB_CODE(SQLITE_NOMEM), kResourceExhausted},
    Meaning{EMSDB_CODE(SQLITE_READONLY), kFailedPrecondition},
    Meaning{EMSDB_CODE(SQLITE_READONLY_DBMOVED), kUnavailable, Retry::kYes, Damage::kConnection},
    Meaning{EMSDB_CODE(SQLITE_INTERRUPT), kCancelled},
    Meaning{EMSDB_CODE(SQLITE_IOERR), kInternal, Retry::kNo, Damage::kConnection},
    Meaning{EMSDB_CODE(SQLITE_IOERR_NOMEM), kResourceExhausted},
    Meaning{EMSDB_CODE(SQLITE_CORRUPT), kDataLoss, Retry::kNo, Damage::kConnection},
    Meaning{EMSDB_CODE(SQLITE_NOTFOUND), kInternal},
    Meaning{EMSDB_CODE(SQLITE_FULL), kResourceExhausted},
    Meaning{EMSDB_CODE(SQLITE_CANTOPEN), kUnavailable, Retry::kYes, Damage::kConnection},
    Meaning{EMSDB_CODE(SQLITE_PROTOCOL), kUnavailable, Retry::kYes},
    Meaning{EMSDB_CODE(SQLITE_SCHEMA), kAborted, Retry::kYes},
    Meaning{EMSDB_CODE(SQLITE_TOOBIG), kInvalidArgument},
    Meaning{EMSDB_CODE(SQLITE_CONSTRAINT), kFailedPrecondition},
    Meaning{EMSDB_CODE(SQLITE_CONSTRAINT_CHECK), kFailedPrecondition},
    Meaning{EMSDB_CODE(SQLITE_CONSTRAINT_DATATYPE), kInvalidArgument},
    Meaning{EMSDB_CODE(SQLITE_CONSTRAINT_FOREIGNKEY), kFailedPrecondition},
    Meaning{EMSDB_CODE(SQLITE_CONSTRAINT_NOTNULL), kFailedPrecondition},
    Meaning{EMSDB_CODE(SQLITE_CONSTRAINT_PRIMARYKEY), kAlreadyExists},
    Meaning{EMSDB_CODE(SQLITE_CONSTRAINT_ROWID), kAlreadyExists},
    Meaning{EMSDB_CODE(SQLITE_CONSTRAINT_TRIGGER), kFailedPrecondition},
    Meaning{EMSDB_CODE(SQLITE_CONSTRAINT_UNIQUE), kAlreadyExists},
    Meaning{EMSDB_CODE(SQLITE_MISMATCH), kInvalidArgument},
    Meaning{EMSDB_CODE(SQLITE_MISUSE), kInternal, Retry::kNo, Damage::kConnection},
    Meaning{EMSDB_CODE(SQLITE_NOLFS), kResourceExhausted},
    Meaning{EMSDB_CODE(SQLITE_AUTH), kPermissionDenied},
    Meaning{EMSDB_CODE(SQLITE_RANGE), kInvalidArgument},
    Meaning{EMSDB_CODE(SQLITE_NOTADB), kDataLoss, Retry::kNo, Damage::kConnection},
};
#undef EMSDB_CODE
constexpr Meaning kUnknownCode = {-1, "an unknown result code", kInternal, Retry::kNo,
                                  Damage::kConnection};

const Meaning* Find(int result_code) {
  const auto* found = std::find_if(kMeanings.begin(), kMeanings.end(), [&](const Meaning& meaning) {
    return meaning.result_code == result_code;
  });
  return found == kMeanings.end() ? nullptr : found;
}

int Primary(int result_code) { return result_code & 0xFF; }

// Cuts `prefix` off the front of `text`, if it is there.
bool Strip(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool IsName(std::string_view token) {
  return !token.empty() &&
         std::all_of(token.begin(), token.end(),
                     [](unsigned char c) {
                       return std::isalpha(c) != 0 || c == '_' || std::ispunct(c) != 0;
                     }) &&
         token.find('\'') == std::string_view::npos && token.find('"') == std::string_view::npos;
}

// While preparing, a message may quote a piece of the statement, which may be a literal.
std::string WithoutLiterals(std::string_view message) {
  if (message.starts_with("unrecognized token")) return "unrecognized token";
  if (message.starts_with("hex literal too big")) return "hex literal too big";
  std::string_view rest = message;
  if (Strip(rest, "near \"")) {
    const std::string_view token = rest.substr(0, rest.rfind("\": "));
    if (!IsName(token)) return "syntax error";
  }
  return std::string(message);
}

// While running, a message may quote a value: a search expression, a JSON path. What follows the
// first sign of a quotation is left out.
std::string WithoutValues(std::string_view message) {
  std::string kept;
  for (const std::string_view owner : {"fts5: ", "fts3: "}) {
    if (Strip(message, owner)) kept = owner;
  }
  std::string_view rest = message.substr(0, message.find_first_of("'\"[:"));
  const std::size_t near = rest.rfind(" near ");
  if (near != std::string_view::npos) rest = rest.substr(0, near);
  while (!rest.empty() && rest.back() == ' ') rest.remove_suffix(1);
  kept += rest;
  return kept;
}

std::string Shown(const SqlError& error, Phase phase) {
  // Constraints are reported in the schema's words, never in those of a value.
  if (Primary(error.result_code) != SQLITE_ERROR) return error.message;
  return phase == Phase::kPreparing ? WithoutLiterals(error.message) : WithoutValues(error.message);
}

// "units.id, units.name" -> table "units", column "id, name".
void ReadColumns(std::string_view list, ErrorDetail& detail) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(", "), list.size());
    const std::string_view item = list.substr(0, end);
    list.remove_prefix(std::min(end + 2, list.size()));
    const std::size_t dot = item.rfind('.');
    if (dot == std::string_view::npos) continue;
    detail.table = item.substr(0, dot);
    if (!detail.column.empty()) detail.column += ", ";
    detail.column += item.substr(dot + 1);
  }
}

void ReadConstraint(std::string_view message, ErrorDetail& detail) {
  if (Strip(message, "UNIQUE constraint failed: index '")) {
    detail.constraint = message.substr(0, message.rfind('\''));
  } else if (Strip(message, "UNIQUE constraint failed: ") ||
             Strip(message, "NOT NULL constraint failed: ")) {
    ReadColumns(message, detail);
  } else if (Strip(message, "CHECK constraint failed: ")) {
    detail.constraint = message;
  } else if (const std::size_t column = message.rfind(" column ");
             message.starts_with("cannot store ") && column != std::string_view::npos) {
    ReadColumns(message.substr(column + 8), detail);
  }
}

// Only of a message that Shown() let through.
void ReadNames(std::string_view message, ErrorDetail& detail) {
  const std::string_view whole = message;
  constexpr std::string_view kHasNoColumn = " has no column named ";
  if (Strip(message, "no such table: ")) {
    detail.table = message;
  } else if (Strip(message, "no such column: ")) {
    detail.column = message;
  } else if (const std::size_t at = whole.find(kHasNoColumn);
             whole.starts_with("table ") && at != std::string_view::npos) {
    detail.table = whole.substr(6, at - 6);
    detail.column = whole.substr(at + kHasNoColumn.size());
  }
}

// A connection that has not read the schema yet reports SQLITE_SCHEMA for a wrong name in a
// statement without tables (SQLite 3.40), however often it is tried. The message tells them apart.
int TrueCode(const SqlError& error, Phase phase) {
  const bool wrong_name = phase == Phase::kPreparing && error.result_code == SQLITE_SCHEMA &&
                          error.message != sqlite3_errstr(SQLITE_SCHEMA);
  return wrong_name ? SQLITE_ERROR : error.result_code;
}

std::optional<Duration> RetryAfter(const Meaning& meaning) {
  if (meaning.code != kUnavailable || meaning.retry != Retry::kYes) return std::nullopt;
  return std::chrono::milliseconds(100);
}

}  // namespace

const Meaning& MeaningOf(int result_code) {
  if (const Meaning* meaning = Find(result_code)) return *meaning;
  if (const Meaning* meaning = Find(Primary(result_code))) return *meaning;
  return kUnknownCode;
}

absl::Status ToStatus(const SqlError& reported, Phase phase, std::string_view sql) {
  SqlError error = reported;
  error.result_code = TrueCode(reported, phase);
  const Meaning& meaning = MeaningOf(error.result_code);
  const std::string message = Shown(error, phase);
  ErrorDetail detail = {
      .reason = "SQL_ERROR", .retry = meaning.retry, .retry_after = RetryAfter(meaning)};
  absl::StatusCode code = meaning.code;
  if (Primary(error.result_code) == SQLITE_CONSTRAINT) ReadConstraint(message, detail);
  if (Primary(error.result_code) == SQLITE_ERROR) {
    ReadNames(message, detail);
    if (message.starts_with("no such table")) code = kNotFound;
  }
  if (error.offset >= 0) {
    detail.position = CharacterPosition(sql, static_cast<std::size_t>(error.offset));
  }
  return WithDetail(absl::Status(code, absl::StrFormat("%s (%s)", message, meaning.name)), detail);
}

}  // namespace emsdb::sqlite
