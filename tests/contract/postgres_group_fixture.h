// Several callers' reads on one connection to a real PostgreSQL.
#ifndef EMSDB_TESTS_CONTRACT_POSTGRES_GROUP_FIXTURE_H_
#define EMSDB_TESTS_CONTRACT_POSTGRES_GROUP_FIXTURE_H_

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "tests/contract/postgres_fixture.h"
#include "tests/support/grouped_read.h"

namespace emsdb {

using Read = CollectingRead;

class PostgresGroup : public PostgresDriver {
 protected:
  Read& Add(std::string sql, std::vector<Value> parameters = {}, std::string identity = "") {
    return reads_.emplace_back(std::move(sql), std::move(parameters), std::move(identity));
  }
  void Run(Connection& connection, const Bounds& bounds = Soon()) {
    std::vector<GroupedRead*> reads;
    for (Read& read : reads_) reads.push_back(&read);
    connection.ExecuteGroup(reads, bounds);
    for (const Read& read : reads_) EXPECT_EQ(read.ends, 1) << read.statement().sql;
  }
  void Run() { Run(connection()); }
  void ExpectUnharmed() {
    EXPECT_FALSE(connection().broken());
    EXPECT_FALSE(connection().session_changed());
    EXPECT_EQ(connection().transaction_state(), TransactionState::kIdle);
  }

  std::deque<Read> reads_;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_CONTRACT_POSTGRES_GROUP_FIXTURE_H_
