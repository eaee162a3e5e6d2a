#include "server/result_memory.h"

#include <google/protobuf/arena.h>
#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "emsdb/v1/query_service.pb.h"
#include "pool/errors.h"
#include "server/result_sink.h"

namespace emsdb {
namespace {

constexpr std::size_t kMost = std::size_t{1} << 20;

TEST(AResultsMemory, IsTakenAndGivenBack) {
  ResultMemory memory(kMost);
  {
    ResultShare share(memory);
    EXPECT_EQ(memory.used(), 0u);
    EXPECT_TRUE(share.Take(100'000).ok());
    EXPECT_GE(memory.used(), 100'000u);
    share.GiveBack();
    EXPECT_EQ(memory.used(), 0u);
    EXPECT_TRUE(share.Take(1).ok());
    EXPECT_GT(memory.used(), 0u);
  }
  EXPECT_EQ(memory.used(), 0u);
}

TEST(AResultsMemory, IsRefusedToTheCallThatWouldExceedTheWhole) {
  ResultMemory memory(kMost);
  ResultShare one(memory);
  ResultShare other(memory);
  EXPECT_TRUE(one.Take(900'000).ok());
  const absl::Status refused = other.Take(200'000);
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(DetailOf(refused).reason, "RESULT_MEMORY");
  EXPECT_EQ(DetailOf(refused).retry, Retry::kYes);
  EXPECT_EQ(memory.refused(), 1u);
  other.GiveBack();
  one.GiveBack();
  EXPECT_TRUE(other.Take(200'000).ok());
}

TEST(AResultsMemory, IsNeverMoreThanTheWholeUnderManyThreads) {
  ResultMemory memory(kMost);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&memory] {
      for (int round = 0; round < 2000; ++round) {
        ResultShare share(memory);
        while (share.Take(50'000).ok()) {
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(memory.used(), 0u);
}

TEST(AResultsMemory, IsNoLessThanWhatTheRowsTakeOnAnArena) {
  const std::string long_text(40, 'x');
  const std::vector<std::vector<Cell>> kinds = {
      {std::int64_t{7}}, {std::string_view("short")}, {1.5, std::string_view(long_text), Null{}}};
  for (const std::vector<Cell>& cells : kinds) {
    ResultMemory memory(std::size_t{64} << 20);
    ResultShare share(memory);
    google::protobuf::Arena arena;
    auto& response = *google::protobuf::Arena::CreateMessage<v1::QueryResponse>(&arena);
    ResultBudget budget{.share = &share};
    ResultSink sink(*response.mutable_columns(), *response.mutable_rows(), budget);
    std::size_t texts = 0;  // beyond what a string's header holds they are on the heap
    for (int row = 0; row < 2000; ++row) {
      ASSERT_TRUE(sink.OnRow(cells).ok());
      for (const Cell& cell : cells) {
        if (cell == Cell(std::string_view(long_text))) texts += long_text.size() + 16;
      }
    }
    EXPECT_GE(memory.used(), arena.SpaceUsed() + texts + response.ByteSizeLong());
  }
}

TEST(AResultsMemory, IsSpentByTheRowsThatASinkTakes) {
  ResultMemory memory(kMost);
  std::optional<ResultShare> share(memory);
  ResultSink::Columns columns;
  ResultSink::Rows rows;
  ResultBudget budget{.share = &*share};
  ResultSink sink(columns, rows, budget);
  const std::string text(10'000, 'x');
  const std::array<Cell, 1> cells = {std::string_view(text)};
  absl::Status status;
  while ((status = sink.OnRow(cells)).ok()) {
  }
  EXPECT_EQ(DetailOf(status).reason, "RESULT_MEMORY") << status;
  // The text is there twice, in the message and written out.
  EXPECT_NEAR(rows.size(), static_cast<double>(kMost) / 20'000, 3);
  share.reset();
  EXPECT_EQ(memory.used(), 0u);
}

// What is charged is not less than what protobuf's objects take where responses live, nor far more.
TEST(AResultsMemory, CoversWhatSmallCellsReallyTake) {
  ResultMemory memory(std::size_t{64} << 20);
  ResultShare share(memory);
  google::protobuf::Arena arena;
  auto& response = *google::protobuf::Arena::CreateMessage<v1::QueryResponse>(&arena);
  ResultBudget budget{.share = &share};
  ResultSink sink(*response.mutable_columns(), *response.mutable_rows(), budget);
  const std::array<Cell, 4> cells = {std::int64_t{7}, std::string_view("abc"), Null{}, 1.5};
  while (response.rows_size() < 5000) ASSERT_TRUE(sink.OnRow(cells).ok());
  const std::size_t taken = arena.SpaceUsed() + response.ByteSizeLong();
  EXPECT_GE(memory.used(), taken);
  EXPECT_LE(memory.used(), 2 * taken);
}

}  // namespace
}  // namespace emsdb
