// Splits the text of a statement into tokens. For hints and refusals only: what a statement means,
// the database knows.
#ifndef EMSDB_POOL_SQL_LEXER_H_
#define EMSDB_POOL_SQL_LEXER_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace emsdb {

enum class TokenKind { kEnd, kWord, kQuotedName, kLiteral, kParameter, kSymbol };

// A view into the text that is split.
struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;
};

// By the rules that PostgreSQL and SQLite share. An unfinished literal or comment reaches to the
// end of the text.
class SqlLexer {
 public:
  explicit SqlLexer(std::string_view sql) : rest_(sql) {}

  Token Next();
  // The next token that is neither "(" nor ";": the first word of a statement, usually.
  Token First();
  // The next token in upper case if it is a word; empty if something else comes next.
  std::string NextWord();

 private:
  Token Take(TokenKind kind, std::size_t length);
  void SkipSpaceAndComments();
  std::size_t CommentLength() const;
  std::size_t QuotedLength(std::size_t open, char quote, bool backslash_escapes) const;
  std::size_t ContinuationAt(std::size_t from) const;
  Token TakeDollar();
  Token TakeNumber();
  Token TakeWord();

  std::string_view rest_;
};

// ASCII letters only.
std::string UpperCase(std::string_view text);

}  // namespace emsdb

#endif  // EMSDB_POOL_SQL_LEXER_H_
