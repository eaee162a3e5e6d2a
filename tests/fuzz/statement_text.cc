// A fingerprint is stable and has nothing of a literal or a comment in it; a hint never calls a
// write a read; transaction control is refused wherever comments hide it.
#include "pool/statement_text.h"

#include <array>
#include <string>

#include "pool/postgres/session_changes.h"
#include "pool/postgres/statement_check.h"
#include "pool/sql_lexer.h"
#include "pool/utf8.h"
#include "tests/fuzz/reader.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/targets.h"

namespace emsdb::fuzz {
namespace {

// `text` with `escape` before each of `special`.
std::string Escaped(std::string_view text, std::string_view special, char escape) {
  std::string escaped;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) escaped += escape == 0 ? c : escape;
    escaped += c;
  }
  return escaped;
}

std::string Without(std::string_view text, std::string_view characters) {
  std::string kept;
  for (const char c : text) {
    if (characters.find(c) == std::string_view::npos) kept += c;
  }
  return kept;
}

constexpr int kStyles = 10;

// A literal or a comment with the secret in it, in one of the ways that PostgreSQL reads.
std::string Hidden(std::string_view secret, int style) {
  const std::string doubled = Escaped(secret, "'", 0);
  const std::string slashed = Escaped(secret, "'\\", '\\');
  switch (style) {
    case 0:
      return "'" + doubled + "'";
    case 1:
      return "E'" + slashed + "'";
    case 2:
      return "$$" + Without(secret, "$") + "$$";
    case 3:
      return "$q1$" + Without(secret, "$") + "$q1$";
    case 4:
      return "1 --" + Without(secret, "\r\n") + "\n";
    case 5:
      return "1 /*" + Without(secret, "*/") + "*/";
    case 6:
      return "1 /* /*" + Without(secret, "*/") + "*/ ' */";
    case 7:  // a literal goes on behind a new line, by the same rules
      return "E'a'\n'" + slashed + "'";
    case 8:
      return "'a' --'\n '" + doubled + "'";
    default:
      return "1 --" + Without(secret, "\r\n") + "\r";
  }
}

void CheckSecret(std::string_view secret, std::uint8_t kind) {
  constexpr std::array<std::array<std::string_view, 2>, 5> kFrames = {{
      {"SELECT ", " FROM t"},
      {"INSERT INTO t VALUES (", ")"},
      {"UPDATE t SET a=", ", b = 2 WHERE c = 'd'"},
      {"WITH q AS (SELECT ", ") DELETE FROM t"},
      {"(", ") COMMIT"},
  }};
  const auto& frame = kFrames[kind % kFrames.size()];
  const int style = kind / static_cast<int>(kFrames.size()) % kStyles;
  const auto with = [&](std::string_view text) {
    return std::string(frame[0]) + Hidden(text, style) + std::string(frame[1]);
  };
  const std::string sql = with(secret);
  const std::string plain = with("x");
  Require(Fingerprint(sql) == Fingerprint(plain), "nothing of a literal is in the fingerprint");
  Require(FingerprintHash(sql) == FingerprintHash(plain), "nor in its hash");
  Require(LooksLikeRead(sql) == LooksLikeRead(plain), "a literal makes no read of a write");
  Require(TransactionControl(sql) == TransactionControl(plain), "nor control of a statement");
}

void CheckTokens(std::string_view sql) {
  SqlLexer lexer(sql);
  const char* at = sql.data();
  for (Token token = lexer.Next(); token.kind != TokenKind::kEnd; token = lexer.Next()) {
    Require(!token.text.empty(), "a token has a text");
    Require(
        token.text.data() >= at && token.text.data() + token.text.size() <= sql.data() + sql.size(),
        "tokens follow one another in the text");
    at = token.text.data() + token.text.size();
  }
}

void CheckFingerprint(std::string_view sql) {
  const std::string print = Fingerprint(sql);
  Require(print.size() <= 203, "a fingerprint is short");
  Require(!IsUtf8(sql) || IsUtf8(print), "a fingerprint of UTF-8 is UTF-8");
  if (print.ends_with("...")) return;  // cut off
  Require(Fingerprint(print) == print, "a fingerprint's fingerprint is itself");
  Require(FingerprintHash(print) == FingerprintHash(sql), "and has the same hash");
}

// What is in a comment before the statement changes nothing.
void CheckBehindComment(std::string_view sql, const std::string& comment) {
  const std::string commented = comment + std::string(sql);
  Require(LeadingKeyword(commented) == LeadingKeyword(sql), "a comment hides no keyword");
  Require(TransactionControl(commented) == TransactionControl(sql), "nor transaction control");
  Require(LooksLikeRead(commented) == LooksLikeRead(sql), "nor a write");
  Require(Fingerprint(commented) == Fingerprint(sql), "and is not in the fingerprint");
}

}  // namespace

void StatementText(std::string_view input) {
  Reader reader(input);
  const std::uint8_t kind = reader.Byte();
  const std::string_view sql = reader.Rest();
  CheckTokens(sql);
  CheckFingerprint(sql);
  CheckSecret(sql, kind);
  CheckBehindComment(sql, "/* COMMIT; ' */");
  CheckBehindComment(sql, "-- it's\r");
  CheckBehindComment(sql, "-- it's\n");
  const std::string control = TransactionControl(sql);
  Require(control.empty() || !CheckStatementText(sql).ok(), "transaction control is refused");
  if (LooksLikeRead(sql)) {
    Require(control.empty(), "transaction control is no read");
    Require(MayReturnRows(sql), "a read has rows");
  }
  CallsNoFunction(sql);
  SessionChangesOf(sql);
}

}  // namespace emsdb::fuzz
