// Gateway and client agree on what is UTF-8; what is mended or shortened is UTF-8, and what goes to
// a terminal cannot steer it.
#include <string>

#include "client/cli/terminal_text.h"
#include "client/text_check.h"
#include "pool/utf8.h"
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
  Require(client::IsUtf8(input) == valid, "client and gateway agree on what is UTF-8");
  const bool fit = valid && input.find('\0') == std::string_view::npos;
  Require(TextProblem(input).empty() == fit, "a driver takes what is fit");
  Require(client::TextProblem(input).empty() == fit, "the client sends what is fit");
  const std::string mended = MakeUtf8(input);
  Require(IsUtf8(mended), "what was mended is UTF-8");
  Require(!valid || mended == input, "what is UTF-8 needs no mending");
  const std::size_t most = input.empty() ? 0 : static_cast<unsigned char>(input[0]);
  const std::string_view front = FrontOf(input, most);
  Require(front.size() <= most && input.starts_with(front), "the front is of the text");
  Require(!valid || (IsUtf8(front) && (front.size() == input.size() || front.size() + 3 >= most)),
          "the front of UTF-8 is UTF-8, and no shorter than it must be");
  CheckTerminalText(input);
}

}  // namespace emsdb::fuzz
