#include "pool/kept_answers.h"

#include <gtest/gtest.h>

#include <string>

#include "pool/errors.h"

namespace emsdb {
namespace {

KeptAnswer Body(std::size_t bytes) { return {absl::OkStatus(), std::string(bytes, 'x')}; }

TEST(KeptAnswers, GivesBackTheLastAnswerOfEachTransaction) {
  KeptAnswers answers;
  answers.Put("a", {absl::AbortedError("lost"), {}});
  answers.Put("b", Body(3));
  ASSERT_NE(answers.Find("a"), nullptr);
  EXPECT_EQ(answers.Find("a")->status.message(), "lost");
  answers.Put("a", Body(5));
  EXPECT_TRUE(answers.Find("a")->status.ok());
  EXPECT_EQ(answers.Find("a")->body, "xxxxx");
  EXPECT_EQ(answers.Find("b")->body, "xxx");
  answers.Drop("a");
  EXPECT_EQ(answers.Find("a"), nullptr);
  answers.Drop("a");
  answers.Drop("b");
  EXPECT_EQ(answers.bytes(), 0U);
}

TEST(KeptAnswers, KeepsNothingOfAnAnswerThatIsTooLargeNorTheOneBeforeIt) {
  KeptAnswers answers({.one = 100, .all = 100000});
  answers.Put("a", Body(100));
  EXPECT_NE(answers.Find("a"), nullptr);
  answers.Put("a", Body(5000));
  EXPECT_EQ(answers.Find("a"), nullptr);
  EXPECT_EQ(answers.bytes(), 0U);
}

// An error's details take memory as a body does: a database's may be long.
TEST(KeptAnswers, CountsTheDetailsOfAnError) {
  const auto refused = [](std::size_t bytes) {
    return KeptAnswer{
        WithDetail(absl::AbortedError("no"), {.reason = "X", .hint = std::string(bytes, 'x')}), {}};
  };
  KeptAnswers answers({.one = 5000, .all = 12000});
  answers.Put("a", refused(4000));
  EXPECT_GT(answers.bytes(), 4000U);
  answers.Put("b", refused(4000));
  EXPECT_GT(answers.bytes(), 8000U);
  answers.Put("c", refused(4000));
  EXPECT_EQ(answers.Find("a"), nullptr);
  EXPECT_NE(answers.Find("c"), nullptr);
  answers.Put("c", refused(6000));
  EXPECT_EQ(answers.Find("c"), nullptr);
}

TEST(KeptAnswers, LetsTheOldestMakeRoomAndNeverTakesMoreThanItMay) {
  const KeptAnswers::Limits limits{.one = 1000, .all = 10000};
  KeptAnswers answers(limits);
  for (int i = 0; i < 1000; ++i) {
    answers.Put(std::to_string(i % 50), Body(static_cast<std::size_t>(i)));
    EXPECT_LE(answers.bytes(), limits.all);
    EXPECT_NE(answers.Find(std::to_string(i % 50)), nullptr);
  }
  EXPECT_EQ(answers.Find("0"), nullptr);
  EXPECT_NE(answers.Find("48"), nullptr);
}

}  // namespace
}  // namespace emsdb
