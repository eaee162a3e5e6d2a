// The real transport against a scripted gateway on the loopback.
#include "client/grpc_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "client/client.h"
#include "client/error_info.h"
#include "tests/support/fake_gateway.h"

namespace emsdb::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Client Connected(const FakeGateway& gateway) {
  return *Client::Connect({.address = gateway.address()});
}

// Holds calls until the test lets them go, so that no test needs to sleep.
struct Gate {
  std::promise<void> entered;
  std::promise<void> leave;
};

TEST(GrpcTransport, BringsAnswersAndErrorsWithTheirDetails) {
  FakeGateway gateway({.query = [](const auto& request, auto& response) {
    if (request.statement().sql() == "bad") {
      return GatewayError(grpc::StatusCode::ALREADY_EXISTS, "duplicate key", "SQL_ERROR",
                          {{"sqlstate", "23505"}, {"constraint", "units_pkey"}});
    }
    response.set_rows_affected(3);
    return grpc::Status::OK;
  }});
  const Client client = Connected(gateway);
  EXPECT_EQ(client.Query("main", "good")->rows_affected, 3);
  const absl::Status status = client.Query("main", "bad").status();
  EXPECT_TRUE(absl::IsAlreadyExists(status));
  EXPECT_EQ(ErrorInfoOf(status).sqlstate(), "23505");
  EXPECT_EQ(ErrorInfoOf(status).Get("constraint"), "units_pkey");
}

TEST(GrpcTransport, SendsTokenAndCallerWithEveryCall) {
  FakeGateway gateway({.query = [](const auto&, auto&) { return grpc::Status::OK; }});
  const auto client =
      Client::Connect({.address = gateway.address(), .token = "s3cret", .caller = "billing"});
  ASSERT_TRUE(client->Query("main", "select 1").ok());
  EXPECT_EQ(gateway.metadata()["authorization"], "Bearer s3cret");
  EXPECT_EQ(gateway.metadata()["emsdb-caller"], "billing");
}

TEST(GrpcTransport, SaysOfAWriteThatNothingWasSentWhereNobodyListens) {
  std::string address;
  {
    const FakeGateway gone({});
    address = gone.address();
  }
  const auto client = Client::Connect({.address = address, .retry = {.max_attempts = 1}});
  const absl::Status status = client->Query("main", "insert into t values (1)").status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_EQ(ErrorInfoOf(status).reason, kGatewayUnreachable);
  EXPECT_FALSE(ErrorInfoOf(status).outcome_unknown());
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr(address));
}

// T17
TEST(GrpcTransport, SaysOfAWriteThatItIsInDoubtWhereTheGatewayDiesWithIt) {
  Gate gate;
  FakeGateway gateway({.query = [&gate](const auto&, auto&) {
    gate.entered.set_value();
    gate.leave.get_future().wait();
    return grpc::Status::OK;
  }});
  const Client client = Connected(gateway);
  auto answer = std::async(std::launch::async, [&client] {
    return client.Query("main", "insert into t values (1)").status();
  });
  gate.entered.get_future().wait();
  auto broken = std::async(std::launch::async, [&gateway] { gateway.Break(); });
  const absl::Status status = answer.get();
  gate.leave.set_value();
  EXPECT_TRUE(ErrorInfoOf(status).outcome_unknown()) << status;
}

// T8
TEST(GrpcTransport, EndsACallAtItsDeadlineWhateverTheGatewayDoes) {
  Gate gate;
  FakeGateway gateway({.query = [&gate](const auto&, auto&) {
    gate.leave.get_future().wait();
    return grpc::Status::OK;
  }});
  const Client client = Connected(gateway);
  const absl::Status status =
      client.Query("main", "select 1", {}, {.call = {.deadline = milliseconds(200)}}).status();
  gate.leave.set_value();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
}

TEST(GrpcTransport, EndsACallThatIsCancelledByAnotherThread) {
  Gate gate;
  FakeGateway gateway({.query = [&gate](const auto&, auto&) {
    gate.entered.set_value();
    gate.leave.get_future().wait();
    return grpc::Status::OK;
  }});
  const Client client = Connected(gateway);
  const auto cancel = std::make_shared<CancelSource>();
  auto answer = std::async(std::launch::async, [&] {
    return client.Query("main", "select 1", {}, {.call = {.cancel = cancel}}).status();
  });
  gate.entered.get_future().wait();
  cancel->Cancel();
  const absl::Status status = answer.get();
  gate.leave.set_value();
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
}

// T61
TEST(GrpcTransport, ReceivesACellOfSixteenMebibytes) {
  const std::string large(16 << 20, 'x');
  FakeGateway gateway({.query = [&large](const auto&, auto& response) {
    response.add_columns();
    response.add_rows()->add_values()->set_string_value(large);
    return grpc::Status::OK;
  }});
  const auto result = Connected(gateway).Query("main", "select 1");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->rows[0][0], Value(large));
}

TEST(GrpcTransport, TellsTheGatewayWhenAStreamIsDroppedEarly) {
  std::promise<void> left;
  FakeGateway gateway({.stream_query = [&left](const auto&, const FakeStream& stream) {
    v1::StreamQueryResponse message;
    message.add_columns();
    message.add_rows()->add_values()->set_string_value(std::string(1 << 20, 'x'));
    stream.send(message);
    message.clear_columns();
    while (stream.send(message)) continue;  // until the caller has left
    left.set_value();
    return grpc::Status::OK;
  }});
  const Client client = Connected(gateway);
  {
    auto stream = client.StreamQuery("main", "select 1");
    ASSERT_TRUE(stream.ok()) << stream.status();
    Row row;
    ASSERT_TRUE(stream->Next(row).value());
  }
  EXPECT_EQ(left.get_future().wait_for(seconds(30)), std::future_status::ready);
}

TEST(GrpcTransport, AsksForHealthByTheStandardService) {
  FakeGateway gateway({});
  gateway.SetHealth("fire", FakeGateway::Health::kNotServing);
  const Client client = Connected(gateway);
  EXPECT_EQ(client.Health().value(), HealthStatus::kServing);
  EXPECT_EQ(client.Health("fire").value(), HealthStatus::kNotServing);
  EXPECT_TRUE(absl::IsNotFound(client.Health("nosuch").status()));
}

TEST(GrpcTransport, ListsDatabasesAndPools) {
  FakeGateway gateway({.databases =
                           [](const auto&, auto& response) {
                             response.add_databases()->set_name("main");
                             return grpc::Status::OK;
                           },
                       .pools =
                           [](const auto& request, auto& response) {
                             response.add_pools()->set_database(request.database());
                             return grpc::Status::OK;
                           }});
  const Client client = Connected(gateway);
  EXPECT_EQ(client.ListDatabases()->at(0).name(), "main");
  EXPECT_EQ(client.PoolStatus("fire")->at(0).database(), "fire");
}

TEST(GrpcTransport, RunsATransactionOverTheWire) {
  std::vector<std::string> calls;
  FakeGateway gateway({.query =
                           [&calls](const auto& request, auto&) {
                             calls.push_back("query " + request.transaction().id());
                             return grpc::Status::OK;
                           },
                       .begin =
                           [&calls](const auto&, auto& response) {
                             calls.emplace_back("begin");
                             response.set_transaction_id("g.1");
                             return grpc::Status::OK;
                           },
                       .roll_back =
                           [&calls](const auto& request, auto&) {
                             calls.push_back("roll back " + request.transaction_id());
                             return grpc::Status::OK;
                           }});
  const Client client = Connected(gateway);
  {
    auto transaction = client.Begin("main");
    ASSERT_TRUE(transaction.ok());
    ASSERT_TRUE(transaction->Query("select 1").ok());
  }
  EXPECT_THAT(calls, testing::ElementsAre("begin", "query g.1", "roll back g.1"));
}

}  // namespace
}  // namespace emsdb::client
