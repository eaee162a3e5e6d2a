#include "pool/postgres/statement_check.h"

#include <gtest/gtest.h>

#include <string>

#include "pool/errors.h"

namespace emsdb {
namespace {

TEST(StatementCheck, LimitsTheLengthOfAText) {
  const std::string most = "SELECT " + std::string((1 << 20) - 7, '1');
  EXPECT_EQ(CheckStatementText(most), absl::OkStatus());
  EXPECT_EQ(DetailOf(CheckStatementText(most + "1")).field, "statement.sql");
}

TEST(StatementCheck, RefusesWhatIsNoTextOfOneStatement) {
  for (const std::string& sql : {std::string(), std::string("-- a"), std::string("SELECT\0 1", 9),
                                 std::string("SELECT '\xff'"), std::string("copy t to stdout")}) {
    EXPECT_EQ(CheckStatementText(sql).code(), absl::StatusCode::kInvalidArgument) << sql;
  }
}

TEST(StatementCheck, KnowsWhichWritesCanHaveNoRows) {
  for (const char* sql : {"INSERT INTO t VALUES (1)", "update t set a = 1", "CREATE TABLE t ()"}) {
    EXPECT_FALSE(MayReturnRows(sql)) << sql;
  }
  for (const char* sql : {"INSERT INTO t VALUES (1) returning id", "CALL p()", "DO $$ $$",
                          "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x",
                          "EXPLAIN ANALYZE DELETE FROM t", "SELECT * FROM t FOR UPDATE"}) {
    EXPECT_TRUE(MayReturnRows(sql)) << sql;
  }
}

}  // namespace
}  // namespace emsdb
