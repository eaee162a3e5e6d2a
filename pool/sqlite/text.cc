#include "pool/sqlite/text.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace emsdb::sqlite {
namespace {

unsigned char At(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

// The length of the well-formed sequence at the start of `text`, which is not empty; 0 if there is
// none.
std::size_t SequenceLength(std::string_view text) {
  const unsigned char first = At(text, 0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((At(text, i) & 0xC0) != 0x80) return 0;
  }
  const unsigned char second = At(text, 1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool surrogate = first == 0xED && second >= 0xA0;
  const bool too_large = first == 0xF4 && second >= 0x90;
  return overlong || surrogate || too_large ? 0 : length;
}

// Eight bytes of ASCII at a stroke: most text is, and every cell comes through here.
std::size_t AsciiPrefix(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;
  std::size_t length = 0;
  for (std::uint64_t block = 0; text.size() - length >= sizeof block; length += sizeof block) {
    std::memcpy(&block, text.data() + length, sizeof block);
    if ((block & kHighBits) != 0) break;
  }
  return length;
}

}  // namespace

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    text.remove_prefix(AsciiPrefix(text));
    if (text.empty()) break;
    const std::size_t length = SequenceLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string_view TextProblem(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return "contains U+0000";
  if (!IsUtf8(text)) return "is not UTF-8";
  return {};
}

int CharacterPosition(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto starts = std::count_if(before.begin(), before.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  });
  return static_cast<int>(starts) + 1;
}

bool IsBlankSql(std::string_view sql) {
  constexpr std::string_view kBlank = " \t\n\f\r;";
  while (!sql.empty()) {
    if (kBlank.find(sql[0]) != std::string_view::npos) {
      sql.remove_prefix(1);
    } else if (sql.starts_with("--")) {
      sql.remove_prefix(std::min(sql.find('\n'), sql.size()));
    } else if (sql.starts_with("/*")) {
      const std::size_t end = sql.find("*/", 2);
      sql.remove_prefix(end == std::string_view::npos ? sql.size() : end + 2);
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace emsdb::sqlite
