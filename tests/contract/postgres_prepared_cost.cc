// What EMSDB_STATEMENT_CACHE brings: a one-row SELECT by key, and one that takes planning, with
// prepared statements and without.
#include <gtest/gtest.h>

#include "tests/contract/postgres_cost.h"

namespace emsdb {
namespace {

using PostgresPreparedCost = PostgresCost;

TEST_F(PostgresPreparedCost, IsPrinted) {
  const Side off = OpenWith({.statement_cache = 0});
  const Side on = OpenWith({.statement_cache = 100});
  Compare("one row by key", off, on, Sql("SELECT s FROM %t WHERE id = $1"));
  Compare("join of four", off, on,
          Sql("SELECT a.s, d.s FROM %t a JOIN %t b ON b.id = a.id JOIN %t c ON c.id = b.id LEFT "
              "JOIN %t d ON d.id = c.id + 1 WHERE a.id = $1 AND b.s = 'x' AND c.s LIKE 'x%'"));
}

}  // namespace
}  // namespace emsdb
