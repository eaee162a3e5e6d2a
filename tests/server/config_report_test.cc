#include "server/config_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace emsdb {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

Config Parse(const Settings& environment) { return std::get<Config>(ParseConfig(environment)); }

const Settings kMixed = {{"DATABASE_URL", "postgresql://ems:s3cret@db/ems"},
                         {"DB_TIER", "pilot"},
                         {"DB_POOL_RECYCLE", "-1"},
                         {"FIRE_DATABASE_URL", "postgresql://fire:s3cret@db:5432/fire"},
                         {"FIRE_DB_POOL_SIZE", "1"},
                         {"HEMS_DATABASE_URL", "sqlite:////srv/hems.db"},
                         {"EMSDB_DATABASES", "research"},
                         {"RESEARCH_DATABASE_URL", "postgresql://other/research"}};

TEST(Budget, AddsUpWhatEachServerMustGive) {
  const std::vector<ServerBudget> budgets = Budget(Parse(kMixed).databases);
  ASSERT_THAT(budgets, SizeIs(2));
  EXPECT_EQ(budgets[0].server, "db:5432");
  EXPECT_EQ(budgets[0].connections, 30 + 30 + 21);
  EXPECT_THAT(budgets[0].databases, ElementsAre("main", "telehealth", "fire"));
  EXPECT_EQ(budgets[1].server, "other:5432");
  EXPECT_EQ(budgets[1].connections, 30);
}

TEST(Budget, IsEmptyForSqlite) { EXPECT_THAT(Budget(Parse({}).databases), IsEmpty()); }

TEST(DescribeConfig, ShowsEveryDatabaseAsItWasUnderstood) {
  const std::string text = DescribeConfig(Parse(kMixed));
  EXPECT_THAT(text, HasSubstr("telehealth  postgresql  pilot  10    20        30       never    "
                              "db:5432/ems\n"));
  EXPECT_THAT(text, HasSubstr("hems        sqlite      -      -     -         -        -        "
                              "/srv/hems.db\n"));
  EXPECT_THAT(text,
              HasSubstr("budget: up to 81 connections to db:5432, by main, telehealth, fire\n"));
}

TEST(DescribeConfig, SaysWhenSessionsAreReset) {
  Settings settings = kMixed;
  EXPECT_THAT(DescribeConfig(Parse(settings)),
              HasSubstr(", sessions reset when changed, at most 100 statements"));
  settings["EMSDB_SESSION_RESET"] = "always";
  EXPECT_THAT(DescribeConfig(Parse(settings)),
              HasSubstr(", sessions reset before every use, no statements kept prepared\n"));
}

// T37
TEST(DescribeConfig, SaysThatDatabasesWithOneUrlHavePoolsOfTheirOwn) {
  EXPECT_THAT(DescribeConfig(Parse(kMixed)),
              HasSubstr("main, telehealth share one URL, and each has a pool of its own"));
}

TEST(DescribeConfig, SaysThatPoolVariablesAreNotAppliedToSqlite) {
  const std::string text = DescribeConfig(Parse(kMixed));
  EXPECT_THAT(text, HasSubstr("hems in SQLite: the variables for pools are not applied there"));
  EXPECT_THAT(text, HasSubstr("set, and not applied to SQLite: DB_POOL_RECYCLE, DB_TIER\n"));
  EXPECT_THAT(DescribeConfig(Parse({})), Not(HasSubstr("set, and not applied")));
}

TEST(DescribeConfig, ShowsNoSecret) {
  EXPECT_THAT(DescribeConfig(Parse(kMixed)),
              AllOf(Not(HasSubstr("s3cret")), Not(HasSubstr("ems:"))));
}

TEST(DescribeConfig, SaysHowThePortIsProtected) {
  EXPECT_THAT(DescribeConfig(Parse({})),
              HasSubstr("127.0.0.1:50051, plain text, this machine only"));
  EXPECT_THAT(DescribeConfig(Parse({{"EMSDB_LISTEN", "0.0.0.0:1"}, {"EMSDB_INSECURE", "1"}})),
              HasSubstr("0.0.0.0:1, plain text (EMSDB_INSECURE=1)"));
}

TEST(DescribeConfig, EndsWithTheWarnings) {
  EXPECT_THAT(DescribeConfig(Parse({{"DB_POOLSIZE", "5"}})),
              testing::EndsWith("warning: DB_POOLSIZE is not used; did you mean DB_POOL_SIZE?\n"));
}

TEST(ShownSeconds, HasNoNeedlessDigits) {
  EXPECT_EQ(ShownSeconds(std::chrono::seconds(1800)), "1800");
  EXPECT_EQ(ShownSeconds(std::chrono::milliseconds(500)), "0.5");
  EXPECT_EQ(ShownSeconds(std::chrono::seconds(31536000)), "31536000");
  EXPECT_EQ(ShownSeconds(std::nullopt), "never");
}

}  // namespace
}  // namespace emsdb
