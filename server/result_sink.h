// Rows of a unary call, converted straight into its response, within the limits of one message.
#ifndef EMSDB_SERVER_RESULT_SINK_H_
#define EMSDB_SERVER_RESULT_SINK_H_

#include "emsdb/v1/value.pb.h"
#include "pool/connection.h"
#include "server/convert.h"
#include "server/result_memory.h"

namespace emsdb {

// What all results of one response may have together. gRPC's clients take messages of 4 MiB unless
// told otherwise; the rest is for what else is in the message.
struct ResultBudget {
  static constexpr std::size_t kMostBytes = (4U << 20) - (64U << 10);
  static constexpr std::uint32_t kMostRows = 10000;

  std::size_t bytes = kMostBytes;
  std::uint32_t rows = kMostRows;
  std::uint32_t row_limit = kMostRows;  // what `rows` began with, for the message
  ResultShare* share = nullptr;         // of all results' memory; null: not counted
};

class ResultSink final : public RowSink {
 public:
  using Columns = google::protobuf::RepeatedPtrField<v1::Column>;
  using Rows = google::protobuf::RepeatedPtrField<v1::Row>;

  // All must outlive the sink.
  ResultSink(Columns& columns, Rows& rows, ResultBudget& budget)
      : columns_(columns), rows_(rows), budget_(budget) {}

  absl::Status OnColumns(std::span<const Column> columns) override;
  absl::Status OnRow(std::span<const Cell> cells) override;
  void OnColumnsNamed(std::span<const Column> columns) override { SetColumns(columns, columns_); }

 private:
  // `heap`: what the message takes here, before it is written out, beside its bytes.
  absl::Status Spend(std::size_t bytes, std::size_t heap);

  Columns& columns_;
  Rows& rows_;
  ResultBudget& budget_;
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_RESULT_SINK_H_
