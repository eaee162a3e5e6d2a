// The statements of a script have, in order, all tokens of the script but the semicolons between
// them, and each of them is one statement.
#include <string>
#include <vector>

#include "client/cli/statement_splitter.h"
#include "pool/sql_lexer.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/targets.h"

namespace emsdb::fuzz {
namespace {

// As the gateway sees them. Without semicolons: inside a function's body they stay.
void AppendTokens(std::string_view sql, std::vector<std::string>& tokens) {
  SqlLexer lexer(sql);
  for (Token token = lexer.Next(); token.kind != TokenKind::kEnd; token = lexer.Next()) {
    if (token.text != ";") tokens.emplace_back(token.text);
  }
}

}  // namespace

void ScriptSplitter(std::string_view input) {
  const auto statements = client::cli::SplitScript(input);
  // SQLite's second quote for names is an operator in PostgreSQL: a script has none.
  if (!statements.ok() || input.find('`') != std::string_view::npos) return;
  std::vector<std::string> all;
  std::vector<std::string> split;
  AppendTokens(input, all);
  int line = 1;
  for (const auto& statement : *statements) {
    Require(!statement.sql.empty(), "a statement has a text");
    Require(statement.line >= line, "lines grow");
    line = statement.line;
    AppendTokens(statement.sql, split);
    const auto again = client::cli::SplitScript(statement.sql);
    Require(again.ok() && again->size() == 1 && again->front().sql == statement.sql,
            "a statement by itself is one");
  }
  Require(split == all, "client and gateway see the same tokens");
}

}  // namespace emsdb::fuzz
