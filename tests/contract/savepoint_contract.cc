// What every driver promises about savepoints; part of the suite of connector_contract.h.
#include <string>

#include "pool/errors.h"
#include "tests/contract/connector_contract.h"

namespace emsdb {
namespace {

SavepointAction Set(std::string name) { return {SavepointVerb::kSet, std::move(name)}; }
SavepointAction BackTo(std::string name) { return {SavepointVerb::kRollBackTo, std::move(name)}; }
SavepointAction Release(std::string name) { return {SavepointVerb::kRelease, std::move(name)}; }

}  // namespace

TEST_P(ConnectorContract, UndoesWhatWasDoneSinceASavepoint) {
  ASSERT_EQ(writer().Begin({}, {}, Soon()), absl::OkStatus());
  ASSERT_TRUE(Run(writer(), "INSERT INTO %t (id) VALUES (1)").ok());
  ASSERT_EQ(writer().Savepoint(Set("a"), Soon()), absl::OkStatus());
  for (int round = 0; round < 2; ++round) {  // it stays where it is
    ASSERT_TRUE(Run(writer(), "INSERT INTO %t (id) VALUES (2)").ok());
    ASSERT_EQ(writer().Savepoint(BackTo("a"), Soon()), absl::OkStatus());
    EXPECT_EQ(writer().transaction_state(), TransactionState::kOpen);
    EXPECT_EQ(CountRows(writer()), 1);
  }
  ASSERT_EQ(writer().Commit(Soon()), absl::OkStatus());
  EXPECT_EQ(CountRows(*OpenReader()), 1);
  ExpectUsable(writer());
}

// T13, T20
TEST_P(ConnectorContract, RevivesAFailedTransactionAtASavepoint) {
  ASSERT_EQ(writer().Begin({}, {}, Soon()), absl::OkStatus());
  ASSERT_TRUE(Run(writer(), "INSERT INTO %t (id) VALUES (1)").ok());
  ASSERT_EQ(writer().Savepoint(Set("before"), Soon()), absl::OkStatus());
  ASSERT_TRUE(Run(writer(), "INSERT INTO %t (id) VALUES (2)").ok());
  EXPECT_EQ(Run(writer(), "INSERT INTO %t (id) VALUES (1)").status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(writer().transaction_state(), TransactionState::kFailed);
  EXPECT_EQ(Run(writer(), "SELECT id FROM %t").status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(writer().Savepoint(Set("more"), Soon()).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(writer().Savepoint(Release("before"), Soon()).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(writer().transaction_state(), TransactionState::kFailed);
  ASSERT_EQ(writer().Savepoint(BackTo("before"), Soon()), absl::OkStatus());
  EXPECT_EQ(writer().transaction_state(), TransactionState::kOpen);
  ASSERT_TRUE(Run(writer(), "INSERT INTO %t (id) VALUES (3)").ok());
  ASSERT_EQ(writer().Commit(Soon()), absl::OkStatus());
  const auto rows = Rows(writer(), "SELECT id FROM %t ORDER BY id");
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(*rows, (std::vector<std::vector<Value>>{{std::int64_t{1}}, {std::int64_t{3}}}));
  ExpectUsable(writer());
}

// T13
TEST_P(ConnectorContract, CommitsNothingWhenAFailedTransactionHadASavepoint) {
  ASSERT_EQ(writer().Begin({}, {}, Soon()), absl::OkStatus());
  ASSERT_TRUE(Run(writer(), "INSERT INTO %t (id) VALUES (1)").ok());
  ASSERT_EQ(writer().Savepoint(Set("a"), Soon()), absl::OkStatus());
  EXPECT_FALSE(Run(writer(), "INSERT INTO %t (id) VALUES (1)").ok());
  EXPECT_EQ(writer().Commit(Soon()).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(writer().transaction_state(), TransactionState::kIdle);
  EXPECT_EQ(CountRows(writer()), 0);
  ASSERT_EQ(writer().Begin({}, {}, Soon()), absl::OkStatus());
  ASSERT_EQ(writer().Savepoint(Set("a"), Soon()), absl::OkStatus());
  EXPECT_FALSE(Run(writer(), "INSERT INTO no_such_table VALUES (1)").ok());
  EXPECT_EQ(writer().RollBack(Soon()), absl::OkStatus());
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, NestsSavepointsAndHidesThoseOfTheSameName) {
  ASSERT_EQ(writer().Begin({}, {}, Soon()), absl::OkStatus());
  ASSERT_EQ(writer().Savepoint(Set("a"), Soon()), absl::OkStatus());
  ASSERT_TRUE(Run(writer(), "INSERT INTO %t (id) VALUES (1)").ok());
  ASSERT_EQ(writer().Savepoint(Set("a"), Soon()), absl::OkStatus());
  ASSERT_TRUE(Run(writer(), "INSERT INTO %t (id) VALUES (2)").ok());
  ASSERT_EQ(writer().Savepoint(BackTo("a"), Soon()), absl::OkStatus());
  EXPECT_EQ(CountRows(writer()), 1);
  ASSERT_EQ(writer().Savepoint(Release("a"), Soon()), absl::OkStatus());
  EXPECT_EQ(CountRows(writer()), 1);
  ASSERT_EQ(writer().Savepoint(BackTo("a"), Soon()), absl::OkStatus());
  EXPECT_EQ(CountRows(writer()), 0);
  EXPECT_EQ(writer().RollBack(Soon()), absl::OkStatus());
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, EndsTheSavepointsBehindTheOneItReturnsTo) {
  ASSERT_EQ(writer().Begin({}, {}, Soon()), absl::OkStatus());
  ASSERT_EQ(writer().Savepoint(Set("a"), Soon()), absl::OkStatus());
  ASSERT_EQ(writer().Savepoint(Set("b"), Soon()), absl::OkStatus());
  ASSERT_EQ(writer().Savepoint(BackTo("a"), Soon()), absl::OkStatus());
  const absl::Status gone = writer().Savepoint(BackTo("b"), Soon());
  EXPECT_EQ(gone.code(), absl::StatusCode::kNotFound) << gone;
  EXPECT_EQ(DetailOf(gone).sqlstate, "3B001");
  EXPECT_EQ(writer().RollBack(Soon()), absl::OkStatus());
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, ComparesNamesOfSavepointsAsTheyAreWritten) {
  // The last one would be cut by a server that takes fewer bytes, and end the statement unquoted.
  const std::string longest = std::string(58, 'n') + "\";--x";
  ASSERT_EQ(longest.size(), 63U);
  for (const std::string& name : {std::string("Unit 7\""), std::string("Zoë"), longest}) {
    ASSERT_EQ(writer().Begin({}, {}, Soon()), absl::OkStatus());
    ASSERT_EQ(writer().Savepoint(Set(name), Soon()), absl::OkStatus()) << name;
    ASSERT_TRUE(Run(writer(), "INSERT INTO %t (id) VALUES (1)").ok());
    EXPECT_EQ(writer().Savepoint(BackTo(name), Soon()), absl::OkStatus()) << name;
    EXPECT_EQ(CountRows(writer()), 0);
    EXPECT_EQ(writer().RollBack(Soon()), absl::OkStatus());
  }
  ASSERT_EQ(writer().Begin({}, {}, Soon()), absl::OkStatus());
  ASSERT_EQ(writer().Savepoint(Set("a"), Soon()), absl::OkStatus());
  EXPECT_EQ(writer().Savepoint(Release("A"), Soon()).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(writer().RollBack(Soon()), absl::OkStatus());
}

TEST_P(ConnectorContract, RefusesBadNamesOfSavepointsAndLeavesTheTransactionAsItWas) {
  ASSERT_EQ(writer().Begin({}, {}, Soon()), absl::OkStatus());
  for (const std::string& name : {std::string(), std::string(64, 'n'), std::string("a\0b", 3),
                                  std::string("\xff"), std::string("\xc3")}) {
    const absl::Status refused = writer().Savepoint(Set(name), Soon());
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << refused;
    EXPECT_EQ(DetailOf(refused).field, "savepoint.set");
  }
  EXPECT_EQ(writer().transaction_state(), TransactionState::kOpen);
  EXPECT_EQ(writer().Savepoint(Set(std::string(63, 'n')), Soon()), absl::OkStatus());
  EXPECT_EQ(writer().RollBack(Soon()), absl::OkStatus());
}

TEST_P(ConnectorContract, HasNoSavepointOutsideATransaction) {
  EXPECT_EQ(writer().Savepoint(Set("a"), Soon()).code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_EQ(writer().Begin({}, {}, Soon()), absl::OkStatus());
  ASSERT_EQ(writer().Savepoint(Set("a"), Soon()), absl::OkStatus());
  ASSERT_EQ(writer().Commit(Soon()), absl::OkStatus());
  ASSERT_EQ(writer().Begin({}, {}, Soon()), absl::OkStatus());
  EXPECT_EQ(writer().Savepoint(BackTo("a"), Soon()).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(writer().RollBack(Soon()), absl::OkStatus());
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, RevivesATransactionWhoseStatementRanOutOfTime) {
  ASSERT_EQ(writer().Begin({}, {}, Soon()), absl::OkStatus());
  ASSERT_TRUE(Run(writer(), "INSERT INTO %t (id) VALUES (1)").ok());
  ASSERT_EQ(writer().Savepoint(Set("a"), Soon()), absl::OkStatus());
  CollectingSink sink;
  EXPECT_EQ(
      writer()
          .Execute({.sql = dialect().endless_sql}, {}, Within(std::chrono::milliseconds(100)), sink)
          .status()
          .code(),
      absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(writer().transaction_state(), TransactionState::kFailed);
  ASSERT_EQ(writer().Savepoint(BackTo("a"), Soon()), absl::OkStatus());
  ASSERT_EQ(writer().Commit(Soon()), absl::OkStatus());
  EXPECT_EQ(CountRows(writer()), 1);
  ExpectUsable(writer());
}

TEST_P(ConnectorContract, DoesNothingToASavepointOnceItWasToldToStop) {
  StopSignal stop;
  stop.Raise(StopReason::kCallerLeft);
  ASSERT_EQ(writer().Begin({}, {}, Soon()), absl::OkStatus());
  EXPECT_EQ(writer().Savepoint(Set("a"), Within(std::chrono::seconds(10), &stop)).code(),
            absl::StatusCode::kCancelled);
  EXPECT_EQ(writer().transaction_state(), TransactionState::kOpen);
  EXPECT_EQ(writer().RollBack(Soon()), absl::OkStatus());
  ExpectUsable(writer());
}

}  // namespace emsdb
