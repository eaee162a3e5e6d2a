// What EMSDB_SESSION_RESET=always costs: a one-row SELECT by key, with a reset before every use and
// without. Where every use begins with one nothing is prepared, so both are compared: as a user
// sees it, and the reset alone.
#include <gtest/gtest.h>

#include "tests/contract/postgres_cost.h"

namespace emsdb {
namespace {

using PostgresResetCost = PostgresCost;

TEST_F(PostgresResetCost, IsPrinted) {
  const std::string sql = Sql("SELECT s FROM %t WHERE id = $1");
  const Side always = OpenWith({.session_reset = SessionReset::kBeforeEveryUse});
  Compare("against the defaults", OpenWith({}), always, sql);
  Compare("against statements that are not prepared", OpenWith({.statement_cache = 0}), always,
          sql);
}

}  // namespace
}  // namespace emsdb
