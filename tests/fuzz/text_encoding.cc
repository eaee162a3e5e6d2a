// All that tell UTF-8 from other bytes agree; what is mended is UTF-8, and what goes to a terminal
// cannot steer it.
#include <string>

#include "client/cli/terminal_text.h"
#include "client/text_check.h"
#include "pool/postgres/values.h"
#include "pool/sqlite/text.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/targets.h"

namespace emsdb::fuzz {
namespace {

void CheckTerminalText(std::string_view text) {
  const std::string escaped = client::cli::EscapeForTerminal(text);
  Require(IsUtf8(escaped), "what goes to a terminal is UTF-8");
  std::string_view rest = escaped;
  std::size_t width = 0;
  while (!rest.empty()) {
    const int columns = client::cli::CharacterWidth(client::cli::TakeCharacter(rest).code);
    Require(columns >= 0, "what goes to a terminal has only characters that may be shown");
    width += static_cast<std::size_t>(columns);
  }
  Require(client::cli::DisplayWidth(escaped) == width, "the width is that of the characters");
}

}  // namespace

void TextEncoding(std::string_view input) {
  const bool valid = IsUtf8(input);
  Require(sqlite::IsUtf8(input) == valid, "both drivers agree on what is UTF-8");
  Require(client::IsUtf8(input) == valid, "client and gateway agree on what is UTF-8");
  const bool fit = valid && input.find('\0') == std::string_view::npos;
  Require(sqlite::TextProblem(input).empty() == fit, "SQLite's driver takes what is fit");
  Require(client::TextProblem(input).empty() == fit, "the client sends what is fit");
  const std::string mended = MakeUtf8(input);
  Require(IsUtf8(mended), "what was mended is UTF-8");
  Require(!valid || mended == input, "what is UTF-8 needs no mending");
  CheckTerminalText(input);
}

}  // namespace emsdb::fuzz
