#include "server/commit_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>

#include "pool/errors.h"
#include "tests/support/status_matchers.h"

namespace emsdb {
namespace {

const NamedCommit kCommit{
    .database = "main",
    .id = {
        .transaction = 725,
        .server = {.system = 7711267445251054966, .incarnation = 1795419362703136, .timeline = 1}}};

void ExpectRefused(const std::string& token) {
  const auto commit = FromCommitToken(token);
  EXPECT_THAT(commit.status(), StatusIs(absl::StatusCode::kInvalidArgument)) << token;
  EXPECT_EQ(DetailOf(commit.status()).field, "commit_token");
}

TEST(CommitToken, IsPlainTextThatComesBackWhole) {
  const std::string token = ToCommitToken(kCommit);
  EXPECT_EQ(token.substr(0, 8), "c1.main.");
  EXPECT_THAT(token, testing::MatchesRegex("[a-z0-9._]+"));
  EXPECT_EQ(FromCommitToken(token).value(), kCommit);
}

TEST(CommitToken, KeepsEveryNumber) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 10000; ++i) {
    const NamedCommit commit{.database = i % 2 == 0 ? "telehealth" : "x_1",
                             .id = {.transaction = (random() >> (random() % 64)) | 1,
                                    .server = {.system = random(),
                                               .incarnation = random() >> (random() % 64),
                                               .timeline = static_cast<std::uint32_t>(random())}}};
    ASSERT_EQ(FromCommitToken(ToCommitToken(commit)).value(), commit);
  }
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  const NamedCommit largest{
      .database = "main",
      .id = {.transaction = kMost,
             .server = {.system = kMost, .incarnation = kMost, .timeline = 0xffffffff}}};
  EXPECT_EQ(FromCommitToken(ToCommitToken(largest)).value(), largest);
}

TEST(CommitToken, RefusesEverySlipOfOneOrTwoCharacters) {
  const std::string token = ToCommitToken(kCommit);
  constexpr char kAlphabet[] = "0123456789abcdefgmnix._-ABCXZ ";
  for (std::size_t at = 0; at < token.size(); ++at) {
    ExpectRefused(token.substr(0, at) + token.substr(at + 1));
    ExpectRefused(token.substr(0, at));
    for (const char wrong : std::string(kAlphabet)) {
      std::string changed = token;
      changed[at] = wrong;
      if (changed != token) ExpectRefused(changed);
      ExpectRefused(token.substr(0, at) + wrong + token.substr(at));
    }
    if (at > 0 && token[at] != token[at - 1]) {
      std::string swapped = token;
      std::swap(swapped[at], swapped[at - 1]);
      ExpectRefused(swapped);
    }
  }
}

TEST(CommitToken, RefusesGarbageWithoutReadingMoreThanItShould) {
  ExpectRefused("");
  ExpectRefused("c1");
  ExpectRefused("......");
  ExpectRefused(std::string(100000, 'a'));
  ExpectRefused(std::string("c1.main\0.1.1.1.1.1", 18));
  std::mt19937_64 random(2);
  const std::string token = ToCommitToken(kCommit);
  for (int i = 0; i < 20000; ++i) {
    std::string garbage;
    if (i % 2 == 0) {
      garbage.resize(random() % 120);
      for (char& c : garbage) c = static_cast<char>(random());
    } else {  // parts of a real one, in another order
      for (int part = 0; part < 4; ++part) {
        garbage += token.substr(random() % token.size(), random() % token.size());
      }
    }
    if (garbage != token) ExpectRefused(garbage);
  }
}

TEST(CommitToken, RefusesOneThatNamesNoCommit) {
  NamedCommit none = kCommit;
  none.id.transaction = 0;
  ExpectRefused(ToCommitToken(none));
}

}  // namespace
}  // namespace emsdb
