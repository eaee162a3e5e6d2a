#include "server/batch_call.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "pool/errors.h"

namespace emsdb {
namespace {

constexpr int kMostStatements = 1000;

absl::StatusOr<GuardedStatement> ToGuarded(const v1::BatchStatement& guarded, int index) {
  const std::string field = absl::StrFormat("statements[%d]", index);
  auto statement = ToStatement(guarded.statement(), field + ".statement");
  if (!statement.ok()) return AtStatement(std::move(statement).status(), index);
  GuardedStatement converted{*std::move(statement), std::nullopt};
  if (guarded.has_expect_rows()) {
    if (guarded.expect_rows() < 0) {
      return AtStatement(InvalidField(field + ".expect_rows", "a number of rows is 0 or more"),
                         index);
    }
    converted.expect_rows = guarded.expect_rows();
  }
  return converted;
}

}  // namespace

absl::StatusOr<Batch> ToBatch(const v1::ExecuteBatchRequest& request) {
  if (request.statements().empty() || request.statements_size() > kMostStatements) {
    return InvalidField("statements", absl::StrFormat("%d statements: 1 to %d are allowed",
                                                      request.statements_size(), kMostStatements));
  }
  if (request.options().has_idle_timeout() || request.options().has_total_timeout()) {
    return InvalidField("options",
                        "a batch has no idle_timeout and no total_timeout: its deadline "
                        "is the call's");
  }
  auto options = ToTransactionOptions(request.options(), "options");
  if (!options.ok()) return std::move(options).status();
  Batch batch{{}, *options};
  batch.statements.reserve(request.statements_size());
  for (int i = 0; i < request.statements_size(); ++i) {
    auto guarded = ToGuarded(request.statements(i), i);
    if (!guarded.ok()) return std::move(guarded).status();
    batch.statements.push_back(*std::move(guarded));
  }
  return batch;
}

BatchCall::BatchCall(Gateway& gateway, CallBasics basics, UnaryReactor& reactor,
                     v1::ExecuteBatchResponse& response, Batch batch)
    : UnaryCall(gateway, std::move(basics), reactor, response), batch_(std::move(batch)) {
  for (std::size_t i = 0; i < batch_.statements.size(); ++i) {
    v1::StatementResult& result = *response.add_results();
    sinks_.emplace_back(*result.mutable_columns(), *result.mutable_rows(), budget_);
  }
}

absl::Status BatchCall::Run(Connection& connection, const Bounds& bounds, Lease&) {
  return connection.ExecuteBatch(batch_.statements, batch_.options,
                                 run_options(batch_.options.access), bounds, *this);
}

void BatchCall::Completed(std::size_t statement, const Completion& completion) {
  v1::StatementResult& result = *response().mutable_results(static_cast<int>(statement));
  result.set_rows_affected(completion.rows_affected);
  result.set_command(completion.command);
}

}  // namespace emsdb
