// The rows of one statement, pulled one by one: for results of any size in flat memory.
#ifndef EMSDB_CLIENT_ROW_STREAM_H_
#define EMSDB_CLIENT_ROW_STREAM_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/outcome.h"
#include "client/transport.h"
#include "client/value.h"

namespace emsdb::client {

// What a finished stream says.
struct Completion {
  std::int64_t row_count = 0;
  std::int64_t rows_affected = 0;
  std::string command;
};

//   Row row;
//   while (true) {
//     const absl::StatusOr<bool> more = stream.Next(row);
//     if (!more.ok()) return more.status();   // the rows before are not to be used
//     if (!*more) break;
//     ...
//   }
//
// Destroyed before its end it cancels the call. One thread at a time; within a transaction it must
// be gone before the transaction's next call.
class RowStream {
 public:
  // For Client and Transaction: `first` is the first message.
  RowStream(std::unique_ptr<ResponseStream> stream, v1::StreamQueryResponse first, Effect effect);
  RowStream(RowStream&&) = default;
  RowStream& operator=(RowStream&&) = default;

  // Empty for a statement that returns no rows.
  const std::vector<Column>& columns() const { return columns_; }

  // True: `row` is the next one. False: that was the whole result. DATA_LOSS where the stream
  // ended well but not whole.
  absl::StatusOr<bool> Next(Row& row);

  // Set once Next() has said false.
  const std::optional<Completion>& completion() const { return completion_; }

 private:
  absl::Status ReadOn();
  absl::Status CheckEnd();
  absl::Status Fail(absl::Status status);

  std::unique_ptr<ResponseStream> stream_;
  v1::StreamQueryResponse message_;
  int next_in_message_ = 0;
  std::int64_t rows_seen_ = 0;
  Effect effect_;
  std::vector<Column> columns_;
  std::optional<Completion> completion_;
  absl::Status status_;
};

// Makes the call and reads its first message, so that a failure before any row can be repeated.
absl::StatusOr<RowStream> OpenRowStream(Transport& transport, const CallContext& context,
                                        const v1::StreamQueryRequest& request, Effect effect);

}  // namespace emsdb::client

#endif  // EMSDB_CLIENT_ROW_STREAM_H_
