#include "tests/end_to_end/transact_suite.h"

#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>
#include <future>
#include <thread>

#include "client/error_info.h"
#include "pool/mutex.h"
#include "tests/end_to_end/connect.h"

namespace emsdb {

using client::BatchStatement;
using client::Client;
using client::ErrorInfoOf;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;

GatewayProcess& TransactSuite::Gateway(const Environment& more) {
  Environment settings = database_->settings();
  settings.insert(more.begin(), more.end());
  gateway_ = std::make_unique<GatewayProcess>(settings);
  const Client client = Connect();
  EXPECT_TRUE(client.Query("main", "create table units (id integer primary key, name text)").ok());
  EXPECT_TRUE(client.Query("main", "insert into units values (1, 'Medic 7')").ok());
  return *gateway_;
}

Client TransactSuite::Connect(const std::string& caller) const {
  return emsdb::Connect(*gateway_, caller);
}

std::int64_t TransactSuite::Count() const {
  const auto counted = Connect().Query("main", "select count(*) from units");
  return counted.ok() ? *counted->rows.at(0)[0].get_if<std::int64_t>() : -1;
}

int TransactSuite::OpenTransactions() const {
  return Connect().PoolStatus("main")->at(0).transactions();
}

void TransactSuite::AwaitNoTransaction() const {
  const Client client = Connect();
  for (const auto end = steady_clock::now() + seconds(10);
       client.PoolStatus("main")->at(0).transactions() > 0 && steady_clock::now() < end;) {
  }
  EXPECT_EQ(OpenTransactions(), 0);
}

std::unique_ptr<v1::QueryService::Stub> TransactSuite::Queries() const {
  return v1::QueryService::NewStub(
      grpc::CreateChannel(gateway_->address(), grpc::InsecureChannelCredentials()));
}

std::unique_ptr<v1::TransactionService::Stub> TransactSuite::Transactions() const {
  return v1::TransactionService::NewStub(
      grpc::CreateChannel(gateway_->address(), grpc::InsecureChannelCredentials()));
}

std::string ReasonOf(const grpc::Status& status) {
  return ErrorInfoOf(client::StatusFromWire(static_cast<absl::StatusCode>(status.error_code()),
                                            status.error_message(), status.error_details()))
      .reason;
}

v1::TransactRequest BeginRequest(double idle_seconds) {
  v1::TransactRequest request;
  auto& idle = *request.mutable_begin()->mutable_options()->mutable_idle_timeout();
  idle.set_seconds(static_cast<std::int64_t>(idle_seconds));
  idle.set_nanos(
      static_cast<std::int32_t>((idle_seconds - static_cast<double>(idle.seconds())) * 1e9));
  return request;
}

v1::TransactRequest StatementRequest(const std::string& sql) {
  v1::TransactRequest request;
  request.mutable_statement()->mutable_statement()->set_sql(sql);
  return request;
}

TEST_P(TransactSuite, CommitsWhatItsStatementsDid) {
  Gateway();
  auto transaction = Connect().Transact("main");
  ASSERT_TRUE(transaction.ok()) << transaction.status();
  const auto inserted = transaction->Run({.sql = "insert into units values ($1, $2)",
                                          .parameters = {2, "Engine 4"},
                                          .expect_rows = 1});
  ASSERT_TRUE(inserted.ok()) << inserted.status();
  const auto units = transaction->Query("select id, name from units order by id");
  ASSERT_TRUE(units.ok()) << units.status();
  EXPECT_EQ(units->rows, (std::vector<client::Row>{{1, "Medic 7"}, {2, "Engine 4"}}));
  EXPECT_EQ(OpenTransactions(), 1);
  EXPECT_TRUE(transaction->Commit().ok());
  EXPECT_EQ(Count(), 2);
  EXPECT_EQ(OpenTransactions(), 0);
}

// T11
TEST_P(TransactSuite, RollsBackWhatWasNotCommitted) {
  Gateway();
  {
    auto dropped = Connect().Transact("main");
    ASSERT_TRUE(dropped->Query("insert into units values (2, 'x')").ok());
  }
  AwaitNoTransaction();
  auto transaction = Connect().Transact("main");
  ASSERT_TRUE(transaction->Query("insert into units values (3, 'x')").ok());
  EXPECT_TRUE(transaction->RollBack().ok());
  EXPECT_EQ(Count(), 1);
}

// T13
TEST_P(TransactSuite, GoesOnAfterAnErrorAndComesBackToASavepoint) {
  Gateway();
  auto transaction = Connect().Transact("main");
  ASSERT_TRUE(transaction->Query("insert into units values (2, 'x')").ok());
  ASSERT_TRUE(transaction->SetSavepoint("before").ok());
  const auto twice = transaction->Query("insert into units values (1, 'x')");
  EXPECT_EQ(twice.status().code(), absl::StatusCode::kAlreadyExists) << twice.status();
  EXPECT_EQ(ErrorInfoOf(twice.status()).reason, "SQL_ERROR");
  EXPECT_EQ(ErrorInfoOf(twice.status()).Get("stage"), "running");
  EXPECT_EQ(transaction->Query("select 1").status().code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(transaction->RollBackTo("before").ok());
  EXPECT_TRUE(transaction->Query("insert into units values (3, 'x')").ok());
  EXPECT_TRUE(transaction->ReleaseSavepoint("before").ok());
  EXPECT_EQ(transaction->SetSavepoint("").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(transaction->Query("commit").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(transaction->Run({.sql = "select 1", .expect_rows = -1}).status().code(),
            absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE(transaction->RollBackTo("before").code() == absl::StatusCode::kNotFound);
  EXPECT_TRUE(transaction->RollBack().ok());
  EXPECT_EQ(Count(), 1);
}

// T13
TEST_P(TransactSuite, RefusesToCommitWhatHasFailedAndEndsTheStreamWithIt) {
  Gateway();
  auto transaction = Connect().Transact("main");
  ASSERT_TRUE(transaction->Query("insert into units values (2, 'x')").ok());
  EXPECT_FALSE(transaction->Query("insert into units values (1, 'x')").ok());
  const absl::Status refused = transaction->Commit();
  EXPECT_EQ(refused.code(), absl::StatusCode::kAborted) << refused;
  EXPECT_EQ(ErrorInfoOf(refused).reason, "TX_ROLLED_BACK");
  EXPECT_EQ(Count(), 1);
}

TEST_P(TransactSuite, FailsTheTransactionWhoseStatementMissesItsRows) {
  Gateway();
  auto transaction = Connect().Transact("main");
  ASSERT_TRUE(transaction->SetSavepoint("a").ok());
  const BatchStatement missing{.sql = "update units set name = 'y' where id = 99",
                               .expect_rows = 1};
  const auto missed = transaction->Run(missing);
  EXPECT_EQ(missed.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorInfoOf(missed.status()).reason, "ROWS_MISMATCH");
  EXPECT_EQ(ErrorInfoOf(transaction->Query("select 1").status()).reason, "TX_FAILED");
  EXPECT_EQ(ErrorInfoOf(transaction->SetSavepoint("b")).reason, "TX_FAILED");
  EXPECT_TRUE(transaction->RollBackTo("a").ok());
  EXPECT_TRUE(transaction->Query("insert into units values (2, 'x')").ok());
  EXPECT_FALSE(transaction->Run(missing).ok());
  EXPECT_EQ(ErrorInfoOf(transaction->Commit()).reason, "TX_ROLLED_BACK");
  EXPECT_EQ(Count(), 1);
}

// T11
TEST_P(TransactSuite, RollsBackWhenTheCallerEndsTheStreamWithoutCommit) {
  Gateway();
  grpc::ClientContext context;
  const auto stub = Transactions();
  const auto stream = stub->Transact(&context);
  stream->Write(BeginRequest());
  stream->Write(StatementRequest("insert into units values (2, 'x')"));
  stream->WritesDone();
  v1::TransactResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_TRUE(response.has_begun());
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.result().rows_affected(), 1);
  EXPECT_FALSE(stream->Read(&response));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::ABORTED) << status.error_message();
  EXPECT_EQ(ReasonOf(status), "TX_ROLLED_BACK");
  EXPECT_EQ(OpenTransactions(), 0);
  EXPECT_EQ(Count(), 1);
}

TEST_P(TransactSuite, AnswersRequestsInTheirOrderThatCameAllAtOnce) {
  Gateway();
  grpc::ClientContext context;
  const auto stub = Transactions();
  const auto stream = stub->Transact(&context);
  stream->Write(BeginRequest());
  for (int id = 2; id < 50; ++id) {
    stream->Write(StatementRequest("insert into units values (" + std::to_string(id) + ", 'x')"));
  }
  v1::TransactRequest commit;
  commit.mutable_commit();
  stream->Write(commit);
  stream->WritesDone();
  v1::TransactResponse response;
  ASSERT_TRUE(stream->Read(&response));
  for (int id = 2; id < 50; ++id) {
    ASSERT_TRUE(stream->Read(&response));
    EXPECT_EQ(response.result().rows_affected(), 1) << response.ShortDebugString();
  }
  bool committed = false;
  while (stream->Read(&response)) committed = response.has_committed();
  EXPECT_TRUE(committed);
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(Count(), 49);
}

TEST_P(TransactSuite, WantsABeginFirstAndNoSecondOne) {
  Gateway();
  const auto stub = Transactions();
  {
    grpc::ClientContext context;
    const auto stream = stub->Transact(&context);
    stream->Write(StatementRequest("select 1"));
    v1::TransactResponse response;
    EXPECT_FALSE(stream->Read(&response));
    EXPECT_EQ(stream->Finish().error_code(), grpc::INVALID_ARGUMENT);
  }
  {
    grpc::ClientContext context;
    const auto stream = stub->Transact(&context);
    stream->WritesDone();
    EXPECT_EQ(stream->Finish().error_code(), grpc::INVALID_ARGUMENT);
  }
  grpc::ClientContext context;
  const auto stream = stub->Transact(&context);
  v1::TransactResponse response;
  for (const v1::TransactRequest& odd : {BeginRequest(), BeginRequest(), v1::TransactRequest()}) {
    stream->Write(odd);
    ASSERT_TRUE(stream->Read(&response));
  }
  EXPECT_EQ(response.error().reason(), "INVALID_FIELD");
  stream->Write(StatementRequest("select 1"));
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.result().rows_size(), 1);
}

TEST_P(TransactSuite, SaysWhichRequestsItCannotBegin) {
  Gateway();
  EXPECT_EQ(Connect().Transact("nowhere").status().code(), absl::StatusCode::kNotFound);
  const auto endless = Connect().Transact("main", {.idle_timeout = std::chrono::hours(2)});
  EXPECT_EQ(endless.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(endless.status().message()), HasSubstr("begin.options.idle_timeout"));
}

// T11, T23
TEST_P(TransactSuite, EndsTheStreamOfACallerWhoSaysNothing) {
  Gateway();
  grpc::ClientContext context;
  const auto stub = Transactions();
  const auto stream = stub->Transact(&context);
  stream->Write(BeginRequest(0.2));
  stream->Write(StatementRequest("insert into units values (2, 'x')"));
  v1::TransactResponse response;
  EXPECT_TRUE(stream->Read(&response));
  EXPECT_TRUE(stream->Read(&response));
  EXPECT_FALSE(stream->Read(&response));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::ABORTED) << status.error_message();
  EXPECT_EQ(ReasonOf(status), "TX_EXPIRED");
  EXPECT_EQ(Count(), 1);
}

// T11
TEST_P(TransactSuite, EndsAtItsTotalTimeWhileAStatementRuns) {
  Gateway();
  auto transaction = Connect().Transact("main", {.total_timeout = milliseconds(300)});
  ASSERT_TRUE(transaction.ok()) << transaction.status();
  const auto slow = transaction->Query(database_->slow_sql());
  EXPECT_EQ(slow.status().code(), absl::StatusCode::kAborted) << slow.status();
  EXPECT_EQ(ErrorInfoOf(slow.status()).reason, "TX_EXPIRED");
  EXPECT_EQ(ErrorInfoOf(transaction->Commit()).reason, "TX_ENDED");
  AwaitNoTransaction();
}

// T8
TEST_P(TransactSuite, EndsAtTheCallsDeadlineWhateverItDoes) {
  Gateway();
  auto idle = Connect().Transact("main", {.call = {.deadline = milliseconds(300)}});
  ASSERT_TRUE(idle.ok()) << idle.status();
  AwaitNoTransaction();
  EXPECT_EQ(idle->Query("select 1").status().code(), absl::StatusCode::kDeadlineExceeded);
  auto busy = Connect().Transact("main", {.call = {.deadline = milliseconds(300)}});
  ASSERT_TRUE(busy.ok()) << busy.status();
  EXPECT_EQ(busy->Query(database_->slow_sql()).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  AwaitNoTransaction();
}

// T11
TEST_P(TransactSuite, StopsTheStatementOfACallerWhoLeaves) {
  Gateway();
  const auto cancel = std::make_shared<client::CancelSource>();
  auto transaction = Connect().Transact("main", {.call = {.cancel = cancel}});
  ASSERT_TRUE(transaction->Query("insert into units values (2, 'x')").ok());
  auto running = std::async(std::launch::async,
                            [&] { return transaction->Query(database_->slow_sql()).status(); });
  std::this_thread::sleep_for(milliseconds(100));
  cancel->Cancel();
  EXPECT_EQ(running.get().code(), absl::StatusCode::kCancelled);
  AwaitNoTransaction();
  EXPECT_TRUE(Connect().Query("main", "insert into units values (2, 'y')").ok());
}

// T39
TEST_P(TransactSuite, EndsIdleStreamsFirstWhenTheGatewayDrains) {
  GatewayProcess& gateway = Gateway({{"EMSDB_DRAIN_TIMEOUT", "60"}});
  auto transaction = Connect().Transact("main");
  ASSERT_TRUE(transaction->Query("insert into units values (2, 'x')").ok());
  const auto stub = Transactions();
  grpc::ClientContext context;
  const auto waiting = stub->Transact(&context);
  std::this_thread::sleep_for(milliseconds(100));
  const auto began = steady_clock::now();
  EXPECT_EQ(gateway.Terminate(), 0);
  EXPECT_LT(steady_clock::now() - began, seconds(30));
  EXPECT_EQ(ErrorInfoOf(transaction->Query("select 1").status()).reason, "TX_SHUTDOWN");
  EXPECT_EQ(ReasonOf(waiting->Finish()), "SHUTDOWN");
}

// T61
TEST_P(TransactSuite, KeepsResultsWithinOneMessage) {
  Gateway();
  auto transaction = Connect().Transact("main");
  ASSERT_TRUE(transaction.ok());
  const std::string many =
      "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000) "
      "select i from n";
  const auto all = transaction->Query(many);
  EXPECT_EQ(ErrorInfoOf(all.status()).reason, "RESULT_TOO_LARGE") << all.status();
  EXPECT_TRUE(transaction->RollBack().ok());
  auto second = Connect().Transact("main");
  const auto few = second->Run({.sql = many}, 10);
  EXPECT_EQ(ErrorInfoOf(few.status()).reason, "RESULT_TOO_LARGE") << few.status();
}

// T63
TEST_P(TransactSuite, TakesTheConnectionFromACallerWhoDoesNotRead) {
  Gateway({{"EMSDB_SLOW_READER_TIMEOUT", "0.3"}});
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);  // else the window grows to take it all
  const auto stub = v1::TransactionService::NewStub(grpc::CreateCustomChannel(
      gateway_->address(), grpc::InsecureChannelCredentials(), arguments));
  grpc::ClientContext context;
  const auto stream = stub->Transact(&context);
  stream->Write(BeginRequest(300));
  v1::TransactResponse response;
  ASSERT_TRUE(stream->Read(&response));
  for (int i = 0; i < 3; ++i) {
    stream->Write(StatementRequest(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 900) "
        "select i, '" +
        std::string(4000, 'x') + "' from n"));
  }
  AwaitNoTransaction();
  while (stream->Read(&response)) {
  }
  const grpc::Status status = stream->Finish();
  EXPECT_TRUE(status.error_code() == grpc::RESOURCE_EXHAUSTED ||
              status.error_code() == grpc::CANCELLED)
      << status.error_code();
}

// Numbered calls. T18

TEST_P(TransactSuite, AnswersARepeatedCallAsTheFirstTimeAndRunsItOnce) {
  Gateway();
  auto transaction = Connect().Begin("main");
  ASSERT_TRUE(transaction.ok());
  const auto queries = Queries();
  const auto ask = [&](std::uint64_t number, const std::string& sql, v1::QueryResponse& response) {
    grpc::ClientContext context;
    context.AddMetadata("emsdb-caller", "test");
    v1::QueryRequest request;
    request.mutable_statement()->set_sql(sql);
    request.mutable_transaction()->set_id(transaction->id());
    request.mutable_transaction()->set_sequence(number);
    response.Clear();
    return queries->Query(&context, request, &response);
  };
  const std::string insert = "insert into units values (2, 'x') returning id, name";
  v1::QueryResponse first;
  ASSERT_TRUE(ask(1, insert, first).ok());
  ASSERT_EQ(first.rows_size(), 1);
  v1::QueryResponse again;
  ASSERT_TRUE(ask(1, insert, again).ok());
  EXPECT_EQ(again.ShortDebugString(), first.ShortDebugString());
  EXPECT_EQ(ReasonOf(ask(1, "delete from units", again)), "TX_SEQUENCE");
  const grpc::Status wrong = ask(3, insert, again);
  EXPECT_EQ(wrong.error_code(), grpc::FAILED_PRECONDITION);
  EXPECT_THAT(wrong.error_message(), HasSubstr("expected number 2, given 3"));

  const auto transactions = Transactions();
  v1::SavepointRequest mark;
  mark.set_transaction_id(transaction->id());
  mark.set_sequence(2);
  mark.mutable_savepoint()->set_set("a");
  v1::SavepointResponse marked;
  for (int i = 0; i < 2; ++i) {
    grpc::ClientContext context;
    context.AddMetadata("emsdb-caller", "test");
    EXPECT_TRUE(transactions->Savepoint(&context, mark, &marked).ok());
  }
  v1::CommitTransactionRequest commit;
  commit.set_transaction_id(transaction->id());
  commit.set_sequence(3);
  v1::CommitTransactionResponse committed;
  for (int i = 0; i < 2; ++i) {
    grpc::ClientContext context;
    context.AddMetadata("emsdb-caller", "test");
    EXPECT_TRUE(transactions->CommitTransaction(&context, commit, &committed).ok());
  }
  EXPECT_EQ(Count(), 2);
}

TEST_P(TransactSuite, CommitsWithItsLastStatement) {
  Gateway();
  const auto queries = Queries();
  const auto ask = [&](const v1::QueryRequest& request, v1::QueryResponse& response) {
    grpc::ClientContext context;
    response.Clear();
    return queries->Query(&context, request, &response);
  };
  v1::QueryRequest begin;
  begin.mutable_statement()->set_sql("insert into units values (2, 'x')");
  begin.mutable_transaction()->mutable_begin();
  v1::QueryResponse response;
  ASSERT_TRUE(ask(begin, response).ok());
  v1::QueryRequest last;
  last.mutable_statement()->set_sql("insert into units values (3, 'x') returning id");
  last.mutable_transaction()->set_id(response.transaction_id());
  last.mutable_transaction()->set_sequence(1);
  last.set_commit(true);
  for (int i = 0; i < 2; ++i) {
    const grpc::Status status = ask(last, response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.rows_size(), 1);
    EXPECT_EQ(Count(), 3);
    EXPECT_EQ(OpenTransactions(), 0);
  }
  ASSERT_TRUE(ask(
                  [&] {
                    begin.mutable_statement()->set_sql("insert into units values (4, 'x')");
                    return begin;
                  }(),
                  response)
                  .ok());
  last.mutable_transaction()->set_id(response.transaction_id());
  const grpc::Status twice = ask(last, response);
  EXPECT_EQ(twice.error_code(), grpc::ALREADY_EXISTS) << twice.error_message();
  EXPECT_EQ(OpenTransactions(), 0);
  EXPECT_EQ(Count(), 3);
  last.mutable_transaction()->set_sequence(2);
  EXPECT_EQ(ReasonOf(ask(last, response)), "TX_ROLLED_BACK");
}

TEST_P(TransactSuite, RefusesByNameWhatHasNoMeaningThere) {
  Gateway();
  const auto queries = Queries();
  const auto message = [&](const v1::QueryRequest& request) {
    grpc::ClientContext context;
    v1::QueryResponse response;
    const grpc::Status status = queries->Query(&context, request, &response);
    EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
    return status.error_message();
  };
  v1::QueryRequest request;
  request.mutable_statement()->set_sql("select 1");
  request.set_commit(true);
  EXPECT_THAT(message(request), HasSubstr("commit: "));
  request.set_commit(false);
  request.mutable_transaction()->mutable_begin();
  request.mutable_transaction()->set_sequence(1);
  EXPECT_THAT(message(request), HasSubstr("transaction.sequence: "));
  auto transaction = Connect("").Begin("main");
  ASSERT_TRUE(transaction.ok());
  v1::StreamQueryRequest stream;
  stream.mutable_statement()->set_sql("select 1");
  stream.mutable_transaction()->set_id(transaction->id());
  stream.mutable_transaction()->set_sequence(1);
  grpc::ClientContext context;
  const auto reader = queries->StreamQuery(&context, stream);
  const grpc::Status refused = reader->Finish();
  EXPECT_EQ(refused.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_THAT(refused.error_message(), HasSubstr("transaction.sequence: "));
  EXPECT_TRUE(transaction->Query("select 1").ok());
}

TEST_P(TransactSuite, RevivesALeasedTransactionAtASavepoint) {  // T13
  Gateway();
  auto transaction = Connect().Begin("main");
  ASSERT_TRUE(transaction->SetSavepoint("Before \"it\"").ok());
  EXPECT_FALSE(transaction->Query("insert into units values (1, 'x')").ok());
  EXPECT_EQ(transaction->SetSavepoint("b").code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(transaction->RollBackTo("Before \"it\"").ok());
  EXPECT_TRUE(transaction->Query("insert into units values (2, 'x')").ok());
  EXPECT_TRUE(transaction->Commit().ok());
  EXPECT_EQ(Count(), 2);
  EXPECT_EQ(transaction->SetSavepoint("b").code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace emsdb
