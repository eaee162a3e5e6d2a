#include "pool/sql_lexer.h"

#include <algorithm>
#include <cctype>

namespace emsdb {
namespace {

bool IsWordStart(unsigned char c) { return std::isalpha(c) || c == '_' || c >= 0x80; }
bool IsWord(unsigned char c) { return IsWordStart(c) || std::isdigit(c) || c == '$'; }
bool IsDigit(unsigned char c) { return std::isdigit(c) != 0; }

}  // namespace

std::string UpperCase(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return upper;
}

Token SqlLexer::Next() {
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

Token SqlLexer::Take(TokenKind kind, std::size_t length) {
  const Token token{kind, rest_.substr(0, length)};
  rest_.remove_prefix(token.text.size());
  return token;
}

void SqlLexer::SkipSpaceAndComments() {
  while (!rest_.empty()) {
    if (std::isspace(static_cast<unsigned char>(rest_[0]))) {
      rest_.remove_prefix(1);
    } else if (rest_.starts_with("--")) {
      // PostgreSQL's rule. For SQLite only a line feed ends it, and behind a lone carriage return
      // it is still a comment: there too much is refused, and nothing is overlooked.
      rest_.remove_prefix(std::min(rest_.find_first_of("\r\n"), rest_.size()));
    } else if (rest_.starts_with("/*")) {
      rest_.remove_prefix(CommentLength());
    } else {
      return;
    }
  }
}

// PostgreSQL's comments nest. SQLite's do not, where a nested one is a syntax error later on.
std::size_t SqlLexer::CommentLength() const {
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
std::size_t SqlLexer::QuotedLength(std::size_t open, char quote, bool backslash_escapes) const {
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

// The quote with which a literal that ended before `from` goes on: behind white space and comments
// with a new line among them. npos if it does not.
std::size_t SqlLexer::ContinuationAt(std::size_t from) const {
  SqlLexer behind(rest_.substr(from));
  behind.SkipSpaceAndComments();
  const std::size_t quote = rest_.size() - behind.rest_.size();
  const bool new_line = rest_.substr(from, quote - from).find_first_of("\r\n") != rest_.npos;
  return new_line && behind.rest_.starts_with('\'') ? quote : std::string_view::npos;
}

Token SqlLexer::TakeDollar() {
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

Token SqlLexer::TakeNumber() {
  std::size_t end = 0;
  const auto digits_and_letters = [&](std::size_t i) {
    const char c = rest_[i];
    // Only before a digit: 1e-- is a number and a comment.
    const bool sign = (c == '+' || c == '-') && i > 0 &&
                      (rest_[i - 1] == 'e' || rest_[i - 1] == 'E') && i + 1 < rest_.size() &&
                      IsDigit(rest_[i + 1]);
    return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || sign;
  };
  while (end < rest_.size() && digits_and_letters(end)) ++end;
  return Take(TokenKind::kLiteral, end);
}

Token SqlLexer::TakeWord() {
  std::size_t end = 1;
  while (end < rest_.size() && IsWord(rest_[end])) ++end;
  const std::string_view word = rest_.substr(0, end);
  const bool quote_follows = end < rest_.size() && rest_[end] == '\'';
  constexpr std::string_view kLiteralPrefixes = "eEbBxXnN";
  if (quote_follows && end == 1 && kLiteralPrefixes.find(word[0]) != std::string_view::npos) {
    const bool escapes = word[0] == 'e' || word[0] == 'E';
    std::size_t length = QuotedLength(end, '\'', escapes);
    // A literal that goes on behind a new line keeps its rule, so that \' does not end it there.
    while (escapes) {
      const std::size_t quote = ContinuationAt(length);
      if (quote == std::string_view::npos) break;
      length = QuotedLength(quote, '\'', escapes);
    }
    return Take(TokenKind::kLiteral, length);
  }
  return Take(TokenKind::kWord, end);
}

Token SqlLexer::First() {
  Token token = Next();
  while (token.kind == TokenKind::kSymbol && (token.text == "(" || token.text == ";")) {
    token = Next();
  }
  return token;
}

std::string SqlLexer::NextWord() {
  const Token token = Next();
  return token.kind == TokenKind::kWord ? UpperCase(token.text) : std::string();
}

}  // namespace emsdb
