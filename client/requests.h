// What Client and Transaction share: how a request is filled, and how a query is run.
#ifndef EMSDB_CLIENT_REQUESTS_H_
#define EMSDB_CLIENT_REQUESTS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "client/call_runner.h"
#include "client/convert.h"
#include "client/options.h"
#include "client/row_stream.h"
#include "client/text_check.h"

namespace emsdb::client {

// QueryRequest or StreamQueryRequest, without its transaction.
template <typename Request>
Request MakeQuery(const std::string& database, std::string sql, std::vector<Value> parameters,
                  const QueryOptions& options) {
  Request request;
  request.set_database(database);
  *request.mutable_statement() =
      ToWire(std::move(sql), std::move(parameters), options.parameter_types);
  request.set_priority(ToWire(options.priority));
  request.set_max_rows(options.max_rows);
  return request;
}

// A query whose answer cannot be read is none of its own fault: what it wrote is written.
inline absl::StatusOr<Result> RunQuery(const CallRunner& runner, const CallOptions& options,
                                       CallRules rules, const v1::QueryRequest& request) {
  if (absl::Status status = CheckTexts(request.database(), request.statement()); !status.ok()) {
    return status;
  }
  auto response = runner.Run(options, rules, [&](const CallContext& context) {
    return runner.transport().Query(context, request);
  });
  if (!response.ok()) return response.status();
  absl::StatusOr<Result> result = ResultFromWire(*std::move(response));
  if (!result.ok()) return WithOutcome(result.status(), rules.effect);
  return result;
}

inline absl::StatusOr<RowStream> RunStreamQuery(const CallRunner& runner,
                                                const CallOptions& options, CallRules rules,
                                                const v1::StreamQueryRequest& request) {
  if (absl::Status status = CheckTexts(request.database(), request.statement()); !status.ok()) {
    return status;
  }
  return runner.Run(options, rules, [&](const CallContext& context) {
    return OpenRowStream(runner.transport(), context, request, rules.effect);
  });
}

}  // namespace emsdb::client

#endif  // EMSDB_CLIENT_REQUESTS_H_
