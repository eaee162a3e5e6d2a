#include "client/stream_transaction.h"

#include <gmock/gmock.h>

#include <chrono>
#include <initializer_list>
#include <memory>
#include <string>

#include "client/client.h"
#include "tests/client/scripted_transport.h"

namespace emsdb::client {
namespace {

v1::TransactResponse Begun() {
  v1::TransactResponse response;
  response.mutable_begun();
  return response;
}
v1::TransactResponse Touched(std::int64_t rows) {
  v1::TransactResponse response;
  response.mutable_result()->set_rows_affected(rows);
  return response;
}
v1::TransactResponse Failed() {
  v1::TransactResponse response;
  v1::TransactError& error = *response.mutable_error();
  error.set_code(6);
  error.set_message("twice");
  error.set_reason("SQL_ERROR");
  (*error.mutable_metadata())["sqlstate"] = "23505";
  return response;
}
v1::TransactResponse Committing(const std::string& token) {
  v1::TransactResponse response;
  response.mutable_committing()->set_commit_token(token);
  return response;
}
v1::TransactResponse Committed() {
  v1::TransactResponse response;
  response.mutable_committed();
  return response;
}

class AStreamTransaction : public ::testing::Test {
 protected:
  absl::StatusOr<StreamTransaction> Begin(std::vector<v1::TransactResponse> answers,
                                          absl::Status end = absl::OkStatus()) {
    transport->transact = {std::move(answers), std::move(end)};
    return client.Transact("main", {.access = Access::kReadOnly});
  }

  std::shared_ptr<ScriptedTransport> transport = std::make_shared<ScriptedTransport>();
  FakeClock clock;
  Client client{transport, std::chrono::seconds(30), {}, clock};
};

TEST_F(AStreamTransaction, RunsItsStatementsAndCommits) {
  auto transaction = Begin({Begun(), Touched(1), Committing("t0ken"), Committed()});
  ASSERT_TRUE(transaction.ok()) << transaction.status();
  const auto done = transaction->Run({.sql = "UPDATE a", .expect_rows = 1});
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(done->rows_affected, 1);
  EXPECT_TRUE(transaction->Commit().ok());
  EXPECT_EQ(transaction->commit_token(), "t0ken");
  EXPECT_EQ(transport->streams_ended, 1);
  ASSERT_EQ(transport->transacts.size(), 3U);
  EXPECT_TRUE(transport->transacts[0].begin().options().read_only());
  EXPECT_EQ(transport->transacts[1].statement().expect_rows(), 1);
  EXPECT_TRUE(transport->transacts[2].has_commit());
  EXPECT_EQ(transport->contexts[0].deadline - clock.Now(), StreamTransaction::kDefaultDeadline);
}

TEST_F(AStreamTransaction, EndsItsStreamWhenItIsDestroyed) {  // T11
  { EXPECT_TRUE(Begin({Begun()}).ok()); }
  EXPECT_EQ(transport->streams_ended, 1);
  EXPECT_EQ(transport->transacts.size(), 1U);
}

TEST_F(AStreamTransaction, GoesOnAfterAnErrorInTheStream) {
  v1::TransactResponse back;
  back.mutable_savepoint();
  auto transaction = Begin({Begun(), Failed(), back, Committed()});
  const auto failed = transaction->Query("INSERT");
  EXPECT_EQ(failed.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ErrorInfoOf(failed.status()).sqlstate(), "23505");
  EXPECT_TRUE(transaction->RollBackTo("before").ok());
  EXPECT_EQ(transport->transacts[2].savepoint().rollback_to(), "before");
  EXPECT_TRUE(transaction->Commit().ok());
  EXPECT_EQ(transaction->commit_token(), "");
}

TEST_F(AStreamTransaction, TellsTheStatusThatEndedItAndIsOver) {  // T23
  const absl::Status expired =
      WithErrorInfo(absl::AbortedError("rolled back"), {.reason = "TX_EXPIRED"});
  auto transaction = Begin({Begun()}, expired);
  EXPECT_EQ(ErrorInfoOf(transaction->Query("SELECT 1").status()).reason, "TX_EXPIRED");
  EXPECT_EQ(ErrorInfoOf(transaction->Query("SELECT 1").status()).reason, "TX_ENDED");
  EXPECT_EQ(ErrorInfoOf(transaction->Commit()).reason, "TX_ENDED");
  EXPECT_FALSE(ErrorInfoOf(transaction->Commit()).outcome_unknown());
  EXPECT_TRUE(transaction->RollBack().ok());
}

TEST_F(AStreamTransaction, DoesNotKnowWhatBecameOfACommitWhoseAnswerWasLost) {  // T14
  auto transaction = Begin({Begun(), Committing("t0ken")}, LinkLost());
  const absl::Status lost = transaction->Commit();
  EXPECT_EQ(lost.code(), absl::StatusCode::kUnknown) << lost;
  EXPECT_TRUE(ErrorInfoOf(lost).outcome_unknown());
  EXPECT_EQ(ErrorInfoOf(lost).commit_token(), "t0ken");
  EXPECT_EQ(transaction->commit_token(), "t0ken");
  auto empty = Begin({Begun()}, absl::OkStatus());
  EXPECT_TRUE(ErrorInfoOf(empty->Commit()).outcome_unknown());
}

TEST_F(AStreamTransaction, DoesNotTakeAnotherAnswerForACommit) {
  auto transaction = Begin({Begun(), Touched(1)});
  EXPECT_TRUE(ErrorInfoOf(transaction->Commit()).outcome_unknown());
}

TEST_F(AStreamTransaction, RefusesTextThatGrpcCouldNotSend) {
  auto transaction = Begin({Begun()});
  EXPECT_EQ(transaction->SetSavepoint("\xff").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(transaction->Query("SELECT '\xff'").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(transport->transacts.size(), 1U);
}

TEST_F(AStreamTransaction, BeginsOnceMoreWhereNothingWasSent) {
  transport->transact_opens = GatewayUnreachable("here", "refused");
  EXPECT_EQ(ErrorInfoOf(client.Transact("main").status()).reason, kGatewayUnreachable);
  EXPECT_GT(transport->contexts.size(), 1U);
}

}  // namespace
}  // namespace emsdb::client
