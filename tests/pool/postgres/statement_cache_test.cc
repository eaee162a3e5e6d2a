#include "pool/postgres/statement_cache.h"

#include <gtest/gtest.h>

#include <string>

namespace emsdb {
namespace {

using Form = StatementCache::Form;

constexpr Instant kNow{std::chrono::hours(5)};

class StatementCaches : public testing::Test {
 protected:
  StatementCache::Use Next(const std::string& sql, std::vector<std::uint32_t> types = {},
                           Instant now = kNow) {
    return cache_.Next(sql, types, now);
  }
  // Used until it is prepared.
  std::string Prepare(const std::string& sql) {
    EXPECT_EQ(Next(sql).form, Form::kOnce);
    const auto use = Next(sql);
    EXPECT_EQ(use.form, Form::kPrepare);
    return use.name;
  }

  StatementCache cache_{3};
};

TEST_F(StatementCaches, PrepareAStatementOnItsSecondUse) {
  EXPECT_EQ(Next("SELECT 1").form, Form::kOnce);
  const auto second = Next("SELECT 1");
  EXPECT_EQ(second.form, Form::kPrepare);
  const auto third = Next("SELECT 1");
  EXPECT_EQ(third.form, Form::kPrepared);
  EXPECT_EQ(third.name, second.name);
}

// T47
TEST_F(StatementCaches, DropTheLeastRecentlyUsedFirst) {
  const std::string one = Prepare("SELECT 1");
  const std::string two = Prepare("SELECT 2");
  Prepare("SELECT 3");
  EXPECT_EQ(Next("SELECT 1").form, Form::kPrepared);
  Prepare("SELECT 4");
  EXPECT_EQ(cache_.TakeToDrop(), std::vector<std::string>{two});
  EXPECT_TRUE(cache_.TakeToDrop().empty());
  EXPECT_EQ(Next("SELECT 1").name, one);
  EXPECT_EQ(cache_.size(), 3u);
}

// T47
TEST_F(StatementCaches, AreNotPushedEmptyByTextsThatNeverComeAgain) {
  const std::string kept = Prepare("SELECT 1");
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(Next("SELECT " + std::to_string(1000 + i)).form, Form::kOnce);
  }
  EXPECT_EQ(Next("SELECT 1").name, kept);
  EXPECT_TRUE(cache_.TakeToDrop().empty());
}

TEST_F(StatementCaches, TellOneTextWithOtherTypesApart) {
  EXPECT_EQ(Next("SELECT $1", {17}).form, Form::kOnce);
  EXPECT_EQ(Next("SELECT $1", {0}).form, Form::kOnce);
  EXPECT_EQ(Next("SELECT $1", {0}).form, Form::kPrepare);
  EXPECT_NE(Next("SELECT $1", {17}).form, Form::kPrepared);
}

TEST_F(StatementCaches, NeverKeepWhatCouldNotBePrepared) {
  Next("SELECT nonsense");
  cache_.NotPrepared(Next("SELECT nonsense"));
  EXPECT_EQ(cache_.size(), 0u);
  EXPECT_TRUE(cache_.TakeToDrop().empty());
  EXPECT_EQ(Next("SELECT nonsense").form, Form::kPrepare);
}

TEST_F(StatementCaches, PrepareWhatWasForgottenUnderANewName) {
  const std::string old = Prepare("SELECT 1");
  cache_.Forget(Next("SELECT 1"));
  const auto again = Next("SELECT 1");
  EXPECT_EQ(again.form, Form::kPrepare);
  EXPECT_NE(again.name, old);
  EXPECT_EQ(cache_.TakeToDrop(), std::vector<std::string>{old});
}

TEST_F(StatementCaches, DoNotForgetTheSuccessorOfWhatIsForgotten) {
  Prepare("SELECT 1");
  const auto old = Next("SELECT 1");
  cache_.Forget(old);
  Next("SELECT 1");
  cache_.Forget(old);
  cache_.NotPrepared(old);
  EXPECT_EQ(Next("SELECT 1").form, Form::kPrepared);
}

TEST_F(StatementCaches, PrepareAnewWhatIsOld) {
  const std::string old = Prepare("SELECT 1");
  const Instant later = kNow + StatementCache::kTrusted;
  EXPECT_EQ(Next("SELECT 1", {}, later - std::chrono::seconds(1)).form, Form::kPrepared);
  EXPECT_EQ(Next("SELECT 1", {}, later).form, Form::kPrepare);
  EXPECT_EQ(cache_.TakeToDrop(), std::vector<std::string>{old});
  EXPECT_EQ(Next("SELECT 1", {}, later).form, Form::kPrepared);
}

TEST_F(StatementCaches, PrepareAnewWhatIsNotTrustedAnyMore) {
  Prepare("SELECT 1");
  cache_.Distrust();
  EXPECT_EQ(Next("SELECT 1").form, Form::kPrepare);
  EXPECT_EQ(Next("SELECT 1").form, Form::kPrepared);
}

TEST_F(StatementCaches, PrepareNoMoreWhereNothingCanBeDropped) {
  for (int i = 0; i < 1000; ++i) {
    Next("SELECT " + std::to_string(i));
    Next("SELECT " + std::to_string(i));
  }
  EXPECT_EQ(cache_.TakeToDrop().size(), StatementCache::kMostToDrop);
}

TEST_F(StatementCaches, AreEmptyAfterClear) {
  Prepare("SELECT 1");
  cache_.Forget(Next("SELECT 1"));
  Prepare("SELECT 2");
  cache_.Clear();
  EXPECT_EQ(cache_.size(), 0u);
  EXPECT_TRUE(cache_.TakeToDrop().empty());
}

TEST_F(StatementCaches, LeaveOutWhatIsVeryLong) {
  const std::string sql = "SELECT 1" + std::string(StatementCache::kLongestText, ' ');
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Next(sql).form, Form::kOnce);
}

TEST_F(StatementCaches, AreOffWithoutRoom) {
  StatementCache off(0);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(off.Next("SELECT 1", {}, kNow).form, Form::kOnce);
}

TEST(MayBePrepared, IsForQueriesAlone) {
  EXPECT_TRUE(MayBePrepared("select 1"));
  EXPECT_TRUE(MayBePrepared("/* x */ INSERT INTO t VALUES ($1)"));
  EXPECT_TRUE(MayBePrepared("WITH a AS (SELECT 1) SELECT * FROM a"));
  EXPECT_FALSE(MayBePrepared("SET LOCAL x = 1"));
  EXPECT_FALSE(MayBePrepared("CREATE TABLE t (a int)"));
  EXPECT_FALSE(MayBePrepared("LISTEN x"));
}

// Such a literal is read when the statement is parsed, and would stay what it was then.
TEST(MayBePrepared, IsNotForLiteralsThatReadTheClock) {
  EXPECT_FALSE(MayBePrepared("SELECT * FROM t WHERE at > 'today'"));
  EXPECT_FALSE(MayBePrepared("SELECT timestamptz 'Now'"));
  EXPECT_FALSE(MayBePrepared("SELECT date $$yesterday$$"));
  EXPECT_TRUE(MayBePrepared("SELECT now() AS \"now\""));
}

}  // namespace
}  // namespace emsdb
