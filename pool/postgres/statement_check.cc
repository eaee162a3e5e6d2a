#include "pool/postgres/statement_check.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "pool/errors.h"
#include "pool/postgres/values.h"
#include "pool/statement_text.h"
#include "pool/utf8.h"

namespace emsdb {
namespace {

constexpr std::size_t kLongestStatement = std::size_t{1} << 20;

// Also true for a text that merely has the letters in it: a false alarm costs a trip, no more.
bool HasReturning(std::string_view sql) {
  constexpr std::string_view kWord = "RETURNING";
  const auto same = [](char a, char b) { return std::toupper(static_cast<unsigned char>(a)) == b; };
  return std::search(sql.begin(), sql.end(), kWord.begin(), kWord.end(), same) != sql.end();
}

}  // namespace

absl::Status CheckStatementText(std::string_view sql) {
  constexpr std::string_view kField = "statement.sql";
  if (sql.size() > kLongestStatement) return InvalidField(kField, "longer than 1 MiB");
  if (sql.find('\0') != std::string_view::npos) return InvalidField(kField, "has U+0000 in it");
  if (!IsUtf8(sql)) return InvalidField(kField, "is not valid UTF-8");
  if (Fingerprint(sql).empty()) return InvalidField(kField, "has no statement in it");
  if (const std::string control = TransactionControl(sql); !control.empty()) {
    return TransactionControlRefused(control);
  }
  // It would leave the connection in a state of its own; rows in bulk have an RPC of their own.
  if (LeadingKeyword(sql) == "COPY") {
    return InvalidField(kField, "COPY cannot be run as a statement; nothing was run");
  }
  return absl::OkStatus();
}

bool MayReturnRows(std::string_view sql) {
  // Not DO, which could commit in its middle if it were not inside a transaction; nor CALL.
  constexpr auto kNeverReturn = std::to_array<std::string_view>(
      {"INSERT", "UPDATE", "DELETE", "MERGE", "CREATE", "ALTER", "DROP", "TRUNCATE", "GRANT",
       "REVOKE", "COMMENT", "SET", "RESET", "LOCK", "NOTIFY", "ANALYZE", "REFRESH"});
  const std::string first = LeadingKeyword(sql);
  const bool never =
      std::find(kNeverReturn.begin(), kNeverReturn.end(), first) != kNeverReturn.end();
  return !never || HasReturning(sql);
}

}  // namespace emsdb
