// Between the library's plain values and the wire's messages; no decisions.
#ifndef EMSDB_CLIENT_CONVERT_H_
#define EMSDB_CLIENT_CONVERT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/options.h"
#include "client/value.h"
#include "emsdb/v1/query_service.pb.h"

namespace emsdb::client {

v1::Value ToWire(Value value);
v1::Statement ToWire(std::string sql, std::vector<Value> parameters,
                     std::vector<std::string> parameter_types);
v1::Priority ToWire(Priority priority);
v1::IsolationLevel ToWire(Isolation isolation);
v1::TransactionOptions ToWire(const TransactionOptions& options);

// DATA_LOSS if a value is of no known kind: a newer gateway may have sent what this library does
// not know, and that must not be taken for NULL.
absl::StatusOr<Value> FromWire(v1::Value&& value);

// DATA_LOSS as above, or if the row has not one cell for each column.
absl::Status FromWire(v1::Row&& row, std::size_t columns, Row& into);

std::vector<Column> FromWire(google::protobuf::RepeatedPtrField<v1::Column>&& columns);

// QueryResponse or StatementResult.
template <typename Message>
absl::StatusOr<Result> ResultFromWire(Message&& message) {
  Result result{.columns = FromWire(std::move(*message.mutable_columns())),
                .rows_affected = message.rows_affected(),
                .command = message.command()};
  result.rows.resize(static_cast<std::size_t>(message.rows_size()));
  for (int i = 0; i < message.rows_size(); ++i) {
    if (absl::Status status = FromWire(std::move(*message.mutable_rows(i)), result.columns.size(),
                                       result.rows[static_cast<std::size_t>(i)]);
        !status.ok()) {
      return status;
    }
  }
  return result;
}

}  // namespace emsdb::client

#endif  // EMSDB_CLIENT_CONVERT_H_
