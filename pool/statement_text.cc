#include "pool/statement_text.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "pool/sql_lexer.h"
#include "pool/utf8.h"

namespace emsdb {
namespace {

template <std::size_t N>
bool Contains(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool HasWriteWord(SqlLexer& lexer) {
  constexpr std::array<std::string_view, 6> kWrites = {"INSERT", "UPDATE", "DELETE",
                                                       "MERGE",  "INTO",   "SHARE"};
  for (Token token = lexer.Next(); token.kind != TokenKind::kEnd; token = lexer.Next()) {
    if (token.kind == TokenKind::kWord && Contains(kWrites, UpperCase(token.text))) return true;
  }
  return false;
}

// Words before a parenthesis that is no function's: keywords, and types with a length, none of
// which may be a function's name; and functions without any effect. A list of columns behind a
// name, as in `AS t (a)`, is not told from a call.
bool IsHarmlessBeforeParenthesis(std::string_view word) {
  constexpr auto kWords = std::to_array<std::string_view>(
      {"ALL", "AND", "ANY", "AS", "BETWEEN", "BY", "CASE", "CHAR", "CHARACTER", "DECIMAL", "ELSE",
       "EXCEPT", "EXISTS", "FROM", "HAVING", "IN", "INTERSECT", "JOIN", "LATERAL", "LIKE", "LIMIT",
       "NOT", "NUMERIC", "OFFSET", "ON", "OR", "RETURNING", "SELECT", "SOME", "THEN", "UNION",
       "USING", "VALUES", "VARCHAR", "WHEN", "WHERE", "WITH",
       // functions
       "AVG", "COALESCE", "COUNT", "GREATEST", "LEAST", "LENGTH", "LOWER", "MAX", "MIN", "NULLIF",
       "SUM", "UPPER"});
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

// Whether the parenthesis behind `last` opens a function's arguments.
bool OpensArguments(const Token& before, const Token& last) {
  if (last.kind == TokenKind::kQuotedName) return true;
  if (last.kind != TokenKind::kWord) return false;
  if (before.text == ".") return true;  // qualified: anybody's
  const std::string word = UpperCase(last.text);
  // Keywords only behind an aggregate's arguments; elsewhere a function may be called so.
  if (word == "OVER" || word == "FILTER") return before.text != ")";
  return !IsHarmlessBeforeParenthesis(word);
}

// Calls `emit` for each token with the text that stands for it, until it answers false.
template <typename Emit>
void Normalise(std::string_view sql, Emit emit) {
  SqlLexer lexer(sql);
  for (Token token = lexer.Next(); token.kind != TokenKind::kEnd; token = lexer.Next()) {
    const bool hidden = token.kind == TokenKind::kLiteral || token.kind == TokenKind::kParameter;
    if (!emit(hidden ? std::string_view("?") : token.text)) return;
  }
}

}  // namespace

std::string LeadingKeyword(std::string_view sql) {
  SqlLexer lexer(sql);
  const Token token = lexer.First();
  return token.kind == TokenKind::kWord ? UpperCase(token.text) : std::string();
}

std::string TransactionControl(std::string_view sql) {
  constexpr std::array<std::string_view, 8> kAlways = {"BEGIN",    "START",     "COMMIT",  "END",
                                                       "ROLLBACK", "SAVEPOINT", "RELEASE", "ABORT"};
  SqlLexer lexer(sql);
  const Token token = lexer.First();
  if (token.kind != TokenKind::kWord) return {};
  std::string first = UpperCase(token.text);
  if (Contains(kAlways, first)) return first;
  if (first == "PREPARE") return lexer.NextWord() == "TRANSACTION" ? "PREPARE TRANSACTION" : "";
  if (first != "SET") return {};
  const std::string second = lexer.NextWord();
  if (second == "TRANSACTION") return "SET TRANSACTION";
  if ((second == "SESSION" || second == "LOCAL")) {
    const std::string third = lexer.NextWord();
    if (third == "CHARACTERISTICS") return "SET SESSION CHARACTERISTICS";
    if (third == "TRANSACTION") return "SET TRANSACTION";
  }
  return {};
}

bool LooksLikeRead(std::string_view sql) {
  SqlLexer lexer(sql);
  const Token token = lexer.First();
  if (token.kind != TokenKind::kWord) return false;
  const std::string first = UpperCase(token.text);
  if (first == "VALUES" || first == "SHOW") return true;
  if (first == "EXPLAIN") {
    for (Token next = lexer.Next(); next.kind != TokenKind::kEnd; next = lexer.Next()) {
      // PostgreSQL takes both spellings, and the option's name in quotes as well.
      const std::string word = UpperCase(next.text);
      if (word == "ANALYZE" || word == "ANALYSE" || word == "\"ANALYZE\"") return false;
    }
    return true;
  }
  // TABLE t FOR UPDATE is a SELECT.
  const bool reads = first == "SELECT" || first == "TABLE" || first == "WITH";
  return reads && !HasWriteWord(lexer);
}

bool CallsNoFunction(std::string_view sql) {
  SqlLexer lexer(sql);
  Token before;
  Token last;
  for (Token token = lexer.Next(); token.kind != TokenKind::kEnd; token = lexer.Next()) {
    if (token.text == "(" && OpensArguments(before, last)) return false;
    before = last;
    last = token;
  }
  return true;
}

std::string Fingerprint(std::string_view sql) {
  constexpr std::size_t kLongest = 200;
  std::string text;
  Normalise(sql, [&](std::string_view token) {
    if (!text.empty()) text += ' ';
    text += token;
    return text.size() <= kLongest;
  });
  return Shortened(text, kLongest);
}

std::uint64_t FingerprintHash(std::string_view sql) {
  // FNV-1a: the same in every process, unlike absl::Hash.
  std::uint64_t hash = 14695981039346656037ULL;
  const auto add = [&](unsigned char byte) { hash = (hash ^ byte) * 1099511628211ULL; };
  Normalise(sql, [&](std::string_view token) {
    for (const char c : token) add(static_cast<unsigned char>(c));
    add(' ');
    return true;
  });
  return hash;
}

}  // namespace emsdb
