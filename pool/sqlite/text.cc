#include "pool/sqlite/text.h"

#include <algorithm>

namespace emsdb::sqlite {

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
