// A row for COPY is one line, from which every cell can be read again; a row that is refused leaves
// nothing behind.
#include "pool/postgres/copy_text.h"

#include <string>
#include <vector>

#include "pool/copy_target.h"
#include "pool/names.h"
#include "pool/postgres/values.h"
#include "pool/sql_lexer.h"
#include "tests/fuzz/reader.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/targets.h"

namespace emsdb::fuzz {
namespace {

// One field as PostgreSQL reads it: "\N" is NULL, and a backslash takes the next character's place.
std::string Unescaped(std::string_view field) {
  std::string text;
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field[i] != '\\') {
      text += field[i];
      continue;
    }
    Require(++i < field.size(), "no line ends behind a backslash");
    constexpr std::string_view kLetters = "btnvfr";
    constexpr std::string_view kMeanings = "\b\t\n\v\f\r";
    const std::size_t letter = kLetters.find(field[i]);
    text += letter == std::string_view::npos ? field[i] : kMeanings[letter];
  }
  return text;
}

std::vector<std::string_view> Fields(std::string_view line) {
  std::vector<std::string_view> fields;
  for (std::size_t tab = line.find('\t'); tab != std::string_view::npos; tab = line.find('\t')) {
    fields.push_back(line.substr(0, tab));
    line.remove_prefix(tab + 1);
  }
  fields.push_back(line);
  return fields;
}

// The text that a parameter of the same value would have; bytes in PostgreSQL's form.
std::string ExpectedText(const Value& value) {
  if (const auto* bytes = std::get_if<Bytes>(&value)) {
    std::string text = "\\x";
    for (const char c : bytes->data) {
      constexpr char kDigits[] = "0123456789abcdef";
      text += kDigits[static_cast<unsigned char>(c) >> 4];
      text += kDigits[static_cast<unsigned char>(c) & 15];
    }
    return text;
  }
  const Statement statement{.sql = "", .parameters = {value}, .parameter_types = {}};
  const auto bound = emsdb::BoundParameters::Bind(statement);
  Require(bound.ok(), "what COPY takes, a parameter takes");
  return bound->values()[0];
}

void CheckLine(const std::vector<Value>& row, std::string_view line) {
  Require(!line.empty() && line.find_first_of("\r\n") == line.size() - 1, "a row is one line");
  line.remove_suffix(1);
  const auto fields = Fields(line);
  Require(fields.size() == row.size(), "there are as many fields as cells");
  for (std::size_t i = 0; i < row.size(); ++i) {
    const bool null = std::holds_alternative<Null>(row[i]);
    Require((fields[i] == "\\N") == null, "only NULL looks like NULL");
    if (!null) Require(Unescaped(fields[i]) == ExpectedText(row[i]), "a field is its cell");
  }
}

// Every name is one quoted name of the statement.
void CheckTarget(const CopyTarget& target) {
  if (!CheckCopyTarget(target, kLongestPostgresName).ok()) return;
  const std::string sql = CopyStatement(target);
  SqlLexer lexer(sql);
  std::size_t names = 0;
  std::string words;
  for (Token token = lexer.Next(); token.kind != TokenKind::kEnd; token = lexer.Next()) {
    names += token.kind == TokenKind::kQuotedName ? 1 : 0;
    if (token.kind == TokenKind::kWord) words += token.text;
    Require(token.kind != TokenKind::kLiteral, "no name becomes a literal");
  }
  Require(words == "COPYFROMSTDIN", "no name becomes a word of the statement");
  Require(names == target.columns.size() + (target.schema.empty() ? 1 : 2), "names stay names");
}

}  // namespace

void CopyText(std::string_view input) {
  Reader reader(input);
  CopyTarget target{.schema = std::string(reader.Text()), .table = std::string(reader.Text())};
  if (reader.Byte() % 2 == 1) target.columns = {std::string(reader.Text()), "b"};
  CheckTarget(target);
  Require(CopyLineOf(input, target.table) >= 0, "a line's number is none below zero");
  std::vector<Value> row;
  while (!reader.empty()) row.push_back(reader.Value());
  if (row.empty()) return;
  std::vector<Cell> cells;
  for (const Value& value : row) cells.push_back(CellOf(value));
  std::string lines = "before\n";
  const auto refused = AppendCopyLine(cells, lines);
  Require(lines.starts_with("before\n"), "what was there stays");
  if (refused) {
    Require(lines == "before\n", "a refused row leaves nothing");
    Require(std::holds_alternative<std::string>(row.at(refused->cell)), "only texts are refused");
  } else {
    CheckLine(row, std::string_view(lines).substr(7));
  }
}

}  // namespace emsdb::fuzz
