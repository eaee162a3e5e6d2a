#include "server/query_service.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "pool/statement_facts.h"
#include "server/batch_call.h"
#include "server/statement_call.h"
#include "server/stream_call.h"
#include "server/transaction_use.h"

namespace emsdb {
namespace {

// What Query and StreamQuery ask for alike.
struct Asked {
  CallBasics basics;
  Statement statement;
  Access access = Access::kReadWrite;
  Database* database = nullptr;  // null: where the transaction is
  CommitNaming naming = CommitNaming::kNone;
  std::string transaction_id;  // "": none that is open
};

// Finds the database and writes its name and the statement's fingerprint into the call's basics.
absl::StatusOr<Database*> Locate(Gateway& gateway, const std::string& name, const std::string& sql,
                                 CallBasics& basics) {
  auto database = FindDatabase(gateway, basics.caller, name);
  if (!database.ok()) return database;
  basics.database = (*database)->settings().name;
  basics.options.statement = FactsOf(sql)->fingerprint;
  return database;
}

// A call inside a transaction may leave the database out; another one's name is a mistake.
absl::Status CheckDatabase(Gateway& gateway, const std::string& requested, Asked& asked) {
  const auto database =
      gateway.pools.transactions().DatabaseOf(asked.transaction_id, asked.basics.caller.owner());
  asked.basics.options.statement = FactsOf(asked.statement.sql)->fingerprint;
  if (!database) return absl::OkStatus();  // Transactions::Run says what is wrong with the id
  asked.basics.database = *database;
  if (absl::Status status = CheckMayUse(asked.basics.caller, *database); !status.ok()) {
    return status;
  }
  if (requested.empty() || requested == *database) return absl::OkStatus();
  return InvalidField("database", absl::StrFormat("the transaction is in %s: leave the field empty "
                                                  "or name that",
                                                  *database));
}

template <typename Request>
absl::StatusOr<Asked> Understand(Gateway& gateway, const char* rpc,
                                 const grpc::ServerContextBase& context, const Request& request,
                                 Duration unset_deadline) {
  auto basics = Admit(rpc, context, gateway, request.priority(), unset_deadline);
  if (!basics.ok()) return std::move(basics).status();
  auto statement = ToStatement(request.statement(), "statement");
  if (!statement.ok()) return std::move(statement).status();
  const v1::TransactionSelector& transaction = request.transaction();
  const bool alone = transaction.selector_case() == v1::TransactionSelector::SELECTOR_NOT_SET;
  // A selector that this version does not know must not turn into autocommit.
  if (request.has_transaction() && alone) {
    return InvalidField("transaction", "one of id and begin is wanted, or no transaction at all");
  }
  if (request.read_only() && !alone) {
    return InvalidField("read_only", "only for autocommit; a transaction says so when it begins");
  }
  Asked asked{.basics = *std::move(basics),
              .statement = *std::move(statement),
              .access = request.read_only() ? Access::kReadOnly : Access::kReadWrite};
  asked.access = asked.basics.Allowed(asked.access);
  if (transaction.has_id()) {
    if (transaction.id().empty()) return InvalidField("transaction.id", "an id is wanted");
    asked.transaction_id = transaction.id();
    absl::Status status = CheckDatabase(gateway, request.database(), asked);
    if (!status.ok()) return status;
    return asked;
  }
  auto database = Locate(gateway, request.database(), request.statement().sql(), asked.basics);
  if (!database.ok()) return std::move(database).status();
  asked.database = *database;
  const bool may_be_in_doubt = alone && asked.access == Access::kReadWrite &&
                               asked.database->settings().engine == Engine::kPostgresql;
  if (may_be_in_doubt) asked.naming = CommitNaming::kPossible;
  return asked;
}

// Starts a call in no transaction that is open.
void StartAlone(const Asked& asked, const std::string& sql, Call& call) {
  const auto route = asked.database->RouteFor(asked.access, sql);
  call.Start(route.pool, Purpose::kStatement, route.writer);
}

// What cannot be had without a transaction.
absl::Status CheckOutside(const v1::QueryRequest& request, const Caller& caller) {
  if (!request.outside_transaction()) return absl::OkStatus();
  constexpr char kField[] = "outside_transaction";
  if (request.has_transaction()) return InvalidField(kField, "not with `transaction`");
  if (request.read_only()) {
    return InvalidField(kField, "not with `read_only`, which is a property of transactions");
  }
  if (request.resolvable()) {
    return InvalidField(kField, "not with `resolvable`: there is no one transaction to ask about");
  }
  return CheckMayWrite(caller);
}

// What only a statement in an open transaction may have.
absl::Status CheckInside(const v1::QueryRequest& request) {
  const v1::TransactionSelector& transaction = request.transaction();
  if (request.commit() && !transaction.has_id()) {
    return InvalidField("commit",
                        "only with transaction.id; without a transaction the statement "
                        "commits by itself");
  }
  if (transaction.sequence() != 0 && !transaction.has_id()) {
    return InvalidField("transaction.sequence", "only with transaction.id");
  }
  return absl::OkStatus();
}

absl::Status StartQuery(Gateway& gateway, grpc::CallbackServerContext& context,
                        const v1::QueryRequest& request, v1::QueryResponse& response,
                        UnaryReactor& reactor) {
  auto asked = Understand(gateway, "Query", context, request, kDefaultDeadline);
  if (!asked.ok()) return std::move(asked).status();
  if (absl::Status inside = CheckInside(request); !inside.ok()) return inside;
  if (request.max_rows() > ResultBudget::kMostRows) {
    return InvalidField("max_rows", absl::StrFormat("%d: at most %d, use StreamQuery for more",
                                                    request.max_rows(), ResultBudget::kMostRows));
  }
  absl::Status outside = CheckOutside(request, asked->basics.caller);
  if (!outside.ok()) return outside;
  if (request.resolvable() && request.has_transaction()) {
    return InvalidField("resolvable", "only for autocommit; other commits have a token anyway");
  }
  if (request.resolvable() && asked->naming == CommitNaming::kPossible) {
    asked->naming = CommitNaming::kResolvable;
  }
  StatementCall::Work work = {
      .statement = std::move(asked->statement),
      .access = asked->access,
      .max_rows = request.max_rows(),
      .beginning = std::nullopt,
      .naming = asked->naming,
      .wrapping = request.outside_transaction() ? Wrapping::kNone : Wrapping::kTransaction,
      .by_itself = !request.has_transaction() && !request.outside_transaction() &&
                   asked->naming != CommitNaming::kResolvable};
  if (request.commit()) work.step = TransactionStep::kStatementAndCommit;
  const TransactionStep step = work.step;
  const bool begins = request.transaction().has_begin();
  if (begins) {
    auto beginning = ToBeginning(request.transaction().begin(), asked->basics, "transaction.begin");
    if (!beginning.ok()) return std::move(beginning).status();
    work.access = beginning->options.access;
    work.beginning = *std::move(beginning);
  }
  const Access access = work.access;
  const std::string& transaction = asked->transaction_id;
  const std::string owner = transaction.empty() ? "" : asked->basics.caller.owner();
  auto call = std::make_shared<StatementCall>(gateway, std::move(asked->basics), reactor, context,
                                              response, std::move(work));
  reactor.Attach(call);
  if (begins) {
    call->Start(asked->database->PoolFor(access), Purpose::kLease);
  } else if (transaction.empty()) {
    StartAlone(*asked, request.statement().sql(), *call);
  } else {
    TransactionUse use =
        MakeUse(transaction, owner, step, request.transaction().sequence(), request, *call);
    gateway.pools.transactions().Run(std::move(use), std::move(call));
  }
  return absl::OkStatus();
}

absl::Status StartStream(Gateway& gateway, grpc::CallbackServerContext& context,
                         const v1::StreamQueryRequest& request, StreamReactor& reactor) {
  auto asked = Understand(gateway, "StreamQuery", context, request, kDefaultStreamDeadline);
  if (!asked.ok()) return std::move(asked).status();
  if (request.transaction().has_begin()) {
    return InvalidField("transaction.begin",
                        "a stream cannot begin a transaction: use BeginTransaction or Query");
  }
  if (request.transaction().sequence() != 0) {
    return InvalidField("transaction.sequence",
                        "a stream's answer is not kept, so it has no number: use Query");
  }
  StreamCall::Work work = {std::move(asked->statement), asked->access, request.max_rows(),
                           asked->naming};
  TransactionUse use{.id = asked->transaction_id, .caller = asked->basics.caller.owner()};
  auto call =
      std::make_shared<StreamCall>(gateway, std::move(asked->basics), reactor, std::move(work));
  reactor.Attach(call);
  if (use.id.empty()) {
    StartAlone(*asked, request.statement().sql(), *call);
  } else {
    gateway.pools.transactions().Run(std::move(use), std::move(call));
  }
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
  batch->options.access = basics->Allowed(batch->options.access);
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
