#include "client/transaction.h"

#include <gtest/gtest.h>

#include "client/client.h"
#include "tests/client/scripted_transport.h"

namespace emsdb::client {
namespace {

class TransactionOnScript : public testing::Test {
 protected:
  TransactionOnScript() {
    v1::BeginTransactionResponse begun;
    begun.set_transaction_id("g1.0123");
    transport_->begin.Add(begun);
    transport_->query.Add(v1::QueryResponse());
    transport_->roll_back.Add(v1::RollbackTransactionResponse());
  }

  Transaction Begin() { return *client_.Begin("main"); }

  std::shared_ptr<ScriptedTransport> transport_ = std::make_shared<ScriptedTransport>();
  FakeClock clock_;
  Client client_{transport_, std::chrono::seconds(30), RetryPolicy{}, clock_};
};

TEST_F(TransactionOnScript, SendsItsIdWithEveryStatement) {
  transport_->commit.Add(v1::CommitTransactionResponse());
  Transaction transaction = Begin();
  ASSERT_TRUE(transaction.Query("insert into t values ($1)", {1}).ok());
  ASSERT_TRUE(transaction.Commit().ok());
  EXPECT_EQ(transport_->queries[0].transaction().id(), "g1.0123");
  EXPECT_EQ(transport_->commits[0].transaction_id(), "g1.0123");
}

TEST_F(TransactionOnScript, RollsBackWhenItIsDroppedWithoutACommit) {
  { const Transaction transaction = Begin(); }
  ASSERT_EQ(transport_->roll_backs.size(), 1u);
  EXPECT_EQ(transport_->roll_backs[0].transaction_id(), "g1.0123");
}

TEST_F(TransactionOnScript, DoesNotRollBackAfterACommit) {
  transport_->commit.Add(v1::CommitTransactionResponse());
  {
    Transaction transaction = Begin();
    ASSERT_TRUE(transaction.Commit().ok());
  }
  EXPECT_TRUE(transport_->roll_backs.empty());
}

TEST_F(TransactionOnScript, RollsBackOnceWhenItWasMoved) {
  {
    Transaction first = Begin();
    Transaction second = std::move(first);
    Transaction third = Begin();
    third = std::move(second);  // the third's own is rolled back here
    EXPECT_EQ(transport_->roll_backs.size(), 1u);
  }
  EXPECT_EQ(transport_->roll_backs.size(), 2u);
}

// T14
TEST_F(TransactionOnScript, NeverRepeatsACommitAndCallsALostOneUnknown) {
  transport_->commit.Add(LinkLost());
  Transaction transaction = Begin();
  const absl::Status status = transaction.Commit();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnknown);
  EXPECT_TRUE(ErrorInfoOf(status).outcome_unknown());
  EXPECT_EQ(transport_->commits.size(), 1u);
}

TEST_F(TransactionOnScript, DoesNotRepeatACommitThatWasNotSentButRollsBack) {
  transport_->commit.Add(GatewayUnreachable("127.0.0.1:1", "refused"));
  {
    Transaction transaction = Begin();
    EXPECT_TRUE(absl::IsUnavailable(transaction.Commit()));
  }
  EXPECT_EQ(transport_->commits.size(), 1u);
  EXPECT_EQ(transport_->roll_backs.size(), 1u);
}

// T12
TEST_F(TransactionOnScript, DoesNotRepeatAStatementOfATransaction) {
  transport_->query = {};
  transport_->query.Add(NothingSent());
  Transaction transaction = Begin();
  EXPECT_TRUE(absl::IsUnavailable(transaction.Query("insert into t values (1)").status()));
  EXPECT_EQ(transport_->queries.size(), 1u);
}

TEST_F(TransactionOnScript, RefusesEverythingAfterItsEnd) {
  Transaction transaction = Begin();
  ASSERT_TRUE(transaction.RollBack().ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(transaction.Query("select 1").status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(transaction.StreamQuery("select 1").status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(transaction.Commit()));
  EXPECT_TRUE(transaction.RollBack().ok());
  EXPECT_EQ(transport_->roll_backs.size(), 1u);
}

TEST_F(TransactionOnScript, CarriesItsOptions) {
  {
    const auto transaction = client_.Begin("fire", {.isolation = Isolation::kRepeatableRead,
                                                    .access = Access::kReadOnly,
                                                    .idle_timeout = std::chrono::milliseconds(2500),
                                                    .priority = Priority::kDispatch});
    ASSERT_TRUE(transaction.ok());
  }
  const v1::BeginTransactionRequest& request = transport_->begins[0];
  EXPECT_EQ(request.database(), "fire");
  EXPECT_EQ(request.options().isolation_level(), v1::ISOLATION_LEVEL_REPEATABLE_READ);
  EXPECT_TRUE(request.options().read_only());
  EXPECT_EQ(request.options().idle_timeout().seconds(), 2);
  EXPECT_EQ(request.options().idle_timeout().nanos(), 500'000'000);
  EXPECT_FALSE(request.options().has_total_timeout());
  EXPECT_EQ(request.priority(), v1::PRIORITY_DISPATCH);
}

TEST_F(TransactionOnScript, SetsSavepointsAndRollsBackToThem) {
  transport_->savepoint.Add(v1::SavepointResponse());
  Transaction transaction = Begin();
  EXPECT_TRUE(transaction.SetSavepoint("a").ok());
  EXPECT_TRUE(transaction.RollBackTo("a").ok());
  EXPECT_TRUE(transaction.ReleaseSavepoint("a").ok());
  ASSERT_EQ(transport_->savepoints.size(), 3U);
  EXPECT_EQ(transport_->savepoints[0].savepoint().set(), "a");
  EXPECT_EQ(transport_->savepoints[1].savepoint().rollback_to(), "a");
  EXPECT_EQ(transport_->savepoints[2].savepoint().release(), "a");
  EXPECT_EQ(transaction.SetSavepoint(std::string("a\0", 2)).code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace emsdb::client
