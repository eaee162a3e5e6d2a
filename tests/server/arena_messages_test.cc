#include "server/arena_messages.h"

#include <gtest/gtest.h>

#include <string>

#include "emsdb/v1/query_service.pb.h"

namespace emsdb {
namespace {

using Messages = ArenaMessages<v1::QueryRequest, v1::QueryResponse>;

TEST(ArenaMessages, HoldARequestAndItsResponseUntilTheyAreReleased) {
  Messages messages;
  auto* holder = messages.AllocateMessages();
  v1::QueryRequest& request = *holder->request();
  request.mutable_statement()->set_sql(std::string(1000, 'x'));
  v1::QueryResponse& response = *holder->response();
  for (int row = 0; row < 1000; ++row) {
    response.add_rows()->add_values()->set_string_value("row " + std::to_string(row));
  }
  EXPECT_EQ(response.rows(999).values(0).string_value(), "row 999");
  EXPECT_NE(request.GetArena(), nullptr);
  EXPECT_EQ(request.GetArena(), response.GetArena());
  v1::QueryResponse parsed;
  ASSERT_TRUE(parsed.ParseFromString(response.SerializeAsString()));
  EXPECT_EQ(parsed.rows_size(), 1000);
  holder->Release();
}

TEST(ArenaMessages, AreEachCallsOwn) {
  Messages messages;
  auto* one = messages.AllocateMessages();
  auto* other = messages.AllocateMessages();
  one->request()->set_database("main");
  EXPECT_EQ(other->request()->database(), "");
  one->Release();
  other->request()->set_database("fire");
  EXPECT_EQ(other->request()->database(), "fire");
  other->Release();
}

TEST(ArenaMessages, HoldNothingOfACallBeforeIt) {
  Messages messages;
  for (int i = 0; i < 100; ++i) {
    auto* holder = messages.AllocateMessages();
    EXPECT_EQ(holder->request()->ByteSizeLong(), 0);
    EXPECT_EQ(holder->response()->ByteSizeLong(), 0);
    holder->request()->mutable_statement()->set_sql("SELECT 1");
    holder->response()->set_command("SELECT");
    holder->Release();
  }
}

}  // namespace
}  // namespace emsdb
