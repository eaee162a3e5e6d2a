#include "pool/postgres/copy_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <variant>

#include "absl/strings/str_format.h"
#include "pool/copy_target.h"
#include "pool/utf8.h"

namespace emsdb {
namespace {

constexpr char kNul[] = "a text with U+0000, which PostgreSQL cannot store; send bytes";
constexpr char kNotUtf8[] = "a text that is not valid UTF-8; send bytes";

// What stands behind the backslash in place of the character; 0: the character stands for itself.
constexpr char EscapeOf(char c) {
  switch (c) {
    case '\\':
      return '\\';
    case '\t':
      return 't';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    default:
      return 0;
  }
}

constexpr std::array<char, 256> kEscapes = [] {
  std::array<char, 256> escapes{};
  for (int c = 0; c < 256; ++c) {
    escapes[static_cast<std::size_t>(c)] = EscapeOf(static_cast<char>(c));
  }
  return escapes;
}();

void AppendEscaped(std::string_view text, std::string& line) {
  std::size_t plain = 0;  // where what was not yet appended begins
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char escape = kEscapes[static_cast<unsigned char>(text[i])];
    if (escape == 0) continue;
    line.append(text, plain, i - plain);
    line += {'\\', escape};
    plain = i + 1;
  }
  line.append(text, plain);
}

template <typename Number>
void AppendNumber(Number number, std::string& line) {
  std::array<char, 32> digits;
  line.append(digits.data(),
              std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

// Each gives the problem, empty if there is none.
struct CellWriter {
  std::string& line;

  std::string_view operator()(Null) const {
    line += "\\N";
    return {};
  }
  std::string_view operator()(bool value) const {
    line += value ? "true" : "false";
    return {};
  }
  std::string_view operator()(std::int64_t value) const {
    AppendNumber(value, line);
    return {};
  }
  std::string_view operator()(double value) const {
    if (std::isnan(value)) {
      line += "NaN";
    } else if (std::isinf(value)) {
      line += value > 0 ? "Infinity" : "-Infinity";
    } else {
      AppendNumber(value, line);
    }
    return {};
  }
  std::string_view operator()(std::string_view text) const {
    if (text.find('\0') != std::string_view::npos) return kNul;
    if (!IsUtf8(text)) return kNotUtf8;
    AppendEscaped(text, line);
    return {};
  }
  std::string_view operator()(BytesView bytes) const {
    constexpr char kDigits[] = "0123456789abcdef";
    line += "\\\\x";
    for (const char byte : bytes.data) {
      const auto value = static_cast<unsigned char>(byte);
      line += {kDigits[value >> 4], kDigits[value & 15]};
    }
    return {};
  }
};

}  // namespace

std::optional<CopyRefusal> AppendCopyLine(std::span<const Cell> cells, std::string& lines) {
  const std::size_t before = lines.size();
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) lines += '\t';
    const std::string_view problem = std::visit(CellWriter{lines}, cells[i]);
    if (problem.empty()) continue;
    lines.resize(before);
    return CopyRefusal{i, problem};
  }
  lines += '\n';
  return std::nullopt;
}

std::string CopyStatement(const CopyTarget& target) {
  return absl::StrFormat("COPY %s%s FROM STDIN", QuotedTable(target), QuotedColumns(target));
}

std::int64_t CopyLineOf(std::string_view context, std::string_view table) {
  // The server may say the words in another language; the names and the number stay. The first line
  // that fits is the server's own: contents come behind it.
  constexpr std::size_t kMostWords = 24;
  const std::string begin = absl::StrFormat("COPY %s, ", table);
  for (std::size_t at = 0; at < context.size();) {
    const std::string_view line = context.substr(at, context.find('\n', at) - at);
    at += line.size() + 1;
    if (!line.starts_with(begin)) continue;
    const std::string_view rest = line.substr(begin.size());
    const std::size_t digits = rest.find_first_of("0123456789");
    if (digits == std::string_view::npos || digits > kMostWords) continue;
    std::int64_t number = 0;
    std::from_chars(rest.data() + digits, rest.data() + rest.size(), number);
    return number;
  }
  return 0;
}

}  // namespace emsdb
