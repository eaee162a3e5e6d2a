// proto <-> the pool's values; no decisions but whether the request is well formed.
#ifndef EMSDB_SERVER_CONVERT_H_
#define EMSDB_SERVER_CONVERT_H_

#include <google/protobuf/repeated_ptr_field.h>

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "emsdb/v1/database_service.pb.h"
#include "emsdb/v1/query_service.pb.h"
#include "emsdb/v1/statement.pb.h"
#include "emsdb/v1/value.pb.h"
#include "pool/connection.h"
#include "pool/database_settings.h"
#include "pool/line.h"
#include "pool/transactions.h"

namespace emsdb {

// `field` is the statement's path in the request, "statement" or "statements[3].statement".
absl::StatusOr<Statement> ToStatement(const v1::Statement& statement, std::string_view field);

// Views of the row's values into `cells`; the index of the first value that is not set, if any.
std::optional<int> ToCells(const v1::Row& row, std::vector<Cell>& cells);

absl::StatusOr<Priority> ToPriority(v1::Priority priority);

absl::StatusOr<TransactionOptions> ToTransactionOptions(const v1::TransactionOptions& options,
                                                        std::string_view field);

// The times of a leased transaction, the defaults where none are given.
absl::StatusOr<TransactionTerms> ToTransactionTerms(const v1::TransactionOptions& options,
                                                    std::string_view field);

// Appends the row, and returns about how many bytes it takes on the wire, rather more than less.
std::size_t AddRow(std::span<const Cell> cells, google::protobuf::RepeatedPtrField<v1::Row>& rows);

void SetColumns(std::span<const Column> columns,
                google::protobuf::RepeatedPtrField<v1::Column>& into);

v1::Engine ToProto(Engine engine);

}  // namespace emsdb

#endif  // EMSDB_SERVER_CONVERT_H_
