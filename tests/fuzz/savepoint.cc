// A name that is accepted is, in the statement, one quoted name and nothing beside it.
#include "pool/savepoint.h"

#include <string>
#include <vector>

#include "pool/sql_lexer.h"
#include "pool/utf8.h"
#include "tests/fuzz/reader.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/targets.h"

namespace emsdb::fuzz {
namespace {

std::string Unquoted(std::string_view quoted) {
  std::string name;
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    name += quoted[i];
    if (quoted[i] == '"') ++i;
  }
  return name;
}

}  // namespace

void Savepoint(std::string_view input) {
  Reader reader(input);
  const SavepointAction action{.verb = static_cast<SavepointVerb>(reader.Byte() % 3),
                               .name = std::string(reader.Rest())};
  const bool accepted = CheckSavepointName(action).ok();
  Require(accepted == (!action.name.empty() && action.name.size() <= 63 &&
                       TextProblem(action.name).empty()),
          "1 to 63 bytes of UTF-8 without U+0000 are a name, and nothing else is");
  if (!accepted) return;
  const std::string sql = SavepointText(action);
  SqlLexer lexer(sql);
  Token token = lexer.Next();
  while (token.kind == TokenKind::kWord) token = lexer.Next();
  Require(token.kind == TokenKind::kQuotedName, "the name is quoted");
  Require(Unquoted(token.text) == action.name, "the quoted name is the name");
  Require(lexer.Next().kind == TokenKind::kEnd, "nothing comes behind the name");
}

}  // namespace emsdb::fuzz
