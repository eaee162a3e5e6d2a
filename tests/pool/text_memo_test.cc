#include "pool/text_memo.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace emsdb {
namespace {

std::atomic<int> found{0};

// Says the text itself, so that a mix-up shows.
std::string Echo(std::string_view text) {
  ++found;
  return std::string(text);
}

TEST(TextMemo, FindsOutOnceWhatComesAgain) {
  TextMemo<std::string> memo(Echo);
  found = 0;
  EXPECT_EQ(*memo.Of("SELECT 1"), "SELECT 1");
  EXPECT_EQ(*memo.Of(std::string("SELECT 1")), "SELECT 1");
  EXPECT_EQ(found, 1);
}

TEST(TextMemo, NeverTakesOneTextForAnother) {
  // Many times more than there are places: most of them share one.
  TextMemo<std::string> memo(Echo);
  constexpr int kTexts = 5000;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < kTexts; ++i) {
      const std::string text = "SELECT " + std::to_string(i);
      ASSERT_EQ(*memo.Of(text), text);
    }
  }
}

TEST(TextMemo, KeepsWhatIsStillInUseWhenAnotherTakesItsPlace) {
  TextMemo<std::string> memo(Echo);
  const auto first = memo.Of("SELECT 'the first'");
  for (int i = 0; i < 5000; ++i) memo.Of("SELECT " + std::to_string(i));
  EXPECT_EQ(*first, "SELECT 'the first'");
}

TEST(TextMemo, DoesNotKeepLongTexts) {
  TextMemo<std::string> memo(Echo);
  const std::string text(TextMemo<std::string>::kLongest + 1, 'x');
  found = 0;
  EXPECT_EQ(*memo.Of(text), text);
  EXPECT_EQ(*memo.Of(text), text);
  EXPECT_EQ(found, 2);
}

TEST(TextMemo, AnswersSeveralThreadsWithTheRightFacts) {
  TextMemo<std::string> memo(Echo);
  constexpr int kThreads = 4;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 3000; ++round) {
        const std::string text = "SELECT " + std::to_string((round * (i + 1)) % 1500);
        if (*memo.Of(text) != text) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace emsdb
