#include "server/query_service.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "pool/statement_text.h"
#include "server/batch_call.h"
#include "server/statement_call.h"
#include "server/stream_call.h"

namespace emsdb {
namespace {

Access AccessOf(bool read_only) { return read_only ? Access::kReadOnly : Access::kReadWrite; }

// Finds the database and writes its name and the statement's fingerprint into the call's basics.
absl::StatusOr<Database*> Locate(Gateway& gateway, const std::string& name, const std::string& sql,
                                 CallBasics& basics) {
  auto database = gateway.pools.Find(name);
  if (!database.ok()) return database;
  basics.database = (*database)->settings().name;
  basics.options.statement = Fingerprint(sql);
  return database;
}

// A call inside a transaction may leave the database out; another one's name is a mistake.
absl::Status CheckDatabase(Gateway& gateway, const std::string& id, const std::string& requested,
                           CallBasics& basics, const std::string& sql) {
  const auto database = gateway.pools.transactions().DatabaseOf(id, basics.caller.owner());
  basics.options.statement = Fingerprint(sql);
  if (!database) return absl::OkStatus();  // Transactions::Run says what is wrong with the id
  basics.database = *database;
  if (requested.empty() || requested == *database) return absl::OkStatus();
  return InvalidField("database", absl::StrFormat("the transaction is in %s: leave the field empty "
                                                  "or name that",
                                                  *database));
}

absl::Status StartQuery(Gateway& gateway, grpc::CallbackServerContext& context,
                        const v1::QueryRequest& request, v1::QueryResponse& response,
                        UnaryReactor& reactor) {
  auto basics = Admit("Query", context, gateway, request.priority(), kDefaultDeadline);
  if (!basics.ok()) return std::move(basics).status();
  auto statement = ToStatement(request.statement(), "statement");
  if (!statement.ok()) return std::move(statement).status();
  if (request.max_rows() > ResultBudget::kMostRows) {
    return InvalidField("max_rows", absl::StrFormat("%d: at most %d, use StreamQuery for more",
                                                    request.max_rows(), ResultBudget::kMostRows));
  }
  StatementCall::Work work = {*std::move(statement), AccessOf(request.read_only()),
                              request.max_rows(), std::nullopt};
  const std::string& sql = request.statement().sql();
  const v1::TransactionSelector& transaction = request.transaction();
  const bool alone = transaction.selector_case() == v1::TransactionSelector::SELECTOR_NOT_SET;
  if (!alone && request.read_only()) {
    return InvalidField("read_only", "only for autocommit; a transaction says so when it begins");
  }
  if (transaction.has_id()) {
    absl::Status status =
        CheckDatabase(gateway, transaction.id(), request.database(), *basics, sql);
    if (!status.ok()) return status;
    const std::string owner = basics->caller.owner();
    auto call = std::make_shared<StatementCall>(gateway, *std::move(basics), reactor, context,
                                                response, std::move(work));
    reactor.Attach(call);
    gateway.pools.transactions().Run(transaction.id(), owner, TransactionStep::kStatement, call);
    return absl::OkStatus();
  }
  auto database = Locate(gateway, request.database(), sql, *basics);
  if (!database.ok()) return std::move(database).status();
  if (transaction.has_begin()) {
    auto beginning = ToBeginning(transaction.begin(), *basics, "transaction.begin");
    if (!beginning.ok()) return std::move(beginning).status();
    work.access = beginning->options.access;
    work.beginning = *std::move(beginning);
    Pool& pool = (*database)->PoolFor(work.access);
    auto call = std::make_shared<StatementCall>(gateway, *std::move(basics), reactor, context,
                                                response, std::move(work));
    reactor.Attach(call);
    call->Start(pool, Purpose::kLease);
    return absl::OkStatus();
  }
  const auto route = (*database)->RouteFor(work.access, sql);
  auto call = std::make_shared<StatementCall>(gateway, *std::move(basics), reactor, context,
                                              response, std::move(work));
  reactor.Attach(call);
  call->Start(route.pool, Purpose::kStatement, route.writer);
  return absl::OkStatus();
}

absl::Status StartStream(Gateway& gateway, grpc::CallbackServerContext& context,
                         const v1::StreamQueryRequest& request, StreamReactor& reactor) {
  auto basics = Admit("StreamQuery", context, gateway, request.priority(), kDefaultStreamDeadline);
  if (!basics.ok()) return std::move(basics).status();
  auto statement = ToStatement(request.statement(), "statement");
  if (!statement.ok()) return std::move(statement).status();
  StreamCall::Work work = {*std::move(statement), AccessOf(request.read_only()),
                           request.max_rows()};
  const std::string& sql = request.statement().sql();
  const v1::TransactionSelector& transaction = request.transaction();
  if (transaction.has_begin()) {
    return InvalidField("transaction.begin",
                        "a stream cannot begin a transaction: use BeginTransaction or Query");
  }
  if (transaction.has_id()) {
    if (request.read_only()) {
      return InvalidField("read_only", "only for autocommit; a transaction says so when it begins");
    }
    absl::Status status =
        CheckDatabase(gateway, transaction.id(), request.database(), *basics, sql);
    if (!status.ok()) return status;
    const std::string owner = basics->caller.owner();
    auto call = std::make_shared<StreamCall>(gateway, *std::move(basics), reactor, std::move(work));
    reactor.Attach(call);
    gateway.pools.transactions().Run(transaction.id(), owner, TransactionStep::kStatement, call);
    return absl::OkStatus();
  }
  auto database = Locate(gateway, request.database(), sql, *basics);
  if (!database.ok()) return std::move(database).status();
  const auto route = (*database)->RouteFor(work.access, sql);
  auto call = std::make_shared<StreamCall>(gateway, *std::move(basics), reactor, std::move(work));
  reactor.Attach(call);
  call->Start(route.pool, Purpose::kStatement, route.writer);
  return absl::OkStatus();
}

absl::Status StartBatch(Gateway& gateway, grpc::CallbackServerContext& context,
                        const v1::ExecuteBatchRequest& request, v1::ExecuteBatchResponse& response,
                        UnaryReactor& reactor) {
  auto basics = Admit("ExecuteBatch", context, gateway, request.priority(), kDefaultDeadline);
  if (!basics.ok()) return std::move(basics).status();
  auto batch = ToBatch(request);
  if (!batch.ok()) return std::move(batch).status();
  auto database =
      Locate(gateway, request.database(), request.statements(0).statement().sql(), *basics);
  if (!database.ok()) return std::move(database).status();
  Pool& pool = (*database)->PoolFor(batch->options.access);
  auto call = std::make_shared<BatchCall>(gateway, *std::move(basics), reactor, response,
                                          *std::move(batch));
  reactor.Attach(call);
  call->Start(pool, Purpose::kStatement);
  return absl::OkStatus();
}

}  // namespace

grpc::ServerUnaryReactor* QueryService::Query(grpc::CallbackServerContext* context,
                                              const v1::QueryRequest* request,
                                              v1::QueryResponse* response) {
  return ServeUnary(gateway_, "Query", *context, [&](UnaryReactor& reactor) {
    return StartQuery(gateway_, *context, *request, *response, reactor);
  });
}

grpc::ServerWriteReactor<v1::StreamQueryResponse>* QueryService::StreamQuery(
    grpc::CallbackServerContext* context, const v1::StreamQueryRequest* request) {
  OpenCalls::Entry entry = gateway_.open_calls.Enter();
  const bool entered = static_cast<bool>(entry);
  // Deletes itself in OnDone, which follows every end.
  auto* reactor = new StreamReactor(std::move(entry), *context, gateway_.pools.clock(),
                                    gateway_.slow_reader_timeout);
  const absl::Status status =
      entered ? StartStream(gateway_, *context, *request, *reactor) : OpenCalls::ShuttingDown();
  if (!status.ok()) {
    ReportRefusal(gateway_, "StreamQuery", *context, status);
    reactor->Finish(ToRpcStatus(status, Duration::zero()));
  }
  return reactor;
}

grpc::ServerUnaryReactor* QueryService::ExecuteBatch(grpc::CallbackServerContext* context,
                                                     const v1::ExecuteBatchRequest* request,
                                                     v1::ExecuteBatchResponse* response) {
  return ServeUnary(gateway_, "ExecuteBatch", *context, [&](UnaryReactor& reactor) {
    return StartBatch(gateway_, *context, *request, *response, reactor);
  });
}

}  // namespace emsdb
