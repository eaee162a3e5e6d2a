#include "pool/statement_text.h"

#include <gtest/gtest.h>

namespace emsdb {
namespace {

TEST(StatementText, FindsTheLeadingKeywordBehindCommentsAndParentheses) {
  EXPECT_EQ(LeadingKeyword("  -- a\n /* b /* nested */ */ ((select 1))"), "SELECT");
  EXPECT_EQ(LeadingKeyword("'text'"), "");
  EXPECT_EQ(LeadingKeyword(""), "");
  EXPECT_EQ(LeadingKeyword("/* never closed"), "");
}

// T20
TEST(StatementText, SeesTransactionControlHoweverItIsSpelled) {
  for (const char* sql : {"begin", "BEGIN;", "/* x */ Commit and chain", "start transaction",
                          "; rollback to a", "end", "abort", "savepoint a", "release a"}) {
    EXPECT_NE(TransactionControl(sql), "") << sql;
  }
  EXPECT_EQ(TransactionControl("set transaction read only"), "SET TRANSACTION");
  EXPECT_EQ(TransactionControl("SET SESSION characteristics AS TRANSACTION READ ONLY"),
            "SET SESSION CHARACTERISTICS");
  EXPECT_EQ(TransactionControl("prepare transaction 'x'"), "PREPARE TRANSACTION");
}

TEST(StatementText, LeavesOtherStatementsAlone) {
  for (const char* sql : {"select 'begin'", "set time zone 'UTC'", "prepare a as select 1",
                          "\"commit\"", "beginning", "update t set a = 1", "set local role x"}) {
    EXPECT_EQ(TransactionControl(sql), "") << sql;
  }
}

TEST(StatementText, TellsLikelyReadsFromWrites) {
  EXPECT_TRUE(LooksLikeRead("select * from t where a = 'insert'"));
  EXPECT_TRUE(LooksLikeRead("with x as (select 1) select * from x"));
  EXPECT_TRUE(LooksLikeRead("values (1)"));
  EXPECT_TRUE(LooksLikeRead("explain select 1"));
  EXPECT_FALSE(LooksLikeRead("with x as (delete from t returning *) select * from x"));
  EXPECT_FALSE(LooksLikeRead("select * into u from t"));
  EXPECT_FALSE(LooksLikeRead("select * from t for update"));
  EXPECT_FALSE(LooksLikeRead("explain analyze delete from t"));
  EXPECT_FALSE(LooksLikeRead("insert into t values (1)"));
}

// T67
TEST(StatementText, KnowsWhichParenthesesCallNoFunction) {
  for (const char* sql :
       {"select a from t where id in (1, 2) and (b or not (c)) order by (a) limit (5)",
        "select count(*), COALESCE (max(a), 0) from t having (count(*) > 1)",
        "select sum(a) filter (where b) over (order by c) from t",
        "select a::numeric(10, 2), a::varchar(5) from t where exists (select 1)", "values (1), (2)",
        "select 'f(1)' -- g(2)", "with x as (select 1) select * from x",
        "select case when (a) then (b) else (c) end from t join u using (id) where a = any ($1)"}) {
    EXPECT_TRUE(CallsNoFunction(sql)) << sql;
  }
  for (const char* sql :
       {"select f()", "select F (1)", "select public.lower('a')", "select \"count\"(1)",
        "select a from t where g(a) in (1)", "select f /* x */ (1)", "select over(1)",
        "select filter (1)", "select nextval('s')", "values (f(1))", "select * from f(1)",
        "select cast(a as b)"}) {
    EXPECT_FALSE(CallsNoFunction(sql)) << sql;
  }
}

// T68
TEST(StatementText, FingerprintsWithoutLiterals) {
  EXPECT_EQ(
      Fingerprint("select  *\nfrom p where name = 'O''Hara' -- secret\n and id=42 and x = $1"),
      "select * from p where name = ? and id = ? and x = ?");
  EXPECT_EQ(Fingerprint("select E'a\\'b', $q$ it's $q$, x'00', 1.5e-3, \"Col umn\""),
            "select ? , ? , ? , ? , \"Col umn\"");
  EXPECT_EQ(Fingerprint("select 'never closed"), "select ?");
}

TEST(StatementText, CutsALongFingerprintBetweenCharacters) {
  std::string sql = "select ";
  for (int i = 0; i < 200; ++i) sql += "ä";
  EXPECT_LE(Fingerprint(sql).size(), 203U);
  EXPECT_EQ(Fingerprint(sql).substr(Fingerprint(sql).size() - 3), "...");
}

TEST(StatementText, HashesStatementsAlikeThatDifferInLiteralsAlone) {
  EXPECT_EQ(FingerprintHash("select 1"), FingerprintHash("select  'x' -- y"));
  EXPECT_NE(FingerprintHash("select a"), FingerprintHash("select b"));
}

// T20
TEST(StatementText, SeesWhatStandsBehindACommentThatEndsWithACarriageReturn) {
  EXPECT_EQ(TransactionControl("--a\rCOMMIT\nAND NO CHAIN"), "COMMIT");
  EXPECT_EQ(LeadingKeyword("-- a\r\n select 1"), "SELECT");
}

TEST(StatementText, KeepsTheRestOfAContinuedLiteralOutOfTheFingerprint) {
  EXPECT_EQ(Fingerprint("select E'a'\n'\\'secret', 1"), "select ? , ?");
  EXPECT_EQ(Fingerprint("select e'a' -- b\n '\\'secret' from t"), "select ? from t");
  // Without a new line it is another literal, which only an error follows.
  EXPECT_EQ(Fingerprint("select E'a' 'b'"), "select ? ?");
}

TEST(StatementText, TakesNoWriteForAReadBecauseOfItsSpelling) {
  EXPECT_FALSE(LooksLikeRead("explain analyse delete from t"));
  EXPECT_FALSE(LooksLikeRead("explain (\"analyze\") delete from t"));
  EXPECT_FALSE(LooksLikeRead("table t for update"));
  EXPECT_TRUE(LooksLikeRead("table t"));
}

}  // namespace
}  // namespace emsdb
