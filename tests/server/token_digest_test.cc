#include "server/token_digest.h"

#include <gtest/gtest.h>

#include <string>

namespace emsdb {
namespace {

// The digest of "abc", from the standard's own examples.
constexpr char kAbc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(TokenDigest, IsTheSha256OfTheToken) {
  const auto known = TokenDigest::FromHex(kAbc);
  ASSERT_TRUE(known);
  EXPECT_TRUE(TokenDigest::Of("abc").Equals(*known));
  EXPECT_FALSE(TokenDigest::Of("abd").Equals(*known));
  EXPECT_FALSE(TokenDigest::Of("").Equals(*known));
}

TEST(TokenDigest, TakesDigitsInBothCases) {
  std::string upper = kAbc;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_TRUE(TokenDigest::FromHex(upper)->Equals(*TokenDigest::FromHex(kAbc)));
}

TEST(TokenDigest, SeesADifferenceInAnyPlace) {
  const auto known = TokenDigest::FromHex(kAbc);
  for (std::size_t i = 0; i < 64; ++i) {
    std::string other = kAbc;
    other[i] = other[i] == '0' ? '1' : '0';
    EXPECT_FALSE(TokenDigest::FromHex(other)->Equals(*known)) << i;
  }
}

TEST(TokenDigest, IsMadeOf64DigitsAlone) {
  EXPECT_FALSE(TokenDigest::FromHex(""));
  EXPECT_FALSE(TokenDigest::FromHex(std::string(63, 'a')));
  EXPECT_FALSE(TokenDigest::FromHex(std::string(65, 'a')));
  EXPECT_FALSE(TokenDigest::FromHex(std::string(63, 'a') + "g"));
  EXPECT_FALSE(TokenDigest::FromHex(std::string(63, 'a') + " "));
}

}  // namespace
}  // namespace emsdb
