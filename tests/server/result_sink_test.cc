#include "server/result_sink.h"

#include <gtest/gtest.h>

#include <array>

#include "pool/errors.h"

namespace emsdb {
namespace {

class ResultSinks : public ::testing::Test {
 protected:
  ResultSink::Columns columns_;
  ResultSink::Rows rows_;
  ResultBudget budget_;
  ResultSink sink_{columns_, rows_, budget_};
};

TEST_F(ResultSinks, PutRowsIntoTheResponse) {
  const std::array<Column, 1> columns = {Column{"n", "int8", 20}};
  const std::array<Cell, 1> cells = {std::int64_t{7}};
  EXPECT_TRUE(sink_.OnColumns(columns).ok());
  EXPECT_TRUE(sink_.OnRow(cells).ok());
  EXPECT_EQ(columns_[0].name(), "n");
  EXPECT_EQ(rows_[0].values(0).int64_value(), 7);
}

TEST_F(ResultSinks, RefuseTheRowBeyondTheLimit) {
  budget_.rows = budget_.row_limit = 2;
  const std::array<Cell, 1> cells = {Null{}};
  EXPECT_TRUE(sink_.OnRow(cells).ok());
  EXPECT_TRUE(sink_.OnRow(cells).ok());
  const absl::Status refused = sink_.OnRow(cells);
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(DetailOf(refused).reason, "RESULT_TOO_LARGE");
  EXPECT_EQ(refused.message(), "the result has more than 2 rows: use StreamQuery, or ask for less");
}

// T61
TEST_F(ResultSinks, StayBelowTheMessageThatClientsTake) {
  const std::string text(1000, 'x');
  const std::array<Cell, 1> cells = {std::string_view(text)};
  absl::Status status;
  while ((status = sink_.OnRow(cells)).ok()) {
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  std::size_t bytes = 0;
  for (const v1::Row& row : rows_) bytes += row.ByteSizeLong() + 5;
  EXPECT_LT(bytes, std::size_t{4} << 20);
  EXPECT_GT(bytes, std::size_t{3} << 20);
}

}  // namespace
}  // namespace emsdb
