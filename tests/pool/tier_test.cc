#include "pool/tier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace emsdb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// The limits for "telehealth", from settings without a mistake.
ChosenLimits Choose(const Settings& settings, const std::string& database = "telehealth") {
  SettingReader reader(settings);
  ChosenLimits chosen = ChooseLimits(reader, database);
  EXPECT_THAT(reader.complaints(), IsEmpty());
  return chosen;
}

std::vector<std::string> ComplaintsAbout(const Settings& settings) {
  SettingReader reader(settings);
  ChooseLimits(reader, "telehealth");
  return reader.complaints();
}

TEST(ChooseLimits, GivesTheDefaultsOfQueuePoolWithoutSettings) {
  const ChosenLimits chosen = Choose({});
  EXPECT_EQ(chosen.tier, "");
  EXPECT_EQ(chosen.limits.size, 5);
  EXPECT_EQ(chosen.limits.overflow, 10);
  EXPECT_EQ(chosen.limits.timeout, seconds(30));
  EXPECT_EQ(chosen.limits.recycle, seconds(1800));
  EXPECT_EQ(chosen.limits.pre_ping_window, milliseconds(500));
  EXPECT_EQ(chosen.limits.idle_order, IdleOrder::kMostRecentFirst);
  EXPECT_EQ(chosen.limits.max_waiters, 10000);
  EXPECT_EQ(chosen.limits.leased_limit(), 14);
}

struct TierRow {
  std::string name;
  int size;
  int overflow;
  int timeout;
  int recycle;
};

class EachTier : public testing::TestWithParam<TierRow> {};

TEST_P(EachTier, HasItsNumbers) {
  const TierRow& row = GetParam();
  const ChosenLimits chosen = Choose({{"DB_TIER", row.name}});
  EXPECT_EQ(chosen.tier, row.name);
  EXPECT_EQ(chosen.limits.size, row.size);
  EXPECT_EQ(chosen.limits.overflow, row.overflow);
  EXPECT_EQ(chosen.limits.timeout, seconds(row.timeout));
  EXPECT_EQ(chosen.limits.recycle, seconds(row.recycle));
}

INSTANTIATE_TEST_SUITE_P(Table, EachTier,
                         testing::Values(TierRow{"pilot", 10, 20, 30, 1800},
                                         TierRow{"medium", 20, 40, 30, 1800},
                                         TierRow{"large", 50, 100, 45, 1800}));

TEST(ChooseLimits, TakesTheFirstSettingInTheOrderOfPrecedence) {
  Settings settings = {{"TELEHEALTH_DB_POOL_SIZE", "7"},
                       {"DB_POOL_SIZE", "8"},
                       {"TELEHEALTH_DB_TIER", "medium"},
                       {"DB_TIER", "large"}};
  EXPECT_EQ(Choose(settings).limits.size, 7);
  settings.erase("TELEHEALTH_DB_POOL_SIZE");
  EXPECT_EQ(Choose(settings).limits.size, 8);
  settings.erase("DB_POOL_SIZE");
  EXPECT_EQ(Choose(settings).limits.size, 20);
  settings.erase("TELEHEALTH_DB_TIER");
  EXPECT_EQ(Choose(settings).limits.size, 50);
  settings.erase("DB_TIER");
  EXPECT_EQ(Choose(settings).limits.size, 5);
}

TEST(ChooseLimits, LetsSingleValuesGoBeforeTheTierAndKeepsTheRestOfIt) {
  const ChosenLimits chosen = Choose({{"DB_TIER", "large"}, {"DB_MAX_OVERFLOW", "0"}});
  EXPECT_EQ(chosen.tier, "large");
  EXPECT_EQ(chosen.limits.size, 50);
  EXPECT_EQ(chosen.limits.overflow, 0);
  EXPECT_EQ(chosen.limits.timeout, seconds(45));
}

TEST(ChooseLimits, SetsEachOfTheFourForOneDatabaseAlone) {
  const Settings settings = {{"FIRE_DB_POOL_SIZE", "1"},
                             {"FIRE_DB_MAX_OVERFLOW", "2"},
                             {"FIRE_DB_POOL_TIMEOUT", "0.5"},
                             {"FIRE_DB_POOL_RECYCLE", "60"}};
  EXPECT_EQ(Choose(settings, "telehealth").limits, Choose({}).limits);
  const PoolLimits fire = Choose(settings, "fire").limits;
  EXPECT_EQ(fire.size, 1);
  EXPECT_EQ(fire.overflow, 2);
  EXPECT_EQ(fire.timeout, milliseconds(500));
  EXPECT_EQ(fire.recycle, seconds(60));
}

TEST(ChooseLimits, TakesMinusOneForNeverToRecycle) {
  EXPECT_EQ(Choose({{"DB_POOL_RECYCLE", "-1"}}).limits.recycle, std::nullopt);
  EXPECT_EQ(
      Choose({{"TELEHEALTH_DB_POOL_RECYCLE", "-1"}, {"DB_POOL_RECYCLE", "60"}}).limits.recycle,
      std::nullopt);
}

TEST(ChooseLimits, TakesZeroSecondsToAnswerAtOnce) {
  EXPECT_EQ(Choose({{"DB_POOL_TIMEOUT", "0"}}).limits.timeout, seconds(0));
}

TEST(ChooseLimits, ReadsWhatAllDatabasesShare) {
  const PoolLimits limits = Choose({{"DB_POOL_PRE_PING_WINDOW", "0"},
                                    {"DB_POOL_USE_LIFO", "0"},
                                    {"EMSDB_MAX_WAITERS", "3"},
                                    {"EMSDB_MAX_LEASED", "2"},
                                    {"EMSDB_REFUSE_HOPELESS", "1"},
                                    {"EMSDB_GROUP_READS", "0"}})
                                .limits;
  EXPECT_EQ(limits.pre_ping_window, seconds(0));
  EXPECT_EQ(limits.idle_order, IdleOrder::kLeastRecentFirst);
  EXPECT_EQ(limits.max_waiters, 3);
  EXPECT_EQ(limits.max_leased, 2);
  EXPECT_TRUE(limits.refuse_hopeless);
  EXPECT_FALSE(limits.group_reads);
  EXPECT_TRUE(Choose({}).limits.group_reads);
}

struct BadSetting {
  std::string name;
  std::string value;
  std::string rule;
};

class BadPoolSetting : public testing::TestWithParam<BadSetting> {};

TEST_P(BadPoolSetting, IsNamedWithItsRule) {
  const auto& [name, value, rule] = GetParam();
  const std::vector<std::string> complaints = ComplaintsAbout({{name, value}});
  ASSERT_THAT(complaints, SizeIs(1));
  EXPECT_THAT(complaints.front(), testing::StartsWith(name + " is "));
  EXPECT_THAT(complaints.front(), HasSubstr(rule));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadPoolSetting,
    testing::Values(BadSetting{"DB_POOL_SIZE", "-3", "from 1 to 10000"},
                    BadSetting{"DB_POOL_SIZE", "0", "no limit elsewhere, is refused"},
                    BadSetting{"TELEHEALTH_DB_POOL_SIZE", "10001", "from 1 to 10000"},
                    BadSetting{"DB_MAX_OVERFLOW", "-1", "no limit elsewhere, is refused"},
                    BadSetting{"DB_MAX_OVERFLOW", "2147483648", "from 0 to 10000"},
                    BadSetting{"DB_POOL_TIMEOUT", "-1", "from 0 (answer at once)"},
                    BadSetting{"DB_POOL_TIMEOUT", "nan", "from 0 (answer at once)"},
                    BadSetting{"DB_POOL_RECYCLE", "0", "-1 for never"},
                    BadSetting{"DB_POOL_RECYCLE", "-2", "-1 for never"},
                    BadSetting{"DB_POOL_RECYCLE", "-1.0", "-1 for never"},
                    BadSetting{"DB_TIER", "gigantic", "must be one of pilot, medium, large"},
                    BadSetting{"TELEHEALTH_DB_TIER", "Large",
                               "must be one of pilot, medium, large"},
                    BadSetting{"DB_POOL_USE_LIFO", "yes", "must be one of 0, 1"},
                    BadSetting{"DB_POOL_PRE_PING_WINDOW", "-1", "ping before every use"},
                    BadSetting{"EMSDB_MAX_WAITERS", "-1", "nobody waits"},
                    BadSetting{"EMSDB_MAX_LEASED", "0", "from 1 to"},
                    BadSetting{"DB_POOL_SIZE", "", "give it a value or unset it"}));

TEST(ChooseLimits, ComplainsAlsoOfAValueThatAnotherGoesBefore) {
  EXPECT_THAT(ComplaintsAbout({{"TELEHEALTH_DB_POOL_SIZE", "7"},
                               {"DB_POOL_SIZE", "seven"},
                               {"TELEHEALTH_DB_TIER", "pilot"},
                               {"DB_TIER", "none"}}),
              ElementsAre(HasSubstr("DB_TIER is 'none'"), HasSubstr("DB_POOL_SIZE is a text")));
}

TEST(ChooseLimits, DoesNotLookAtTheVariablesOfOtherDatabases) {
  EXPECT_THAT(ComplaintsAbout({{"FIRE_DB_POOL_SIZE", "x"}, {"BILLING_DB_TIER", "x"}}), IsEmpty());
}

TEST(PoolVariables, AreAllLookedAt) {
  for (const std::string& name : PoolVariables()) {
    EXPECT_THAT(ComplaintsAbout({{name, "@"}}), SizeIs(1)) << name;
  }
  for (const std::string& name : PoolVariablesOf("telehealth")) {
    EXPECT_THAT(ComplaintsAbout({{name, "@"}}), SizeIs(1)) << name;
  }
}

}  // namespace
}  // namespace emsdb
