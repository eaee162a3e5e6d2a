#include "client/cli/statement_splitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace emsdb::client::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> Split(const std::string& script) {
  const auto statements = SplitScript(script);
  EXPECT_TRUE(statements.ok()) << statements.status();
  std::vector<std::string> texts;
  for (const ScriptStatement& one : statements.value()) texts.push_back(one.sql);
  return texts;
}

TEST(StatementSplitter, CutsAtSemicolonsAndDropsWhatIsEmpty) {
  EXPECT_THAT(Split("select 1; select 2;;\n ; select 3"),
              ElementsAre("select 1", "select 2", "select 3"));
  EXPECT_THAT(Split(""), ElementsAre());
  EXPECT_THAT(Split(" ;; "), ElementsAre());
}

TEST(StatementSplitter, LeavesQuotesWhole) {
  EXPECT_THAT(Split("select 'a;''b;'; select \";\"\"\"; x"),
              ElementsAre("select 'a;''b;'", "select \";\"\"\"", "x"));
}

TEST(StatementSplitter, KnowsBackslashesInEscapeStringsOnly) {
  EXPECT_THAT(Split(R"(select E'a\';b'; select e'\\'; x)"),
              ElementsAre(R"(select E'a\';b')", R"(select e'\\')", "x"));
  EXPECT_THAT(Split(R"(select 'a\'; x)"), ElementsAre(R"(select 'a\')", "x"));
  // A word that only ends in e is no prefix.
  EXPECT_THAT(Split(R"(select date'\'; x)"), ElementsAre(R"(select date'\')", "x"));
}

TEST(StatementSplitter, LeavesDollarQuotesWhole) {
  EXPECT_THAT(Split("do $$ a; b; $$; do $x1$ $$;$$ ; $x$ $x1$; y"),
              ElementsAre("do $$ a; b; $$", "do $x1$ $$;$$ ; $x$ $x1$", "y"));
}

TEST(StatementSplitter, TakesPlaceholdersForPlaceholders) {
  EXPECT_THAT(Split("select $1; select $2, $1; select a$1$b; x"),
              ElementsAre("select $1", "select $2, $1", "select a$1$b", "x"));
}

TEST(StatementSplitter, LeavesCommentsWhole) {
  EXPECT_THAT(Split("select 1 -- a; b\n + 1; select /* a; /* b; */ c; */ 2"),
              ElementsAre("select 1 -- a; b\n + 1", "select /* a; /* b; */ c; */ 2"));
}

TEST(StatementSplitter, TakesQuotesInCommentsForComments) {
  EXPECT_THAT(Split("-- it's\nselect 1; /* \" $$ */ select 2; -- end"),
              ElementsAre("select 1", "select 2"));
}

TEST(StatementSplitter, LeavesParenthesesWhole) {
  EXPECT_THAT(
      Split("create rule r as on insert to t do also (delete from a; delete from b); x"),
      ElementsAre("create rule r as on insert to t do also (delete from a; delete from b)", "x"));
}

TEST(StatementSplitter, LeavesTheBodiesOfFunctionsAndTriggersWhole) {
  const std::string function =
      "create or replace function f() returns int begin atomic select 1; "
      "select case when true then 1 else 2 end; end";
  const std::string trigger =
      "create trigger if not exists t after insert on a begin update b set n = 1; "
      "delete from c; end";
  EXPECT_THAT(Split(function + "; " + trigger + "; select 3"),
              ElementsAre(function, trigger, "select 3"));
}

TEST(StatementSplitter, SeesNoBodyInOrdinaryStatements) {
  EXPECT_THAT(
      Split("select case when true then 1 end; create table \"begin\" (n int); x"),
      ElementsAre("select case when true then 1 end", "create table \"begin\" (n int)", "x"));
}

TEST(StatementSplitter, SaysAtWhichLineAStatementBegins) {
  const auto statements = SplitScript("-- a\n\nselect 1;\n select\n2;\nselect 3");
  ASSERT_TRUE(statements.ok());
  ASSERT_EQ(statements->size(), 3u);
  EXPECT_EQ((*statements)[0].line, 3);
  EXPECT_EQ((*statements)[1].line, 4);
  EXPECT_EQ((*statements)[2].line, 6);
}

TEST(StatementSplitter, NamesTheLineOfWhatIsNeverClosed) {
  const auto complaint = [](const std::string& script) {
    return std::string(SplitScript(script).status().message());
  };
  EXPECT_THAT(complaint("select 1;\nselect 'a;"), HasSubstr("line 2: a quote"));
  EXPECT_THAT(complaint("select E'a\\';"), HasSubstr("line 1: a quote"));
  EXPECT_THAT(complaint("select \"a;"), HasSubstr("a quoted name"));
  EXPECT_THAT(complaint("\n\n/* a /* b */"), HasSubstr("line 3: a comment"));
  EXPECT_THAT(complaint("do $a$ x; $b$"), HasSubstr("a dollar quote"));
}

TEST(StatementSplitter, EndsACommentAtACarriageReturnAsPostgresqlDoes) {
  EXPECT_THAT(Split("select 1 -- a;\rfrom t; select 2"),
              ElementsAre("select 1 -- a;\rfrom t", "select 2"));
  EXPECT_THAT(Split("-- a\rselect 1; select 2"), ElementsAre("select 1", "select 2"));
}

TEST(StatementSplitter, KeepsALiteralThatGoesOnBehindANewLine) {
  EXPECT_THAT(Split("select E'a'\n'\\';'; select 2"),
              ElementsAre("select E'a'\n'\\';'", "select 2"));
  EXPECT_THAT(Split("select E'a''\\';'; select 2"), ElementsAre("select E'a''\\';'", "select 2"));
}

TEST(StatementSplitter, SeesADollarQuoteBehindANumber) {
  EXPECT_THAT(Split("select $1$$;$$; select 2"), ElementsAre("select $1$$;$$", "select 2"));
}

}  // namespace
}  // namespace emsdb::client::cli
