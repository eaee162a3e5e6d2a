#include "pool/postgres/copy_text.h"

#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

namespace emsdb {
namespace {

std::string Line(std::vector<Cell> cells) {
  std::string lines;
  const auto refused = AppendCopyLine(cells, lines);
  return refused ? "refused" : lines;
}

// What PostgreSQL's documentation says of the text format, read back: a cell's text, or nothing for
// NULL. An escape it does not need is a mistake here.
std::vector<std::optional<std::string>> ReadLine(std::string_view line) {
  std::vector<std::optional<std::string>> cells(1, std::string());
  EXPECT_TRUE(line.ends_with('\n'));
  line.remove_suffix(1);
  for (std::size_t i = 0; i < line.size(); ++i) {
    EXPECT_NE(line[i], '\n') << "a line within the line";
    EXPECT_NE(line[i], '\r');
    if (line[i] == '\t') {
      cells.emplace_back(std::string());
    } else if (line[i] != '\\') {
      *cells.back() += line[i];
    } else {
      const char escaped = line[++i];
      if (escaped == 'N') {
        EXPECT_EQ(cells.back(), "");
        cells.back().reset();
        EXPECT_TRUE(i + 1 == line.size() || line[i + 1] == '\t');
      } else {
        const char* const found = std::strchr("\\\\t\tn\nr\r", escaped);
        EXPECT_NE(found, nullptr);
        *cells.back() += escaped == '\\' ? '\\' : found[1];
      }
    }
  }
  return cells;
}

TEST(CopyText, WritesEveryKindOfCell) {
  EXPECT_EQ(Line({Null{}, true, false, std::int64_t{-5}, 0.1, std::string_view("x"),
                  BytesView{std::string_view("\0\xff", 2)}}),
            "\\N\ttrue\tfalse\t-5\t0.1\tx\t\\\\x00ff\n");
}

// T49
TEST(CopyText, TellsNullFromEmptyAndFromItsOwnSign) {
  EXPECT_EQ(Line({Null{}, std::string_view(""), std::string_view("\\N")}), "\\N\t\t\\\\N\n");
  EXPECT_EQ(Line({std::string_view("\\.")}), "\\\\.\n");
}

// T52
TEST(CopyText, WritesDoublesThatAreNoNumbersAsPostgresqlReadsThem) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(Line({std::nan(""), kInfinity, -kInfinity, -0.0}), "NaN\tInfinity\t-Infinity\t-0\n");
}

TEST(CopyText, EndsNoLineWithinACell) {
  EXPECT_EQ(Line({std::string_view("a\tb\nc\rd\\e")}), "a\\tb\\nc\\rd\\\\e\n");
}

// T54
TEST(CopyText, RefusesTextThatIsNoneAndLeavesTheLinesAsTheyWere) {
  std::string lines = "1\n";
  const std::vector<Cell> nul = {std::int64_t{2}, std::string_view("a\0b", 3)};
  const auto refused = AppendCopyLine(nul, lines);
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->cell, 1U);
  EXPECT_NE(refused->problem.find("U+0000"), std::string_view::npos);
  EXPECT_EQ(lines, "1\n");
  const std::vector<Cell> no_utf8 = {std::string_view("\xed\xa0\x80")};
  EXPECT_TRUE(AppendCopyLine(no_utf8, lines).has_value());
  EXPECT_EQ(lines, "1\n");
}

// A property: whatever is written is read back as it was.
TEST(CopyText, IsReadBackAsItWasWritten) {
  std::mt19937_64 random(20240607);
  constexpr std::string_view kAlphabet[] = {"\\", "\t", "\n", "\r", "N",  ".",  "t",    "x", "\"",
                                            ",",  "ä",  "世", "🚑",  "\b", "\v", "\x7f", " "};
  for (int round = 0; round < 20000; ++round) {
    std::vector<std::string> texts(1 + random() % 5);
    std::vector<std::optional<std::string>> expected;
    std::vector<Cell> cells;
    for (std::string& text : texts) {
      for (std::size_t left = random() % 12; left > 0; --left) {
        text += kAlphabet[random() % std::size(kAlphabet)];
      }
      switch (random() % 4) {
        case 0:
          cells.emplace_back(Null{});
          expected.emplace_back(std::nullopt);
          break;
        case 1: {
          const auto number = static_cast<std::int64_t>(random());
          cells.emplace_back(number);
          expected.emplace_back(std::to_string(number));
          break;
        }
        default:
          cells.emplace_back(std::string_view(text));
          expected.emplace_back(text);
      }
    }
    std::string lines;
    ASSERT_FALSE(AppendCopyLine(cells, lines).has_value());
    ASSERT_EQ(ReadLine(lines), expected) << lines;
  }
}

TEST(CopyText, GivesDoublesAndBytesBackBitForBit) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 20000; ++round) {
    const std::uint64_t bits = random();
    double number = 0;
    std::memcpy(&number, &bits, sizeof number);
    if (!std::isfinite(number)) continue;
    const std::string text = *ReadLine(Line({number}))[0];
    double back = 0;
    std::from_chars(text.data(), text.data() + text.size(), back);
    ASSERT_EQ(std::bit_cast<std::uint64_t>(back), bits) << text;

    std::string bytes(bits % 9, '\0');
    std::memcpy(bytes.data(), &bits, std::min<std::size_t>(bytes.size(), 8));
    const std::string hex = *ReadLine(Line({BytesView{bytes}}))[0];
    ASSERT_EQ(hex.substr(0, 2), "\\x");
    ASSERT_EQ(hex.size(), 2 + 2 * bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      ASSERT_EQ(std::stoi(hex.substr(2 + 2 * i, 2), nullptr, 16),
                static_cast<unsigned char>(bytes[i]));
    }
  }
}

// T41, T65
TEST(CopyText, QuotesEveryName) {
  EXPECT_EQ(CopyStatement({.table = "t"}), "COPY \"t\" FROM STDIN");
  EXPECT_EQ(CopyStatement(
                {.schema = "S \"x", .table = "t FROM PROGRAM 'rm' --", .columns = {"a", "b\" c"}}),
            "COPY \"S \"\"x\".\"t FROM PROGRAM 'rm' --\" (\"a\", \"b\"\" c\") FROM STDIN");
}

TEST(CopyText, FindsTheLineThatTheServerBlames) {
  EXPECT_EQ(CopyLineOf("COPY units, line 5, column id: \"x\"", "units"), 5);
  EXPECT_EQ(CopyLineOf("COPY units, Zeile 12: »x«", "units"), 12);
  EXPECT_EQ(CopyLineOf("PL/pgSQL function f() line 3 at RAISE\nCOPY units, line 7: \"x\"", "units"),
            7);
  EXPECT_EQ(CopyLineOf("COPY units, line 5, column id: \"\nCOPY units, line 9\"", "units"), 5);
  EXPECT_EQ(CopyLineOf("COPY a, line 3, line 5", "a, line 3"), 5);
  EXPECT_EQ(CopyLineOf("COPY units", "units"), 0);
  EXPECT_EQ(CopyLineOf("SQL statement \"COPY units, line 5\"", "units"), 0);
  EXPECT_EQ(CopyLineOf("", "units"), 0);
}

}  // namespace
}  // namespace emsdb
