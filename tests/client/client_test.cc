#include "client/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/client/scripted_transport.h"

namespace emsdb::client {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;

v1::QueryResponse OneCell(const Value& value) {
  v1::QueryResponse response;
  response.add_columns()->set_name("c");
  v1::Value& cell = *response.add_rows()->add_values();
  if (const auto* number = value.get_if<std::int64_t>()) {
    cell.set_int64_value(*number);
  } else if (const auto* text = value.get_if<std::string>()) {
    cell.set_string_value(*text);
  }
  response.set_rows_affected(1);
  response.set_command("SELECT");
  return response;
}

class ClientOnScript : public testing::Test {
 protected:
  std::shared_ptr<ScriptedTransport> transport_ = std::make_shared<ScriptedTransport>();
  FakeClock clock_;
  Client client_{transport_, seconds(30), RetryPolicy{}, clock_};
};

TEST_F(ClientOnScript, SendsEachParameterAsTheKindItHasInCpp) {
  transport_->query.Add(v1::QueryResponse());
  const Bytes bytes{std::string("\0\xff", 2)};
  const auto result = client_.Query("main", "select 1",
                                    {42, std::numeric_limits<std::int64_t>::min(), 1.5, "text",
                                     true, Null{}, bytes, "", std::optional<int>()});
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(transport_->queries.size(), 1u);
  const v1::QueryRequest& request = transport_->queries[0];
  EXPECT_EQ(request.database(), "main");
  const auto& values = request.statement().parameters();
  ASSERT_EQ(values.size(), 9);
  EXPECT_EQ(values[0].int64_value(), 42);
  EXPECT_EQ(values[1].int64_value(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(values[2].double_value(), 1.5);
  EXPECT_EQ(values[3].string_value(), "text");
  EXPECT_TRUE(values[4].has_bool_value());
  EXPECT_TRUE(values[5].has_null_value());
  EXPECT_EQ(values[6].bytes_value(), bytes.data);
  EXPECT_TRUE(values[7].has_string_value());
  EXPECT_TRUE(values[8].has_null_value());
}

TEST_F(ClientOnScript, TakesOneParameterInBracesForAValueAndNotForACount) {
  transport_->query.Add(v1::QueryResponse());
  ASSERT_TRUE(client_.Query("main", "select $1", {42}).ok());
  ASSERT_TRUE(client_.Query("main", "select $1, $2", {"a", "b"}).ok());
  EXPECT_EQ(transport_->queries[0].statement().parameters_size(), 1);
  EXPECT_EQ(transport_->queries[1].statement().parameters_size(), 2);
}

TEST_F(ClientOnScript, GivesRowsWithTheirKinds) {
  transport_->query.Add(OneCell(std::numeric_limits<std::int64_t>::max()));
  const auto result = client_.Query("main", "select c from t");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->rows, ElementsAre(ElementsAre(std::numeric_limits<std::int64_t>::max())));
  EXPECT_EQ(result->command, "SELECT");
}

// T49
TEST_F(ClientOnScript, DoesNotTakeAValueWithoutAKindForNull) {
  v1::QueryResponse response;
  response.add_columns();
  response.add_rows()->add_values();
  transport_->query.Add(response);
  EXPECT_EQ(client_.Query("main", "select 1", {}, {.access = Access::kReadOnly}).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST_F(ClientOnScript, RefusesARowThatHasNotOneCellForEachColumn) {
  v1::QueryResponse response = OneCell(1);
  response.add_columns();
  transport_->query.Add(response);
  const absl::Status status = client_.Query("main", "select 1").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(ErrorInfoOf(status).outcome_unknown());
}

// T8
TEST_F(ClientOnScript, GivesEveryCallADeadline) {
  transport_->query.Add(v1::QueryResponse());
  const Instant before = clock_.Now();
  ASSERT_TRUE(client_.Query("main", "select 1").ok());
  ASSERT_TRUE(client_.Query("main", "select 1", {}, {.call = {.deadline = seconds(2)}}).ok());
  ASSERT_TRUE(client_.Query("main", "select 1", {}, {.call = {.deadline = Duration::max()}}).ok());
  EXPECT_EQ(transport_->contexts[0].deadline, before + seconds(30));
  EXPECT_EQ(transport_->contexts[1].deadline, before + seconds(2));
  EXPECT_EQ(transport_->contexts[2].deadline, before + std::chrono::hours(24));
}

// T5
TEST_F(ClientOnScript, SendsNothingOnceTheDeadlineHasPassed) {
  const absl::Status status =
      client_.Query("main", "delete from t", {}, {.call = {.deadline = seconds(0)}}).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status));
  EXPECT_FALSE(ErrorInfoOf(status).outcome_unknown());
  EXPECT_TRUE(transport_->queries.empty());
}

TEST_F(ClientOnScript, SendsNothingOnceCancelled) {
  const auto cancel = std::make_shared<CancelSource>();
  cancel->Cancel();
  EXPECT_TRUE(absl::IsCancelled(
      client_.Query("main", "select 1", {}, {.call = {.cancel = cancel}}).status()));
  EXPECT_TRUE(transport_->queries.empty());
}

TEST_F(ClientOnScript, RepeatsAWriteOfWhichNothingWasSent) {
  transport_->query.Add(NothingSent());
  transport_->query.Add(NothingSent());
  transport_->query.Add(OneCell(1));
  EXPECT_TRUE(client_.Query("main", "insert into t values (1)").ok());
  EXPECT_EQ(transport_->queries.size(), 3u);
  EXPECT_EQ(clock_.waits().size(), 2u);
}

// T14, T17
TEST_F(ClientOnScript, CallsALostWriteUnknownAndDoesNotRepeatIt) {
  transport_->query.Add(LinkLost());
  const absl::Status status = client_.Query("main", "insert into t values (1)").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnknown);
  EXPECT_TRUE(ErrorInfoOf(status).outcome_unknown());
  EXPECT_EQ(transport_->queries.size(), 1u);
}

TEST_F(ClientOnScript, RepeatsALostReadThatIsMarkedSo) {
  transport_->query.Add(LinkLost());
  transport_->query.Add(OneCell(1));
  EXPECT_TRUE(client_.Query("main", "select 1", {}, {.access = Access::kReadOnly}).ok());
  EXPECT_EQ(transport_->queries.size(), 2u);
  EXPECT_TRUE(transport_->queries[1].read_only());
}

TEST_F(ClientOnScript, GivesTheRealCauseWhenRepeatingDoesNotHelp) {
  transport_->query.Add(NothingSent());
  const absl::Status status = client_.Query("main", "select 1").status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_EQ(ErrorInfoOf(status).reason, "CONNECTION_UNAVAILABLE");
  EXPECT_EQ(transport_->queries.size(), 4u);
}

TEST_F(ClientOnScript, KeepsTheCodeOfAMissedDeadlineButSaysThatAWriteMayBeDone) {
  transport_->query.Add(absl::DeadlineExceededError("Deadline Exceeded"));
  const absl::Status status = client_.Query("main", "insert into t values (1)").status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status));
  EXPECT_TRUE(ErrorInfoOf(status).outcome_unknown());
}

TEST_F(ClientOnScript, SendsABatchWithItsPromises) {
  v1::ExecuteBatchResponse response;
  response.add_results()->set_rows_affected(1);
  response.add_results()->set_command("UPDATE");
  transport_->batch.Add(response);
  const auto results =
      client_.ExecuteBatch("main",
                           {{.sql = "update a set n = n - $1", .parameters = {5}, .expect_rows = 1},
                            {.sql = "update b"}},
                           {.isolation = Isolation::kSerializable});
  ASSERT_TRUE(results.ok()) << results.status();
  ASSERT_EQ(results->size(), 2u);
  EXPECT_EQ((*results)[1].command, "UPDATE");
  const v1::ExecuteBatchRequest& request = transport_->batches[0];
  EXPECT_EQ(request.statements(0).expect_rows(), 1);
  EXPECT_FALSE(request.statements(1).has_expect_rows());
  EXPECT_EQ(request.options().isolation_level(), v1::ISOLATION_LEVEL_SERIALIZABLE);
}

TEST_F(ClientOnScript, DoesNotTakeABatchWithAMissingResultForDone) {
  transport_->batch.Add(v1::ExecuteBatchResponse());
  EXPECT_EQ(client_.ExecuteBatch("main", {{.sql = "select 1"}}).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST(ClientConnect, RefusesATokenThatCannotBeAHeaderWithoutShowingIt) {
  const absl::Status status = Client::Connect({.token = "s3cret\n"}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_EQ(status.message().find("s3cret"), std::string::npos);
}

TEST(ClientConnect, RefusesACertificateWithoutItsKey) {
  EXPECT_TRUE(
      absl::IsInvalidArgument(Client::Connect({.tls = Tls{.certificate = "pem"}}).status()));
}

}  // namespace
}  // namespace emsdb::client
