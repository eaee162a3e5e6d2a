#include "pool/postgres/session.h"

#include <gtest/gtest.h>

#include "pool/postgres/step.h"

namespace emsdb {
namespace {

constexpr Instant kNow{std::chrono::hours(5)};

// T5
TEST(PostgresSession, NeverTurnsAShortDeadlineIntoNone) {
  EXPECT_EQ(StatementTimeout(kNow, kNow + std::chrono::microseconds(1)), "1");
  EXPECT_EQ(StatementTimeout(kNow, kNow), "1");
  EXPECT_EQ(StatementTimeout(kNow, kNow - std::chrono::hours(1)), "1");
  EXPECT_EQ(StatementTimeout(kNow, kNow + std::chrono::microseconds(1001)), "2");
  EXPECT_EQ(StatementTimeout(kNow, kNow + std::chrono::hours(24 * 365)), "2147483647");
  EXPECT_EQ(StatementTimeout(kNow, kNever), "0");
}

TEST(PostgresSession, ShowsACallerInPrintableAsciiOnly) {
  EXPECT_EQ(ApplicationName("", "gateway"), "gateway");
  EXPECT_EQ(ApplicationName(std::string_view("a\0\n\x7f'", 5), "g"), "a?\?\?'");
  EXPECT_EQ(ApplicationName(std::string(100, 'x'), "g"), std::string(63, 'x'));
}

TEST(PostgresSession, BeginsWithEveryChoiceSpelledOut) {
  EXPECT_EQ(BeginText({}), "BEGIN");
  EXPECT_EQ(
      BeginText(
          {.isolation = Isolation::kSerializable, .access = Access::kReadOnly, .deferrable = true}),
      "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE");
}

TEST(PostgresSession, TakesTheNumbersOutOfACommandTag) {
  EXPECT_EQ(CommandOf("INSERT 0 3"), "INSERT");
  EXPECT_EQ(CommandOf("CREATE TABLE"), "CREATE TABLE");
  EXPECT_EQ(CommandOf(""), "");
}

}  // namespace
}  // namespace emsdb
