// Several callers' reads on one connection to a real PostgreSQL.
#ifndef EMSDB_TESTS_CONTRACT_POSTGRES_GROUP_FIXTURE_H_
#define EMSDB_TESTS_CONTRACT_POSTGRES_GROUP_FIXTURE_H_

#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "pool/errors.h"
#include "tests/contract/postgres_fixture.h"

namespace emsdb {

// One of them, and its end.
class Read final : public GroupedRead {
 public:
  Read(std::string sql, std::vector<Value> parameters, std::string identity)
      : statement_{std::move(sql), std::move(parameters), {}}, identity_(std::move(identity)) {}

  const Statement& statement() const override { return statement_; }
  std::string_view identity() const override { return identity_; }
  Duration time_limit() const override { return limit; }
  Instant deadline() const override { return kNever; }
  RowSink& sink() override { return rows; }
  void Ended(absl::StatusOr<Completion> result, Duration) override {
    ++ends;
    status = result.status();
    if (then) then();
  }

  bool IsToRunAlone() const { return IsRunAlone(status); }
  // The first cell as text.
  std::string text() const {
    return rows.rows.empty() ? "no row" : std::get<std::string>(rows.rows[0].at(0));
  }

  CollectingSink rows;
  absl::Status status = absl::UnknownError("it has not ended");
  int ends = 0;
  Duration limit = std::chrono::seconds(1);
  std::function<void()> then;

 private:
  const Statement statement_;
  const std::string identity_;
};

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
