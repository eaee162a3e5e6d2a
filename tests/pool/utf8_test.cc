#include "pool/utf8.h"

#include <gtest/gtest.h>

namespace emsdb {
namespace {

TEST(Utf8, IsKnownFromWhatOnlyLooksLikeIt) {
  for (const char* text :
       {"", "ascii only, and more than eight bytes", "Grüße", "世界", "12345678ä", "\xef\xbf\xbf",
        "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf", "\u07FF\u0800\uFFFF\U00010000", "\uD7FF\uE000"}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
  }
  for (const char* text : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
                           "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
                           "a\xc3", "long enough \xc3", "\xe4\xbd", "\xc3(", "12345678\xff"}) {
    EXPECT_FALSE(IsUtf8(text)) << text;
  }
}

// T54
TEST(Utf8, CanBeMadeOfAnyBytes) {
  EXPECT_EQ(MakeUtf8("r\xc3\xb4le"), "r\xc3\xb4le");
  EXPECT_EQ(MakeUtf8("r\xf4le \xab"
                     "a\xbb"),
            "r?le ?a?");
  EXPECT_EQ(MakeUtf8("cut \xe2\x82"), "cut ??");
  EXPECT_EQ(MakeUtf8(""), "");
}

// T54
TEST(Utf8, IsNotAllThatTextNeeds) {
  EXPECT_EQ(TextProblem("Grüße"), "");
  EXPECT_EQ(TextProblem(std::string_view("a\0b", 3)), "contains U+0000");
  EXPECT_EQ(TextProblem("a\xff"), "is not valid UTF-8");
}

TEST(Utf8, IsCutBetweenCharactersOnly) {
  EXPECT_EQ(FrontOf("abc", 3), "abc");
  EXPECT_EQ(FrontOf("abc", 2), "ab");
  EXPECT_EQ(FrontOf("aüb", 2), "a");
  EXPECT_EQ(FrontOf("aüb", 3), "aü");
  EXPECT_EQ(FrontOf("世", 2), "");
  EXPECT_EQ(FrontOf("", 0), "");
  EXPECT_EQ(Shortened("aüb", 3), "aü...");
  EXPECT_EQ(Shortened("aüb", 4), "aüb");
}

}  // namespace
}  // namespace emsdb
