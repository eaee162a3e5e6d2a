#include "pool/statement_facts.h"

#include <gtest/gtest.h>

#include "pool/statement_text.h"

namespace emsdb {
namespace {

TEST(StatementFacts, SayWhatTheFunctionsOfTheirNamesSay) {
  for (const char* sql :
       {"SELECT name FROM patients WHERE id = $1", "select lower(name) from t", "COMMIT",
        "UPDATE t SET a = 'x' WHERE id = 7", "", "-- nothing", "WITH x AS (SELECT 1) TABLE x",
        "SELECT pg_sleep(1)", "SET TRANSACTION READ ONLY", "VACUUM"}) {
    for (int time = 0; time < 2; ++time) {
      const auto facts = FactsOf(sql);
      EXPECT_EQ(facts->fingerprint, Fingerprint(sql)) << sql;
      EXPECT_EQ(facts->leading_keyword, LeadingKeyword(sql)) << sql;
      EXPECT_EQ(facts->transaction_control, TransactionControl(sql)) << sql;
      EXPECT_EQ(facts->looks_like_read, LooksLikeRead(sql)) << sql;
      EXPECT_EQ(facts->calls_no_function, CallsNoFunction(sql)) << sql;
    }
  }
}

TEST(StatementFacts, AreFoundOutOnceForATextThatComesAgain) {
  EXPECT_EQ(FactsOf("SELECT 4711").get(), FactsOf("SELECT 4711").get());
}

}  // namespace
}  // namespace emsdb
