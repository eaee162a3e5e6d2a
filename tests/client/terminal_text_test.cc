#include "client/cli/terminal_text.h"

#include <gtest/gtest.h>

namespace emsdb::client::cli {
namespace {

TEST(TerminalText, CountsColumnsNotBytes) {
  EXPECT_EQ(DisplayWidth("abc"), 3u);
  EXPECT_EQ(DisplayWidth("Zürich"), 6u);
  EXPECT_EQ(DisplayWidth("救急"), 4u);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1u);  // with a combining accent
  EXPECT_EQ(DisplayWidth(""), 0u);
}

TEST(TerminalText, KeepsWhatCanBeShown) {
  EXPECT_EQ(EscapeForTerminal("Zürich 救急 \\ \"'"), "Zürich 救急 \\ \"'");
}

TEST(TerminalText, LetsNoCellSteerTheTerminal) {
  EXPECT_EQ(EscapeForTerminal("\x1b[2J"), "\\x1B[2J");
  EXPECT_EQ(EscapeForTerminal("a\nb\tc\rd"), "a\\nb\\tc\\rd");
  EXPECT_EQ(EscapeForTerminal(std::string("\0\x7f\a", 3)), "\\x00\\x7F\\x07");
  EXPECT_EQ(EscapeForTerminal("\u009b31m"), "\\u009B31m");  // the one-character CSI
  EXPECT_EQ(EscapeForTerminal("user\u202etxt.exe"), "user\\u202Etxt.exe");
}

TEST(TerminalText, EscapesWhatIsNotUtf8ByteByByte) {
  EXPECT_EQ(EscapeForTerminal("a\xff\xc3"), "a\\xFF\\xC3");
  EXPECT_EQ(EscapeForTerminal("\xc0\xaf"), "\\xC0\\xAF");           // overlong
  EXPECT_EQ(EscapeForTerminal("\xed\xa0\x80"), "\\xED\\xA0\\x80");  // a surrogate
}

}  // namespace
}  // namespace emsdb::client::cli
