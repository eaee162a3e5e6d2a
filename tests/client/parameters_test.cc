#include "client/cli/parameters.h"

#include <gtest/gtest.h>

#include <limits>

namespace emsdb::client::cli {
namespace {

TEST(Parameters, OfJsonHaveTheirExactKind) {
  EXPECT_EQ(ValueFromJsonText("null").value(), Value());
  EXPECT_EQ(ValueFromJsonText("true").value(), Value(true));
  EXPECT_EQ(ValueFromJsonText("42").value(), Value(42));
  EXPECT_EQ(ValueFromJsonText("-0.5e3").value(), Value(-500.0));
  EXPECT_EQ(ValueFromJsonText("1.0").value(), Value(1.0));
  EXPECT_EQ(ValueFromJsonText(R"("null")").value(), Value("null"));
  EXPECT_EQ(ValueFromJsonText(R"("")").value(), Value(""));
  EXPECT_EQ(ValueFromJsonText(R"({"hex": "00ff"})").value(),
            Value(Bytes{std::string("\0\xff", 2)}));
}

// T50
TEST(Parameters, OfJsonKeepAllDigitsOrAreRefused) {
  EXPECT_EQ(ValueFromJsonText("9223372036854775807").value(),
            Value(std::numeric_limits<std::int64_t>::max()));
  EXPECT_EQ(ValueFromJsonText("-9223372036854775808").value(),
            Value(std::numeric_limits<std::int64_t>::min()));
  for (const char* text :
       {"9223372036854775808", "-9223372036854775809", "123456789012345678901234567890", "1e999"}) {
    EXPECT_FALSE(ValueFromJsonText(text).ok()) << text;
  }
}

TEST(Parameters, OfJsonMayHoldLongDigitsInsideTexts) {
  EXPECT_EQ(ValueFromJsonText(R"("\"123456789012345678901234567890")").value(),
            Value("\"123456789012345678901234567890"));
}

TEST(Parameters, OfJsonAreOneValueAndNothingElse) {
  for (const char* text : {"", "nul", "[1]", "{}", "1 2", "text", R"({"hex": 1})",
                           R"({"hex": "00", "x": 1})", R"({"hex": "00", "hex": "01"})"}) {
    EXPECT_FALSE(ValueFromJsonText(text).ok()) << text;
  }
}

TEST(Parameters, OfHexAreBytes) {
  EXPECT_EQ(ValueFromHex("").value(), Value(Bytes{}));
  EXPECT_EQ(ValueFromHex("00fF").value(), Value(Bytes{std::string("\0\xff", 2)}));
  EXPECT_EQ(ValueFromHex("\\x41").value(), Value(Bytes{"A"}));
  EXPECT_FALSE(ValueFromHex("0").ok());
  EXPECT_FALSE(ValueFromHex("0g").ok());
}

}  // namespace
}  // namespace emsdb::client::cli
