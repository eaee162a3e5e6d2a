// Commits whose answer got lost, end to end: on the way from the database, and on the way from the
// gateway. Whatever a caller hears must be what the table shows.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <regex>
#include <string>
#include <thread>

#include "client/client.h"
#include "client/error_info.h"
#include "emsdb/v1/query_service.grpc.pb.h"
#include "emsdb/v1/transaction_service.grpc.pb.h"
#include "tests/end_to_end/connect.h"
#include "tests/end_to_end/postgres_fixture.h"
#include "tests/support/gateway_process.h"
#include "tests/support/tcp_proxy.h"

namespace emsdb {
namespace {

using client::BatchStatement;
using client::Client;
using client::CommitOutcome;
using client::ErrorInfoOf;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

// Runs the client program and its answer.
Ended Emsdb(const GatewayProcess& gateway, const std::vector<std::string>& arguments) {
  return RunProgram(ClientProgram(), arguments, {{"EMSDB_ADDRESS", gateway.address()}});
}

// Asked until it is decided.
absl::StatusOr<CommitOutcome> FinalOutcome(const Client& client, const std::string& token) {
  for (;;) {
    auto outcome = client.CommitOutcomeOf(token);
    if (!outcome.ok() || *outcome != CommitOutcome::kInProgress) return outcome;
    std::this_thread::sleep_for(milliseconds(20));
  }
}

class CommitOutcomes : public ::testing::Test {
 protected:
  CommitOutcomes() { database_.Run("create table notes (id int)"); }

  static int PortOf(const std::string& url) {
    return std::stoi(url.substr(url.find(':', url.find('@')) + 1));
  }

  std::string UrlThrough(const TcpProxy& proxy) const {
    return std::regex_replace(database_.url(), std::regex("@127\\.0\\.0\\.1:[0-9]+"),
                              "@127.0.0.1:" + std::to_string(proxy.port()));
  }

  std::string Rows() const { return database_.Run("select count(*) from notes"); }

  // From now on a commit that wrote a note takes this long.
  void MakeCommitsSlow(const std::string& delay_s) const {
    database_.Run(
        "create function slow() returns trigger language plpgsql as "
        "$$begin perform pg_sleep(" +
        delay_s +
        "); return null; end$$;"
        "create constraint trigger slow after insert on notes deferrable initially deferred "
        "for each row execute function slow()");
  }

  pid_t AwaitCommitting() const {
    for (;;) {
      const std::string pid = Ask(TestPostgresUrl(),
                                  "select pid from pg_stat_activity where state = 'active' and "
                                  "query = 'COMMIT' and datname = '" +
                                      database_.name() + "'");
      if (!pid.empty()) return std::stoi(pid);
    }
  }

  const OwnDatabase database_;
  const int server_port_ = PortOf(TestPostgresUrl());
  TcpProxy proxy_{server_port_};
};

const char kInsert[] = "insert into notes values (1)";

// T14
TEST_F(CommitOutcomes, OfABatchAreFoundOutBeforeItIsAnswered) {
  GatewayProcess gateway({{"DATABASE_URL", UrlThrough(proxy_)}});
  const Client client = Connect(gateway);
  proxy_.CutAnswerTo("COMMIT");
  const auto done = client.ExecuteBatch("main", {{"select 41 + 1"}, {kInsert}});
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ((*done)[0].rows[0][0], client::Value(std::int64_t{42}));
  EXPECT_EQ((*done)[1].rows_affected, 1);
  EXPECT_EQ(Rows(), "1");
  proxy_.CutAnswerTo("");
  EXPECT_EQ(Ask(TestPostgresUrl(), "select 1"), "1");
}

// T14
TEST_F(CommitOutcomes, OfABatchThatNeverReachedTheServerAreAborted) {
  GatewayProcess gateway({{"DATABASE_URL", UrlThrough(proxy_)}});
  const Client client = Connect(gateway);
  proxy_.CutBefore("COMMIT");
  const auto done = client.ExecuteBatch("main", {{kInsert}});
  EXPECT_EQ(done.status().code(), absl::StatusCode::kAborted) << done.status();
  EXPECT_EQ(ErrorInfoOf(done.status()).reason, "COMMIT_ROLLED_BACK");
  EXPECT_EQ(ErrorInfoOf(done.status()).retryable(), true);
  EXPECT_EQ(ErrorInfoOf(done.status()).Get("attempts"), "1");
  EXPECT_EQ(Rows(), "0");
  proxy_.CutBefore("");
  EXPECT_TRUE(client.ExecuteBatch("main", {{kInsert}}).ok());
}

TEST_F(CommitOutcomes, OfABatchAreUnknownWithATokenWhileTheDatabaseIsAway) {
  GatewayProcess gateway({{"DATABASE_URL", UrlThrough(proxy_)}});
  GatewayProcess other({{"DATABASE_URL", database_.url()}});
  const Client client = Connect(gateway);
  MakeCommitsSlow("0.3");
  auto running = std::async(std::launch::async, [&] {
    return client.ExecuteBatch("main", {{kInsert}}, {.call = {.deadline = seconds(2)}}).status();
  });
  AwaitCommitting();
  proxy_.CutBefore("");
  proxy_.Refuse();
  const absl::Status status = running.get();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnknown) << status;
  const std::string token = ErrorInfoOf(status).commit_token();
  ASSERT_NE(token, "");
  const auto outcome = FinalOutcome(Connect(other), token);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(*outcome == CommitOutcome::kCommitted, Rows() == "1");
}

// T14, T17
TEST_F(CommitOutcomes, OfALeasedTransactionAreAskedForByItsToken) {
  GatewayProcess gateway({{"DATABASE_URL", UrlThrough(proxy_)}});
  GatewayProcess other({{"DATABASE_URL", database_.url()}});
  const Client client = Connect(gateway);
  for (const bool reached : {true, false}) {
    auto transaction = client.Begin("main");
    ASSERT_TRUE(transaction.ok()) << transaction.status();
    ASSERT_TRUE(transaction->Query(kInsert).ok());
    reached ? proxy_.CutAnswerTo("COMMIT") : proxy_.CutBefore("COMMIT");
    const absl::Status status = transaction->Commit();
    reached ? proxy_.CutAnswerTo("") : proxy_.CutBefore("");
    EXPECT_EQ(status.code(), absl::StatusCode::kUnknown) << status;
    EXPECT_EQ(ErrorInfoOf(status).reason, "COMMIT_IN_DOUBT");
    const std::string token = ErrorInfoOf(status).commit_token();
    const auto outcome = FinalOutcome(client, token);
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    EXPECT_EQ(*outcome, reached ? CommitOutcome::kCommitted : CommitOutcome::kRolledBack);
    EXPECT_EQ(Rows(), "1");
    const Ended asked = Emsdb(other, {"outcome", token});
    EXPECT_EQ(asked.out, reached ? "COMMITTED\n" : "ROLLED_BACK\n") << asked.err;
    EXPECT_EQ(asked.status, reached ? 0 : 3);
  }
}

TEST_F(CommitOutcomes, OfAnAutocommitWriteCanBeBoughtByATrip) {
  GatewayProcess gateway({{"DATABASE_URL", UrlThrough(proxy_)}});
  const Client client = Connect(gateway);
  proxy_.CutAnswerTo("COMMIT");
  const absl::Status bought =
      client.Query("main", kInsert, {}, {.resolving = client::Resolving::kOn}).status();
  proxy_.CutAnswerTo("into notes");
  const absl::Status not_bought = client.Query("main", kInsert).status();
  proxy_.CutAnswerTo("");
  EXPECT_EQ(bought.code(), absl::StatusCode::kUnknown) << bought;
  const auto outcome = FinalOutcome(client, ErrorInfoOf(bought).commit_token());
  EXPECT_TRUE(outcome.ok() && *outcome == CommitOutcome::kCommitted) << outcome.status();
  EXPECT_EQ(not_bought.code(), absl::StatusCode::kUnknown) << not_bought;
  EXPECT_EQ(ErrorInfoOf(not_bought).commit_token(), "");
  EXPECT_THAT(ErrorInfoOf(not_bought).Get("hint"), HasSubstr("resolvable"));
  const Ended shown = Emsdb(gateway, {"query", "--resolvable", "--format", "csv",
                                      "insert into notes values (2) returning id"});
  EXPECT_EQ(shown.out, "id\r\n2\r\n") << shown.err;
}

// T14: the token survives the gateway.
TEST_F(CommitOutcomes, AreToldByAnotherGatewayWhenTheFirstWasKilled) {
  MakeCommitsSlow("0.7");
  GatewayProcess other({{"DATABASE_URL", database_.url()}});
  const auto commits = {
      +[](const Client& client) { return client.ExecuteBatch("main", {{kInsert}}).status(); },
      +[](const Client& client) {
        auto transaction = client.Begin("main");
        if (!transaction.ok() || !transaction->Query(kInsert).ok()) return absl::InternalError("");
        return transaction->Commit();
      },
      +[](const Client& client) {
        return client.Query("main", kInsert, {}, {.resolving = client::Resolving::kOn}).status();
      }};
  int committed = 0;
  for (const auto& commit : commits) {
    GatewayProcess gateway({{"DATABASE_URL", database_.url()}});
    const Client client = Connect(gateway);
    auto running = std::async(std::launch::async, [&] { return commit(client); });
    AwaitCommitting();
    gateway.Signal(SIGKILL);
    const absl::Status lost = running.get();
    EXPECT_EQ(lost.code(), absl::StatusCode::kUnknown) << lost;
    EXPECT_EQ(ErrorInfoOf(lost).reason, "GATEWAY_LOST");
    const std::string token = ErrorInfoOf(lost).commit_token();
    ASSERT_NE(token, "");
    const auto now = Connect(other).CommitOutcomeOf(token);
    EXPECT_TRUE(now.ok()) << now.status();
    const auto outcome = FinalOutcome(Connect(other), token);
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    if (*outcome == CommitOutcome::kCommitted) ++committed;
    EXPECT_EQ(Rows(), std::to_string(committed));
  }
}

TEST_F(CommitOutcomes, AreNotToldOfWhatIsNoToken) {
  GatewayProcess gateway({{"DATABASE_URL", database_.url()}});
  const absl::Status status = Connect(gateway).CommitOutcomeOf("c1.main.1.2.3.4.5").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_EQ(ErrorInfoOf(status).violations.at(0).field, "commit_token");
  EXPECT_EQ(Emsdb(gateway, {"outcome", "nonsense"}).status, 3);
}

// A PostgreSQL of the test's own, which it may crash.
class OwnServer {
 public:
  OwnServer() {
    // The server may run as another user.
    std::filesystem::permissions(directory_.path(), std::filesystem::perms(0755));
    const Ended started = Manage("start");
    if (started.status != 0) throw std::runtime_error(started.err);
    url_ = started.out.substr(0, started.out.find('\n'));
  }
  ~OwnServer() { Manage("stop"); }
  OwnServer(const OwnServer&) = delete;
  OwnServer& operator=(const OwnServer&) = delete;

  const std::string& url() const { return url_; }
  // Tries until the server answers.
  std::string Run(const std::string& sql) const {
    for (int i = 0;; ++i) {
      try {
        return Ask(url_, sql);
      } catch (const std::runtime_error&) {
        if (i == 200) throw;
        std::this_thread::sleep_for(milliseconds(50));
      }
    }
  }

 private:
  Ended Manage(const std::string& command) const {
    return RunProgram("/usr/bin/env",
                      {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", EMSDB_TEST_PRIVATE_POSTGRES, command,
                       directory_.File("pg")},
                      {});
  }

  const TemporaryDirectory directory_;
  std::string url_;
};

// T14: after a crash the server gives the lost transaction's number to another one.
TEST(CommitOutcomesOfACrash, AreNeverThoseOfTheTransactionThatGotTheNumberAfterIt) {
  const OwnServer server;
  server.Run(
      "create table notes (id int);"
      "create function slow() returns trigger language plpgsql as "
      "$$begin perform pg_sleep(5); return null; end$$;"
      "create constraint trigger slow after insert on notes deferrable initially deferred "
      "for each row when (new.id = 1) execute function slow(); checkpoint");
  GatewayProcess gateway({{"DATABASE_URL", server.url()}});
  const Client client = Connect(gateway);
  auto transaction = client.Begin("main");
  ASSERT_TRUE(transaction.ok()) << transaction.status();
  ASSERT_TRUE(transaction->Query(kInsert).ok());
  auto committing = std::async(std::launch::async, [&] { return transaction->Commit(); });
  auto batch = std::async(std::launch::async,
                          [&] { return client.ExecuteBatch("main", {{kInsert}}).status(); });
  const std::string committing_pid =
      "select pid from pg_stat_activity where state = 'active' and query = 'COMMIT' offset 1";
  std::string backend;
  while (backend.empty()) backend = server.Run(committing_pid);
  ASSERT_EQ(kill(std::stoi(backend), SIGKILL), 0);
  const absl::Status lost = committing.get();
  EXPECT_EQ(lost.code(), absl::StatusCode::kUnknown) << lost;
  // Asked by the gateway itself: the server is the same one, and does not have it.
  const absl::Status answered = batch.get();
  EXPECT_EQ(answered.code(), absl::StatusCode::kAborted) << answered;
  EXPECT_EQ(ErrorInfoOf(answered).reason, "COMMIT_ROLLED_BACK");

  const std::string token = ErrorInfoOf(lost).commit_token();
  const auto before = FinalOutcome(client, token);
  EXPECT_TRUE(before.ok() && *before == CommitOutcome::kRolledBack) << before.status();
  for (int i = 0; i < 20; ++i) server.Run("insert into notes values (2)");
  const auto after = FinalOutcome(client, token);
  EXPECT_FALSE(after.ok() && *after == CommitOutcome::kCommitted);
  EXPECT_EQ(server.Run("select count(*) from notes where id = 1"), "0");
}

// One row that all want, and what is known of the calls.
class Conflicts : public CommitOutcomes {
 protected:
  Conflicts() { database_.Run("insert into notes values (0), (100)"); }

  v1::ExecuteBatchRequest Batch(const std::vector<std::string>& statements) const {
    v1::ExecuteBatchRequest request;
    for (const std::string& sql : statements) {
      request.add_statements()->mutable_statement()->set_sql(sql);
    }
    return request;
  }

  // How often it was run; 0 if it failed.
  static int Attempts(const GatewayProcess& gateway, const v1::ExecuteBatchRequest& request) {
    const auto stub = v1::QueryService::NewStub(
        grpc::CreateChannel(gateway.address(), grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + seconds(60));
    v1::ExecuteBatchResponse response;
    const grpc::Status status = stub->ExecuteBatch(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.results_size(), status.ok() ? request.statements_size() : 0);
    return static_cast<int>(response.attempts());
  }
};

// T15
TEST_F(Conflicts, BetweenSerializableBatchesAreRunAgainUntilAllAreDone) {
  GatewayProcess gateway({{"DATABASE_URL", database_.url()}});
  constexpr int kCallers = 6;
  constexpr int kEach = 5;
  v1::ExecuteBatchRequest request =
      Batch({"select id, pg_sleep(0.01)::text from notes where id < 100",
             "update notes set id = id + 1 where id < 100"});
  request.mutable_options()->set_isolation_level(v1::ISOLATION_LEVEL_SERIALIZABLE);
  std::vector<std::future<int>> callers;
  for (int i = 0; i < kCallers; ++i) {
    callers.push_back(std::async(std::launch::async, [&] {
      int attempts = 0;
      for (int n = 0; n < kEach; ++n) attempts += Attempts(gateway, request);
      return attempts;
    }));
  }
  int attempts = 0;
  for (auto& caller : callers) attempts += caller.get();
  EXPECT_EQ(database_.Run("select min(id) from notes"), std::to_string(kCallers * kEach));
  EXPECT_GT(attempts, kCallers * kEach);
  EXPECT_THAT(gateway.Metrics(), HasSubstr("emsdb_batch_retries_total{database=\"main\"} " +
                                           std::to_string(attempts - kCallers * kEach)));
}

// T15
TEST_F(Conflicts, ThatAreDeadlocksAreRunAgain) {
  GatewayProcess gateway({{"DATABASE_URL", database_.url()}});
  const char* const first = "update notes set id = id where id = 0";
  const char* const second = "update notes set id = id where id = 100";
  const char* const pause = "select pg_sleep(0.3)::text";
  auto one = std::async(std::launch::async, [&] {
    return Attempts(gateway, Batch({first, pause, second}));
  });
  auto other = std::async(std::launch::async, [&] {
    return Attempts(gateway, Batch({second, pause, first}));
  });
  EXPECT_EQ(one.get() + other.get(), 3);
}

// T15: seen at COMMIT, when the caller has a token of the attempt already.
TEST_F(Conflicts, ThatShowOnlyAtTheCommitAreAbortedAndRetryable) {
  GatewayProcess gateway({{"DATABASE_URL", database_.url()}});
  const Client client = Connect(gateway);
  // Each reads what the other changes: only one can come first.
  const auto skewed = [&](const std::string& own, const std::string& others) {
    return client
        .ExecuteBatch("main",
                      {{"select count(*) from notes where id = " + others},
                       {"update notes set id = id where id = " + own},
                       {"select pg_sleep(0.3)::text"}},
                      {.isolation = client::Isolation::kSerializable})
        .status();
  };
  auto one = std::async(std::launch::async, [&] { return skewed("0", "100"); });
  const absl::Status other = skewed("100", "0");
  for (const absl::Status& status : {one.get(), other}) {
    if (status.ok()) continue;
    EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
    EXPECT_EQ(ErrorInfoOf(status).retryable(), true);
    EXPECT_FALSE(ErrorInfoOf(status).outcome_unknown());
  }
}

}  // namespace
}  // namespace emsdb
