#include "client/client.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/error_info.h"
#include "client/grpc_transport.h"
#include "client/requests.h"
#include "client/text_check.h"

namespace emsdb::client {
namespace {

constexpr CallRules kWrite{.repeat = Repeat::kIfNothingWasSent, .effect = Effect::kMayWrite};
constexpr CallRules kReadOnly{.repeat = Repeat::kRead, .effect = Effect::kNone};
// A transaction whose id got lost ends by its idle time-out.
constexpr CallRules kBegin{.repeat = Repeat::kIfNothingWasSent, .effect = Effect::kNone};

constexpr CallRules kBatch{.repeat = Repeat::kUnit, .effect = Effect::kMayWrite};

CallRules RulesFor(Access access) { return access == Access::kReadOnly ? kReadOnly : kWrite; }

v1::ExecuteBatchRequest MakeBatch(const std::string& database,
                                  std::vector<BatchStatement> statements,
                                  const BatchOptions& options) {
  v1::ExecuteBatchRequest request;
  request.set_database(database);
  request.set_priority(ToWire(options.priority));
  request.mutable_options()->set_isolation_level(ToWire(options.isolation));
  request.mutable_options()->set_read_only(options.access == Access::kReadOnly);
  for (BatchStatement& from : statements) {
    v1::BatchStatement& to = *request.add_statements();
    *to.mutable_statement() =
        ToWire(std::move(from.sql), std::move(from.parameters), std::move(from.parameter_types));
    if (from.expect_rows.has_value()) to.set_expect_rows(*from.expect_rows);
  }
  return request;
}

absl::StatusOr<std::vector<Result>> BatchResults(v1::ExecuteBatchResponse response,
                                                 int statements) {
  if (response.results_size() != statements) {
    return absl::DataLossError(absl::StrCat("the gateway sent ", response.results_size(),
                                            " results for ", statements, " statements"));
  }
  std::vector<Result> results;
  results.reserve(static_cast<std::size_t>(statements));
  for (v1::StatementResult& from : *response.mutable_results()) {
    absl::StatusOr<Result> result = ResultFromWire(std::move(from));
    if (!result.ok()) return result.status();
    results.push_back(*std::move(result));
  }
  return results;
}

}  // namespace

absl::StatusOr<Client> Client::Connect(const ConnectOptions& options) {
  auto transport = MakeGrpcTransport(options);
  if (!transport.ok()) return transport.status();
  return Client(*std::move(transport), options.default_deadline, options.retry);
}

Client::Client(std::shared_ptr<Transport> transport, Duration default_deadline, RetryPolicy retry,
               Clock& clock)
    : runner_(std::make_shared<CallRunner>(std::move(transport), default_deadline, retry, clock)) {}

absl::StatusOr<Result> Client::Query(const std::string& database, std::string sql,
                                     std::vector<Value> parameters,
                                     const QueryOptions& options) const {
  auto request =
      MakeQuery<v1::QueryRequest>(database, std::move(sql), std::move(parameters), options);
  request.set_read_only(options.access == Access::kReadOnly);
  request.set_resolvable(options.resolving == Resolving::kOn);
  request.set_outside_transaction(options.wrapping == Wrapping::kNone);
  return RunQuery(*runner_, options.call, RulesFor(options.access), request);
}

absl::StatusOr<RowStream> Client::StreamQuery(const std::string& database, std::string sql,
                                              std::vector<Value> parameters,
                                              const QueryOptions& options) const {
  auto request =
      MakeQuery<v1::StreamQueryRequest>(database, std::move(sql), std::move(parameters), options);
  request.set_read_only(options.access == Access::kReadOnly);
  return RunStreamQuery(*runner_, options.call, RulesFor(options.access), request);
}

absl::StatusOr<std::vector<Result>> Client::ExecuteBatch(const std::string& database,
                                                         std::vector<BatchStatement> statements,
                                                         const BatchOptions& options) const {
  const v1::ExecuteBatchRequest request = MakeBatch(database, std::move(statements), options);
  if (absl::Status status = CheckTexts(request); !status.ok()) return status;
  const CallRules rules = options.access == Access::kReadOnly ? kReadOnly : kBatch;
  auto response = runner_->Run(options.call, rules, [&](const CallContext& context) {
    return runner_->transport().ExecuteBatch(context, request);
  });
  if (!response.ok()) return response.status();
  auto results = BatchResults(*std::move(response), request.statements_size());
  if (!results.ok()) return WithOutcome(results.status(), rules.effect);
  return results;
}

absl::StatusOr<CopyWriter> Client::CopyIn(const std::string& database, const CopyTarget& target,
                                          const CopyOptions& options) const {
  v1::CopyInRequest first;
  v1::CopyInStart& start = *first.mutable_start();
  start.set_database(database);
  start.set_schema(target.schema);
  start.set_table(target.table);
  for (const std::string& column : target.columns) start.add_columns(column);
  start.set_priority(ToWire(options.priority));
  if (absl::Status status = CheckTexts(start); !status.ok()) return status;
  CallOptions call = options.call;
  if (!call.deadline) call.deadline = kCopyDeadline;
  // Nothing is sent yet: only the connection may have to be made.
  auto stream = runner_->Run(call, kBegin, [&](const CallContext& context) {
    return runner_->transport().CopyIn(context);
  });
  if (!stream.ok()) return stream.status();
  return CopyWriter(*std::move(stream), std::move(first));
}

absl::StatusOr<Transaction> Client::Begin(const std::string& database,
                                          const TransactionOptions& options) const {
  if (absl::Status status = CheckDatabaseName(database); !status.ok()) return status;
  v1::BeginTransactionRequest request;
  request.set_database(database);
  *request.mutable_options() = ToWire(options);
  request.set_priority(ToWire(options.priority));
  auto response = runner_->Run(options.call, kBegin, [&](const CallContext& context) {
    return runner_->transport().Begin(context, request);
  });
  if (!response.ok()) return response.status();
  return Transaction(runner_, database, response->transaction_id());
}

absl::StatusOr<StreamTransaction> Client::Transact(const std::string& database,
                                                   const TransactionOptions& options) const {
  return StreamTransaction::Begin(runner_, database, options);
}

absl::StatusOr<CommitOutcome> Client::CommitOutcomeOf(const std::string& token,
                                                      const CallOptions& options) const {
  if (absl::Status status = CheckCommitToken(token); !status.ok()) return status;
  v1::GetCommitOutcomeRequest request;
  request.set_commit_token(token);
  auto response = runner_->Run(options, kReadOnly, [&](const CallContext& context) {
    return runner_->transport().GetCommitOutcome(context, request);
  });
  if (!response.ok()) return response.status();
  switch (response->outcome()) {
    case v1::COMMIT_OUTCOME_COMMITTED:
      return CommitOutcome::kCommitted;
    case v1::COMMIT_OUTCOME_ROLLED_BACK:
      return CommitOutcome::kRolledBack;
    case v1::COMMIT_OUTCOME_IN_PROGRESS:
      return CommitOutcome::kInProgress;
    default:
      return absl::DataLossError("the gateway sent an outcome that this client does not know");
  }
}

absl::StatusOr<std::vector<v1::Database>> Client::ListDatabases(const CallOptions& options) const {
  auto response = runner_->Run(options, kReadOnly, [&](const CallContext& context) {
    return runner_->transport().ListDatabases(context, {});
  });
  if (!response.ok()) return response.status();
  return std::vector<v1::Database>(response->databases().begin(), response->databases().end());
}

absl::StatusOr<std::vector<v1::PoolStatus>> Client::PoolStatus(const std::string& database,
                                                               const CallOptions& options) const {
  if (absl::Status status = CheckDatabaseName(database); !status.ok()) return status;
  v1::GetPoolStatusRequest request;
  request.set_database(database);
  auto response = runner_->Run(options, kReadOnly, [&](const CallContext& context) {
    return runner_->transport().GetPoolStatus(context, request);
  });
  if (!response.ok()) return response.status();
  return std::vector<v1::PoolStatus>(response->pools().begin(), response->pools().end());
}

absl::StatusOr<HealthStatus> Client::Health(const std::string& database,
                                            const CallOptions& options) const {
  if (absl::Status status = CheckDatabaseName(database); !status.ok()) return status;
  return runner_->Run(options, kReadOnly, [&](const CallContext& context) {
    return runner_->transport().CheckHealth(context, database);
  });
}

}  // namespace emsdb::client
