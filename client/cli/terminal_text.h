// Text of unknown origin on a terminal: how wide it is, and how to keep it from steering the
// terminal. A cell may hold any character, also those that move the cursor or set its title.
#ifndef EMSDB_CLIENT_CLI_TERMINAL_TEXT_H_
#define EMSDB_CLIENT_CLI_TERMINAL_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace emsdb::client::cli {

// Takes the first character off `text`, which is not empty. A byte that is not UTF-8 gives
// kNotUtf8 and is taken alone.
inline constexpr char32_t kNotUtf8 = 0xFFFFFFFF;
struct Character {
  char32_t code;
  std::string_view bytes;
};
Character TakeCharacter(std::string_view& text);

// Columns that the character takes on a terminal: 0, 1 or 2; -1 if it must not be shown as it is
// (controls, marks that turn the writing direction, what is not UTF-8).
int CharacterWidth(char32_t code);

// The columns of a text that was made by EscapeForTerminal.
std::size_t DisplayWidth(std::string_view text);

// Everything that must not be shown becomes \n, \t, \x1B or \u202E.
std::string EscapeForTerminal(std::string_view text);

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_TERMINAL_TEXT_H_
