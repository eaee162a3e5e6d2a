#include "client/row_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/client.h"
#include "tests/client/scripted_transport.h"

namespace emsdb::client {
namespace {

using ::testing::ElementsAre;

v1::StreamQueryResponse Message(std::initializer_list<std::int64_t> cells) {
  v1::StreamQueryResponse message;
  for (const std::int64_t cell : cells) message.add_rows()->add_values()->set_int64_value(cell);
  return message;
}

v1::StreamQueryResponse First(std::initializer_list<std::int64_t> cells) {
  v1::StreamQueryResponse message = Message(cells);
  message.add_columns()->set_name("n");
  return message;
}

v1::StreamQueryResponse Complete(v1::StreamQueryResponse message, std::int64_t rows) {
  message.mutable_complete()->set_row_count(rows);
  message.mutable_complete()->set_command("SELECT");
  return message;
}

struct Pulled {
  std::vector<std::int64_t> rows;
  absl::Status end;
};

class StreamOnScript : public testing::Test {
 protected:
  absl::StatusOr<RowStream> Open(Access access = Access::kReadWrite) {
    return client_.StreamQuery("main", "select n from t", {}, {.access = access});
  }

  Pulled Pull(Access access = Access::kReadWrite) {
    Pulled pulled;
    auto stream = Open(access);
    pulled.end = stream.status();
    if (!stream.ok()) return pulled;
    Row row;
    while (true) {
      const absl::StatusOr<bool> more = stream->Next(row);
      pulled.end = more.status();
      if (!more.ok() || !*more) return pulled;
      pulled.rows.push_back(*row.at(0).get_if<std::int64_t>());
    }
  }

  std::shared_ptr<ScriptedTransport> transport_ = std::make_shared<ScriptedTransport>();
  FakeClock clock_;
  Client client_{transport_, std::chrono::seconds(30), RetryPolicy{}, clock_};
};

TEST_F(StreamOnScript, GivesTheRowsOfAllMessagesInOrder) {
  transport_->stream.Add(
      ScriptedStreamAnswer{{First({1, 2}), Message({}), Message({3}), Complete(Message({4}), 4)}});
  const Pulled pulled = Pull();
  EXPECT_TRUE(pulled.end.ok()) << pulled.end;
  EXPECT_THAT(pulled.rows, ElementsAre(1, 2, 3, 4));
}

TEST_F(StreamOnScript, TellsItsColumnsBeforeAnyRowAndItsCompletionAfterAll) {
  transport_->stream.Add(ScriptedStreamAnswer{{Complete(First({7}), 1)}});
  auto stream = Open();
  ASSERT_TRUE(stream.ok()) << stream.status();
  EXPECT_THAT(stream->columns(), ElementsAre(Column{.name = "n"}));
  EXPECT_FALSE(stream->completion().has_value());
  Row row;
  EXPECT_TRUE(stream->Next(row).value());
  EXPECT_FALSE(stream->Next(row).value());
  ASSERT_TRUE(stream->completion().has_value());
  EXPECT_EQ(stream->completion()->command, "SELECT");
  EXPECT_FALSE(stream->Next(row).value());  // and stays at its end
}

// T64
TEST_F(StreamOnScript, CallsAStreamWithoutCompletionIncomplete) {
  transport_->stream.Add(ScriptedStreamAnswer{{First({1})}});
  const Pulled pulled = Pull(Access::kReadOnly);
  EXPECT_EQ(pulled.end.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ErrorInfoOf(pulled.end).reason, kIncompleteStream);
}

TEST_F(StreamOnScript, CallsAnEmptyStreamIncomplete) {
  transport_->stream.Add(ScriptedStreamAnswer{});
  EXPECT_EQ(Pull().end.code(), absl::StatusCode::kDataLoss);
}

TEST_F(StreamOnScript, NoticesMissingRowsByTheirCount) {
  transport_->stream.Add(ScriptedStreamAnswer{{Complete(First({1}), 2)}});
  EXPECT_EQ(Pull().end.code(), absl::StatusCode::kDataLoss);
}

TEST_F(StreamOnScript, NoticesRowsBehindTheEnd) {
  transport_->stream.Add(ScriptedStreamAnswer{{Complete(First({1}), 1), Message({2})}});
  EXPECT_EQ(Pull().end.code(), absl::StatusCode::kDataLoss);
}

// T64
TEST_F(StreamOnScript, EndsWithTheErrorThatCameAfterSomeRows) {
  transport_->stream.Add(ScriptedStreamAnswer{
      {First({1, 2})},
      WithErrorInfo(absl::InvalidArgumentError("division by zero"), {.reason = "SQL_ERROR"})});
  const Pulled pulled = Pull();
  EXPECT_THAT(pulled.rows, ElementsAre(1, 2));
  EXPECT_TRUE(absl::IsInvalidArgument(pulled.end));
}

TEST_F(StreamOnScript, DoesNotBelieveACompletionWhoseCallFailed) {
  transport_->stream.Add(ScriptedStreamAnswer{{Complete(First({1}), 1)}, LinkLost()});
  EXPECT_EQ(Pull().end.code(), absl::StatusCode::kUnknown);
}

// T16
TEST_F(StreamOnScript, RepeatsAReadOnlyBeforeItsFirstMessage) {
  transport_->stream.Add(ScriptedStreamAnswer{{}, LinkLost()});
  transport_->stream.Add(ScriptedStreamAnswer{{First({1})}, LinkLost()});
  const Pulled pulled = Pull(Access::kReadOnly);
  EXPECT_THAT(pulled.rows, ElementsAre(1));
  EXPECT_TRUE(absl::IsUnavailable(pulled.end));
  EXPECT_EQ(transport_->streams.size(), 2u);
}

TEST_F(StreamOnScript, EndsTheCallWhenItIsDroppedEarly) {
  transport_->stream.Add(ScriptedStreamAnswer{{First({1}), Complete(Message({2}), 2)}});
  {
    auto stream = Open();
    ASSERT_TRUE(stream.ok());
    EXPECT_EQ(transport_->streams_ended, 0);
  }
  EXPECT_EQ(transport_->streams_ended, 1);
}

TEST_F(StreamOnScript, GivesAStatementWithoutColumnsItsCompletion) {
  v1::StreamQueryResponse only;
  only.mutable_complete()->set_rows_affected(3);
  only.mutable_complete()->set_command("INSERT");
  transport_->stream.Add(ScriptedStreamAnswer{{only}});
  auto stream = Open();
  ASSERT_TRUE(stream.ok());
  Row row;
  EXPECT_FALSE(stream->Next(row).value());
  EXPECT_TRUE(stream->columns().empty());
  EXPECT_EQ(stream->completion()->rows_affected, 3);
}

}  // namespace
}  // namespace emsdb::client
