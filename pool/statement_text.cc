#include "pool/statement_text.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace emsdb {
namespace {

enum class TokenKind { kEnd, kWord, kQuotedName, kLiteral, kParameter, kSymbol };

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;
};

bool IsWordStart(unsigned char c) { return std::isalpha(c) || c == '_' || c >= 0x80; }
bool IsWord(unsigned char c) { return IsWordStart(c) || std::isdigit(c) || c == '$'; }
bool IsDigit(unsigned char c) { return std::isdigit(c) != 0; }

std::string Upper(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return upper;
}

// Splits a text into tokens by the rules that PostgreSQL and SQLite share. An unfinished literal or
// comment reaches to the end of the text.
class Lexer {
 public:
  explicit Lexer(std::string_view sql) : rest_(sql) {}

  Token Next() {
    SkipSpaceAndComments();
    if (rest_.empty()) return {};
    const unsigned char c = static_cast<unsigned char>(rest_[0]);
    if (c == '\'') return Take(TokenKind::kLiteral, QuotedLength(0, '\'', false));
    if (c == '"' || c == '`') return Take(TokenKind::kQuotedName, QuotedLength(0, rest_[0], false));
    if (c == '$') return TakeDollar();
    if (IsDigit(c) || (c == '.' && rest_.size() > 1 && IsDigit(rest_[1]))) return TakeNumber();
    if (IsWordStart(c)) return TakeWord();
    return Take(TokenKind::kSymbol, 1);
  }

 private:
  Token Take(TokenKind kind, std::size_t length) {
    const Token token{kind, rest_.substr(0, length)};
    rest_.remove_prefix(token.text.size());
    return token;
  }

  void SkipSpaceAndComments() {
    while (!rest_.empty()) {
      if (std::isspace(static_cast<unsigned char>(rest_[0]))) {
        rest_.remove_prefix(1);
      } else if (rest_.starts_with("--")) {
        rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
      } else if (rest_.starts_with("/*")) {
        rest_.remove_prefix(CommentLength());
      } else {
        return;
      }
    }
  }

  // PostgreSQL's comments nest. SQLite's do not, where a nested one is a syntax error later on.
  std::size_t CommentLength() const {
    int depth = 0;
    for (std::size_t i = 0; i + 1 < rest_.size();) {
      if (rest_.substr(i, 2) == "/*") {
        ++depth;
        i += 2;
      } else if (rest_.substr(i, 2) == "*/") {
        i += 2;
        if (--depth == 0) return i;
      } else {
        ++i;
      }
    }
    return rest_.size();
  }

  // The length of a quoted text whose opening quote is at `open`; a doubled quote is one inside.
  std::size_t QuotedLength(std::size_t open, char quote, bool backslash_escapes) const {
    for (std::size_t i = open + 1; i < rest_.size(); ++i) {
      if (backslash_escapes && rest_[i] == '\\') {
        ++i;
      } else if (rest_[i] == quote) {
        if (i + 1 < rest_.size() && rest_[i + 1] == quote) {
          ++i;
        } else {
          return i + 1;
        }
      }
    }
    return rest_.size();
  }

  Token TakeDollar() {
    std::size_t end = 1;
    while (end < rest_.size() && IsDigit(rest_[end])) ++end;
    if (end > 1) return Take(TokenKind::kParameter, end);
    while (end < rest_.size() && IsWord(rest_[end]) && rest_[end] != '$') ++end;
    if (end >= rest_.size() || rest_[end] != '$') return Take(TokenKind::kSymbol, 1);
    const std::string_view tag = rest_.substr(0, end + 1);
    const std::size_t close = rest_.find(tag, tag.size());
    return Take(TokenKind::kLiteral,
                close == std::string_view::npos ? rest_.size() : close + tag.size());
  }

  Token TakeNumber() {
    std::size_t end = 0;
    const auto digits_and_letters = [&](std::size_t i) {
      const char c = rest_[i];
      const bool sign =
          (c == '+' || c == '-') && i > 0 && (rest_[i - 1] == 'e' || rest_[i - 1] == 'E');
      return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || sign;
    };
    while (end < rest_.size() && digits_and_letters(end)) ++end;
    return Take(TokenKind::kLiteral, end);
  }

  Token TakeWord() {
    std::size_t end = 1;
    while (end < rest_.size() && IsWord(rest_[end])) ++end;
    const std::string_view word = rest_.substr(0, end);
    const bool quote_follows = end < rest_.size() && rest_[end] == '\'';
    constexpr std::string_view kLiteralPrefixes = "eEbBxXnN";
    if (quote_follows && end == 1 && kLiteralPrefixes.find(word[0]) != std::string_view::npos) {
      const bool escapes = word[0] == 'e' || word[0] == 'E';
      return Take(TokenKind::kLiteral, QuotedLength(end, '\'', escapes));
    }
    return Take(TokenKind::kWord, end);
  }

  std::string_view rest_;
};

// The next word in upper case; empty if something else comes next.
std::string NextWord(Lexer& lexer) {
  const Token token = lexer.Next();
  return token.kind == TokenKind::kWord ? Upper(token.text) : std::string();
}

Token FirstToken(Lexer& lexer) {
  Token token = lexer.Next();
  while (token.kind == TokenKind::kSymbol && (token.text == "(" || token.text == ";")) {
    token = lexer.Next();
  }
  return token;
}

template <std::size_t N>
bool Contains(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool HasWriteWord(Lexer& lexer) {
  constexpr std::array<std::string_view, 6> kWrites = {"INSERT", "UPDATE", "DELETE",
                                                       "MERGE",  "INTO",   "SHARE"};
  for (Token token = lexer.Next(); token.kind != TokenKind::kEnd; token = lexer.Next()) {
    if (token.kind == TokenKind::kWord && Contains(kWrites, Upper(token.text))) return true;
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
  const std::string word = Upper(last.text);
  // Keywords only behind an aggregate's arguments; elsewhere a function may be called so.
  if (word == "OVER" || word == "FILTER") return before.text != ")";
  return !IsHarmlessBeforeParenthesis(word);
}

bool EqualsIgnoringCase(std::string_view text, std::string_view upper) {
  return text.size() == upper.size() &&
         std::equal(text.begin(), text.end(), upper.begin(), [](unsigned char a, char b) {
           return static_cast<char>(std::toupper(a)) == b;
         });
}

// Looked for at each underscore, of which there are few.
bool HasNameThatChangesSession(std::string_view sql) {
  struct Name {
    std::string_view before;
    std::string_view behind;
  };
  constexpr std::array<Name, 3> kNames = {Name{"SET", "_CONFIG"}, Name{"DBLINK", "_CONNECT"},
                                          Name{"", "_ADVISORY_LOCK"}};
  for (std::size_t at = sql.find('_'); at != std::string_view::npos; at = sql.find('_', at + 1)) {
    for (const auto& [before, behind] : kNames) {
      if (at >= before.size() &&
          EqualsIgnoringCase(sql.substr(at - before.size(), before.size()), before) &&
          EqualsIgnoringCase(sql.substr(at, behind.size()), behind)) {
        return true;
      }
    }
  }
  return false;
}

// "TEMP" and what else may name where a new table, view or sequence belongs.
bool MakesTemporary(Lexer& lexer, const std::string& first) {
  std::string before = first;
  for (Token token = lexer.Next(); token.kind != TokenKind::kEnd; token = lexer.Next()) {
    const bool named = token.kind == TokenKind::kWord || token.kind == TokenKind::kQuotedName;
    const std::string word = named ? Upper(token.text) : std::string();
    if (word == "PG_TEMP" || word == "\"PG_TEMP\"") return true;
    // TEMP alone may be a column: it is the keyword only in these places.
    constexpr std::array<std::string_view, 5> kBefore = {"CREATE", "REPLACE", "LOCAL", "GLOBAL",
                                                         "INTO"};
    const bool made = first != "INSERT" && first != "MERGE" && Contains(kBefore, before);
    if (made && (word == "TEMP" || word == "TEMPORARY")) return true;
    before = word;
  }
  return false;
}

bool HoldsCursor(Lexer& lexer) {
  std::string before;
  for (Token token = lexer.Next(); token.kind != TokenKind::kEnd; token = lexer.Next()) {
    std::string word = Upper(token.text);
    if (before == "WITH" && word == "HOLD") return true;
    before = std::move(word);
  }
  return false;
}

// Calls `emit` for each token with the text that stands for it, until it answers false.
template <typename Emit>
void Normalise(std::string_view sql, Emit emit) {
  Lexer lexer(sql);
  for (Token token = lexer.Next(); token.kind != TokenKind::kEnd; token = lexer.Next()) {
    const bool hidden = token.kind == TokenKind::kLiteral || token.kind == TokenKind::kParameter;
    if (!emit(hidden ? std::string_view("?") : token.text)) return;
  }
}

}  // namespace

std::string LeadingKeyword(std::string_view sql) {
  Lexer lexer(sql);
  const Token token = FirstToken(lexer);
  return token.kind == TokenKind::kWord ? Upper(token.text) : std::string();
}

std::string TransactionControl(std::string_view sql) {
  constexpr std::array<std::string_view, 8> kAlways = {"BEGIN",    "START",     "COMMIT",  "END",
                                                       "ROLLBACK", "SAVEPOINT", "RELEASE", "ABORT"};
  Lexer lexer(sql);
  const Token token = FirstToken(lexer);
  if (token.kind != TokenKind::kWord) return {};
  std::string first = Upper(token.text);
  if (Contains(kAlways, first)) return first;
  if (first == "PREPARE") return NextWord(lexer) == "TRANSACTION" ? "PREPARE TRANSACTION" : "";
  if (first != "SET") return {};
  const std::string second = NextWord(lexer);
  if (second == "TRANSACTION") return "SET TRANSACTION";
  if ((second == "SESSION" || second == "LOCAL")) {
    const std::string third = NextWord(lexer);
    if (third == "CHARACTERISTICS") return "SET SESSION CHARACTERISTICS";
    if (third == "TRANSACTION") return "SET TRANSACTION";
  }
  return {};
}

bool LooksLikeRead(std::string_view sql) {
  Lexer lexer(sql);
  const Token token = FirstToken(lexer);
  if (token.kind != TokenKind::kWord) return false;
  const std::string first = Upper(token.text);
  if (first == "VALUES" || first == "TABLE" || first == "SHOW") return true;
  if (first == "EXPLAIN") {
    for (Token next = lexer.Next(); next.kind != TokenKind::kEnd; next = lexer.Next()) {
      if (next.kind == TokenKind::kWord && Upper(next.text) == "ANALYZE") return false;
    }
    return true;
  }
  return (first == "SELECT" || first == "WITH") && !HasWriteWord(lexer);
}

bool CallsNoFunction(std::string_view sql) {
  Lexer lexer(sql);
  Token before;
  Token last;
  for (Token token = lexer.Next(); token.kind != TokenKind::kEnd; token = lexer.Next()) {
    if (token.text == "(" && OpensArguments(before, last)) return false;
    before = last;
    last = token;
  }
  return true;
}

bool ChangesSession(std::string_view sql) {
  // DO runs what its text hides.
  constexpr std::array<std::string_view, 8> kAlways = {
      "RESET", "DISCARD", "PREPARE", "DEALLOCATE", "LISTEN", "UNLISTEN", "LOAD", "DO"};
  if (HasNameThatChangesSession(sql)) return true;
  Lexer lexer(sql);
  const Token token = FirstToken(lexer);
  if (token.kind != TokenKind::kWord) return false;
  const std::string first = Upper(token.text);
  if (Contains(kAlways, first)) return true;
  if (first == "SET") {
    const std::string second = NextWord(lexer);
    return second != "LOCAL" && second != "CONSTRAINTS";
  }
  if (first == "DECLARE") return HoldsCursor(lexer);
  return MakesTemporary(lexer, first);
}

std::string Fingerprint(std::string_view sql) {
  constexpr std::size_t kLongest = 200;
  std::string text;
  Normalise(sql, [&](std::string_view token) {
    if (!text.empty()) text += ' ';
    text += token;
    return text.size() <= kLongest;
  });
  if (text.size() > kLongest) {
    std::size_t cut = kLongest;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
    text.resize(cut);
    text += "...";
  }
  return text;
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
