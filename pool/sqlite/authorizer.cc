#include "pool/sqlite/authorizer.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "pool/sqlite/refusals.h"

namespace emsdb::sqlite {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

template <std::size_t N>
bool Contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Those that describe the schema or check the data, with or without an argument.
constexpr std::array<std::string_view, 15> kReadingPragmas = {
    "collation_list", "compile_options", "foreign_key_check", "foreign_key_list", "function_list",
    "index_info",     "index_list",      "index_xinfo",       "integrity_check",  "module_list",
    "pragma_list",    "quick_check",     "table_info",        "table_list",       "table_xinfo"};
// Those that read without an argument, and write with one.
constexpr std::array<std::string_view, 11> kPragmasWithoutArgument = {
    "application_id", "data_version",   "encoding",    "foreign_keys",
    "freelist_count", "journal_mode",   "page_count",  "page_size",
    "synchronous",    "schema_version", "user_version"};

absl::Status JudgePragma(std::string_view given, std::string_view argument) {
  const std::string name = Lower(given);
  if (Contains(kReadingPragmas, name)) return absl::OkStatus();
  if (argument.empty() && Contains(kPragmasWithoutArgument, name)) return absl::OkStatus();
  return NotAllowed(absl::StrFormat("PRAGMA %s", name),
                    "only PRAGMAs that read are allowed, such as table_info");
}

absl::Status JudgeFunction(std::string_view name) {
  if (Lower(name) != "load_extension") return absl::OkStatus();
  return NotAllowed("load_extension", "extensions run code in the gateway");
}

std::string_view OrEmpty(const char* text) { return text == nullptr ? "" : text; }

}  // namespace

void Authorizer::Install(sqlite3* database) {
  sqlite3_set_authorizer(database, &Authorizer::OnAction, this);
}

// C calls this: nothing may be thrown out of it, and nothing here throws but for want of memory.
int Authorizer::OnAction(void* self, int action, const char* first, const char* second,
                         const char* database, const char* /*trigger*/) {
  auto& authorizer = *static_cast<Authorizer*>(self);
  if (authorizer.bypassed_) return SQLITE_OK;
  absl::Status verdict =
      authorizer.Judge(action, OrEmpty(first), OrEmpty(second), OrEmpty(database));
  if (verdict.ok()) return SQLITE_OK;
  authorizer.refusal_ = std::move(verdict);
  return SQLITE_DENY;
}

absl::Status Authorizer::Judge(int action, std::string_view first, std::string_view second,
                               std::string_view database) const {
  switch (action) {
    case SQLITE_TRANSACTION:
      return TransactionControlRefused(first);
    case SQLITE_SAVEPOINT:
      return TransactionControlRefused("SAVEPOINT");
    case SQLITE_ATTACH:
      return NotAllowed("ATTACH", "a database has one file");
    case SQLITE_DETACH:
      return NotAllowed("DETACH", "a database has one file");
    case SQLITE_PRAGMA:
      return JudgePragma(first, second);
    case SQLITE_FUNCTION:
      return JudgeFunction(second);
    case SQLITE_CREATE_TEMP_INDEX:
    case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_TEMP_TRIGGER:
    case SQLITE_CREATE_TEMP_VIEW:
      break;
    case SQLITE_CREATE_VTABLE:
    case SQLITE_INSERT:  // into the schema of what is made as "temp.name"
      if (database == "temp") break;
      return absl::OkStatus();
    default:
      return absl::OkStatus();
  }
  return NotAllowed("a temporary table, index, view or trigger",
                    "it would stay on the connection, which other callers use next");
}

}  // namespace emsdb::sqlite
