#include "pool/postgres/session_changes.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "pool/sql_lexer.h"

namespace emsdb {
namespace {

using enum SessionChange;

bool SameIgnoringCase(char a, char upper) {
  return std::toupper(static_cast<unsigned char>(a)) == upper;
}

bool EqualsIgnoringCase(std::string_view text, std::string_view upper) {
  return std::equal(text.begin(), text.end(), upper.begin(), upper.end(), SameIgnoringCase);
}

bool HasIgnoringCase(std::string_view text, std::string_view upper) {
  return std::search(text.begin(), text.end(), upper.begin(), upper.end(), SameIgnoringCase) !=
         text.end();
}

// A name around one of its underscores: of these a text has few, so each is looked at.
struct Name {
  std::string_view before;
  std::string_view behind;
  SessionChanges changes;
};
constexpr auto kNames = std::to_array<Name>(
    // A search_path that leads to pg_temp may come as a parameter.
    {{"SET", "_CONFIG", kSettings | kRole | kTemporary},
     // Also where a path says that new tables belong there.
     {"PG", "_TEMP", kTemporary},
     {"", "_ADVISORY_LOCK", kLocks},
     {"DBLINK", "_CONNECT", kBeyondReset},
     {"", "_REPLICATION_SLOT", kBeyondReset},  // a temporary one
     {"PG_BACKUP", "_START", kBeyondReset},
     {"PG_START", "_BACKUP", kBeyondReset}});

SessionChanges ByNames(std::string_view sql) {
  SessionChanges changes;
  for (std::size_t at = sql.find('_'); at != std::string_view::npos; at = sql.find('_', at + 1)) {
    for (const Name& name : kNames) {
      if (at >= name.before.size() &&
          EqualsIgnoringCase(sql.substr(at - name.before.size(), name.before.size()),
                             name.before) &&
          EqualsIgnoringCase(sql.substr(at, name.behind.size()), name.behind)) {
        changes |= name.changes;
      }
    }
  }
  return changes;
}

SessionChanges OfSet(SqlLexer& lexer) {
  std::string name = lexer.NextWord();
  if (name == "LOCAL" || name == "CONSTRAINTS") return {};
  if (name == "SESSION") name = lexer.NextWord();
  if (name == "ROLE" || name == "AUTHORIZATION" || name == "SESSION_AUTHORIZATION") return kRole;
  if (name == "SEED") return kBeyondReset;
  return name.empty() ? kSettings | kRole : kSettings;  // in quotes it may be any
}

SessionChanges OfReset(SqlLexer& lexer) {
  const std::string name = lexer.NextWord();
  return name == "ALL" || name == "TIME" ? SessionChanges(kSettings) : kSettings | kRole;
}

// Runs what its text hides in a literal.
SessionChanges OfDo(std::string_view sql) {
  SessionChanges changes = SessionChanges::AllThatCanBeReset();
  if (HasIgnoringCase(sql, "LOAD") || HasIgnoringCase(sql, "SETSEED")) changes |= kBeyondReset;
  return changes;
}

SessionChanges OfDeclare(SqlLexer& lexer) {
  std::string before;
  for (Token token = lexer.Next(); token.kind != TokenKind::kEnd; token = lexer.Next()) {
    std::string word = UpperCase(token.text);
    if (before == "WITH" && word == "HOLD") return kCursors;
    before = std::move(word);
  }
  return {};
}

bool IsOneOf(const std::string& word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// "TEMP" and what else may name where a new table, view or sequence belongs; and setseed.
SessionChanges OfAnyOther(SqlLexer& lexer, const std::string& first) {
  SessionChanges changes;
  const bool may_make = first != "INSERT" && first != "MERGE";
  std::string before = first;
  for (Token token = lexer.Next(); token.kind != TokenKind::kEnd; token = lexer.Next()) {
    std::string word = token.kind == TokenKind::kWord ? UpperCase(token.text) : std::string();
    // TEMP alone may be a column: it is the keyword only in these places.
    if (may_make && (word == "TEMP" || word == "TEMPORARY") &&
        IsOneOf(before, {"CREATE", "REPLACE", "LOCAL", "GLOBAL", "INTO"})) {
      changes |= kTemporary;
    }
    if (word == "SETSEED") changes |= kBeyondReset;
    before = std::move(word);
  }
  return changes;
}

SessionChanges ByKind(std::string_view sql) {
  SqlLexer lexer(sql);
  const Token token = lexer.First();
  if (token.kind != TokenKind::kWord) return {};
  const std::string first = UpperCase(token.text);
  if (first == "SET") return OfSet(lexer);
  if (first == "RESET") return OfReset(lexer);
  if (first == "PREPARE" || first == "DEALLOCATE") return kPrepared;
  if (first == "LISTEN" || first == "UNLISTEN") return kListening;
  if (first == "DECLARE") return OfDeclare(lexer);
  if (first == "DO") return OfDo(sql);
  if (first == "DISCARD") return SessionChanges::AllThatCanBeReset();
  if (first == "LOAD") return kBeyondReset;
  return OfAnyOther(lexer, first);
}

}  // namespace

SessionChanges SessionChangesOf(std::string_view sql) { return ByNames(sql) | ByKind(sql); }

}  // namespace emsdb
