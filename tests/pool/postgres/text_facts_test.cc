#include "pool/postgres/text_facts.h"

#include <gtest/gtest.h>

#include <string>

#include "pool/postgres/statement_cache.h"
#include "pool/postgres/statement_check.h"
#include "pool/statement_text.h"

namespace emsdb {
namespace {

TEST(PostgresFacts, SayWhatTheFunctionsOfTheirNamesSay) {
  for (const char* sql :
       {"SELECT name FROM patients WHERE id = $1", "SELECT set_config('a.b', 'c', false)",
        "INSERT INTO t VALUES (1) RETURNING id", "UPDATE t SET a = 1", "SET search_path = x",
        "SET LOCAL role = y", "CREATE TEMP TABLE t (a int)", "LISTEN news", "DROP TABLE t",
        "VACUUM", "TABLE t", "PREPARE p AS SELECT 1"}) {
    const auto facts = PostgresFactsOf(sql);
    EXPECT_TRUE(facts->check.ok()) << sql;
    EXPECT_EQ(facts->changes, SessionChangesOf(sql)) << sql;
    EXPECT_EQ(facts->looks_like_read, LooksLikeRead(sql)) << sql;
    EXPECT_EQ(facts->calls_no_function, CallsNoFunction(sql)) << sql;
    EXPECT_EQ(facts->may_return_rows, MayReturnRows(sql)) << sql;
    EXPECT_EQ(facts->may_change_schema, MayChangeSchema(LeadingKeyword(sql))) << sql;
    EXPECT_EQ(facts->sets, LeadingKeyword(sql) == "SET") << sql;
  }
}

TEST(PostgresFacts, TrustNothingThatIsRefused) {
  for (const std::string& sql :
       {std::string("COMMIT"), std::string("COPY t FROM STDIN"), std::string("SELECT \0", 8),
        std::string("SELECT '\xff'"), std::string("-- nothing"),
        std::string((std::size_t{1} << 20) + 1, ' ')}) {
    const auto facts = PostgresFactsOf(sql);
    EXPECT_EQ(facts->check, CheckStatementText(sql));
    EXPECT_FALSE(facts->check.ok());
    EXPECT_FALSE(facts->harmless());
    EXPECT_TRUE(facts->may_return_rows);
  }
}

TEST(PostgresFacts, AreHarmlessOnlyForReadsWithoutFunctions) {
  EXPECT_TRUE(PostgresFactsOf("SELECT a FROM t WHERE id = $1")->harmless());
  EXPECT_FALSE(PostgresFactsOf("SELECT f(a) FROM t")->harmless());
  EXPECT_FALSE(PostgresFactsOf("DELETE FROM t")->harmless());
}

}  // namespace
}  // namespace emsdb
