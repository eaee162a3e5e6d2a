#include "client/cli/terminal_text.h"

#include <clocale>
#include <cwchar>

#include "absl/strings/str_format.h"

namespace emsdb::client::cli {
namespace {

// What an ASCII-only user's locale would call unprintable is fine on a terminal of today.
locale_t Utf8() {
  static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

int SystemWidth(char32_t code) {
  const locale_t before = uselocale(Utf8() == nullptr ? LC_GLOBAL_LOCALE : Utf8());
  const int width = wcwidth(static_cast<wchar_t>(code));
  uselocale(before);
  return width;
}

bool TurnsTheWritingDirection(char32_t code) {
  return (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) ||
         code == 0x200E || code == 0x200F || code == 0x061C;
}

// How many bytes the character that begins so has; 0 for what cannot begin one.
std::size_t LengthByLead(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

char32_t Decode(std::string_view bytes) {
  constexpr unsigned char kLeadMask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t code = static_cast<unsigned char>(bytes[0]) & kLeadMask[bytes.size()];
  for (const char c : bytes.substr(1)) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) != 0x80) return kNotUtf8;
    code = (code << 6) | (byte & 0x3F);
  }
  const bool overlong =
      (bytes.size() == 3 && code < 0x800) || (bytes.size() == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return overlong || surrogate || code > 0x10FFFF ? kNotUtf8 : code;
}

std::string Escaped(const Character& character) {
  switch (character.code) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      break;
  }
  if (character.code == kNotUtf8 || character.code < 0x80) {
    return absl::StrFormat("\\x%02X", static_cast<unsigned char>(character.bytes[0]));
  }
  return absl::StrFormat("\\u%04X", static_cast<unsigned>(character.code));
}

}  // namespace

Character TakeCharacter(std::string_view& text) {
  const std::size_t length = LengthByLead(static_cast<unsigned char>(text[0]));
  Character character{.code = kNotUtf8, .bytes = text.substr(0, 1)};
  if (length != 0 && length <= text.size()) {
    const char32_t code = Decode(text.substr(0, length));
    if (code != kNotUtf8) character = {.code = code, .bytes = text.substr(0, length)};
  }
  text.remove_prefix(character.bytes.size());
  return character;
}

int CharacterWidth(char32_t code) {
  if (code >= 0x20 && code < 0x7F) return 1;
  if (code == kNotUtf8 || code < 0xA0 || TurnsTheWritingDirection(code)) return -1;
  return SystemWidth(code);
}

std::size_t DisplayWidth(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const int one = CharacterWidth(TakeCharacter(text).code);
    if (one > 0) width += static_cast<std::size_t>(one);
  }
  return width;
}

std::string EscapeForTerminal(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character character = TakeCharacter(text);
    if (CharacterWidth(character.code) >= 0) {
      out.append(character.bytes);
    } else {
      out.append(Escaped(character));
    }
  }
  return out;
}

}  // namespace emsdb::client::cli
