#include "client/cli/error_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/error_info.h"

namespace emsdb::client::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(CaretLines, PointAtTheCharacter) {
  EXPECT_EQ(CaretLines("select nme", 8),
            "LINE 1: select nme\n"
            "               ^\n");
}

TEST(CaretLines, ShowOnlyTheLineOfThePosition) {
  EXPECT_EQ(CaretLines("select 1,\n  nme\nfrom t", 13),
            "LINE 2:   nme\n"
            "          ^\n");
  EXPECT_EQ(CaretLines("select 1,\r\n  nme\r\nfrom t", 14),
            "LINE 2:   nme\n"
            "          ^\n");
}

TEST(CaretLines, CountFromTheStatementsLineInItsFile) {
  EXPECT_EQ(CaretLines("a\nb", 3, 10),
            "LINE 11: b\n"
            "         ^\n");
}

TEST(CaretLines, CountCharactersAndNotBytes) {
  EXPECT_EQ(CaretLines("select 'ü', nme", 13),
            "LINE 1: select 'ü', nme\n"
            "                    ^\n");
}

TEST(CaretLines, AllowForWideCharactersAndTabs) {
  EXPECT_EQ(CaretLines("select '救急', nme", 14),
            "LINE 1: select '救急', nme\n"
            "                       ^\n");
  EXPECT_EQ(CaretLines("\tselect\tnme", 9),
            "LINE 1:  select nme\n"
            "                ^\n");
}

TEST(CaretLines, PointBehindTheEndWhereTheStatementBreaksOff) {
  EXPECT_EQ(CaretLines("select (", 9),
            "LINE 1: select (\n"
            "                ^\n");
}

TEST(CaretLines, AreLeftOutWhereThePositionIsNotInTheStatement) {
  EXPECT_EQ(CaretLines("select 1", 0), "");
  EXPECT_EQ(CaretLines("select 1", -5), "");
  EXPECT_EQ(CaretLines("select 1", 10), "");
  EXPECT_EQ(CaretLines("", 2), "");
}

TEST(CaretLines, CutALongLineAroundTheCaret) {
  const std::string lines = CaretLines(std::string(100, 'a') + "!" + std::string(100, 'b'), 101);
  EXPECT_EQ(lines, "LINE 1: ..." + std::string(60, 'a') + "!" + std::string(59, 'b') + "...\n" +
                       std::string(71, ' ') + "^\n");
}

TEST(CaretLines, EscapeControlCharactersBeforeTheCaret) {
  EXPECT_EQ(CaretLines("\x1bselect", 2),
            "LINE 1: \\x1Bselect\n"
            "            ^\n");
}

TEST(ErrorReport, SaysWhatThePersonNeeds) {
  const absl::Status status =
      WithErrorInfo(absl::InvalidArgumentError("column \"nme\" does not exist"),
                    {.reason = "SQL_ERROR",
                     .metadata = {{"sqlstate", "42703"},
                                  {"position", "8"},
                                  {"stage", "running"},
                                  {"elapsed_ms", "12"},
                                  {"hint", "Perhaps you meant \"name\"."}}});
  EXPECT_EQ(ErrorReport(status, {.sql = "select nme"}),
            "emsdb: INVALID_ARGUMENT: column \"nme\" does not exist\n"
            "  SQLSTATE 42703, stage running, after 12 ms\n"
            "LINE 1: select nme\n"
            "               ^\n"
            "hint: Perhaps you meant \"name\".\n");
}

TEST(ErrorReport, NamesRefusedFieldsAndTheTimeToWait) {
  const absl::Status status = WithErrorInfo(
      absl::ResourceExhaustedError("busy"),
      {.reason = "POOL_TIMEOUT",
       .retry_after = std::chrono::milliseconds(1500),
       .violations = {{.field = "statement.parameters[1]", .description = "text holds U+0000"}}});
  EXPECT_EQ(ErrorReport(status),
            "emsdb: RESOURCE_EXHAUSTED: busy\n"
            "  POOL_TIMEOUT\n"
            "  statement.parameters[1]: text holds U+0000\n"
            "try again in 1.5 s\n");
}

TEST(ErrorReport, WarnsWhereNobodyKnows) {
  EXPECT_THAT(ErrorReport(absl::UnknownError("lost")), HasSubstr("Look before you repeat it"));
  EXPECT_THAT(ErrorReport(WithErrorInfo(absl::DeadlineExceededError("late"),
                                        {.reason = "X", .metadata = {{"outcome", "unknown"}}})),
              HasSubstr("Look before you repeat it"));
  EXPECT_THAT(ErrorReport(absl::UnavailableError("away")), Not(HasSubstr("Look before")));
}

TEST(ErrorReport, LetsNoMessageSteerTheTerminal) {
  EXPECT_EQ(ErrorReport(absl::AbortedError("a\x1b[2J\nb")), "emsdb: ABORTED: a\\x1B[2J\n  b\n");
}

TEST(ExitStatusOfAnError, TellsRefusedUnreachableUnknownAndGivenUpApart) {
  EXPECT_EQ(ExitStatusFor(absl::OkStatus()), ExitStatus::kOk);
  EXPECT_EQ(ExitStatusFor(absl::InvalidArgumentError("")), ExitStatus::kRefused);
  EXPECT_EQ(ExitStatusFor(absl::AlreadyExistsError("")), ExitStatus::kRefused);
  EXPECT_EQ(ExitStatusFor(absl::AbortedError("")), ExitStatus::kRefused);
  EXPECT_EQ(ExitStatusFor(absl::UnauthenticatedError("")), ExitStatus::kRefused);
  EXPECT_EQ(ExitStatusFor(absl::UnavailableError("")), ExitStatus::kUnreachable);
  EXPECT_EQ(ExitStatusFor(absl::UnknownError("")), ExitStatus::kUnknown);
  EXPECT_EQ(ExitStatusFor(absl::DataLossError("")), ExitStatus::kUnknown);
  EXPECT_EQ(ExitStatusFor(absl::DeadlineExceededError("")), ExitStatus::kGaveUp);
  EXPECT_EQ(ExitStatusFor(absl::CancelledError("")), ExitStatus::kGaveUp);
  EXPECT_EQ(ExitStatusFor(absl::ResourceExhaustedError("")), ExitStatus::kGaveUp);
}

}  // namespace
}  // namespace emsdb::client::cli
