// Rows in bulk on PostgreSQL, end to end: a million of them in flat memory, and the server and the
// caller at their worst.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>

#include "client/client.h"
#include "client/error_info.h"
#include "tests/end_to_end/copy_stream.h"
#include "tests/end_to_end/postgres_fixture.h"
#include "tests/support/gateway_process.h"

namespace emsdb {
namespace {

using client::Client;
using client::ErrorInfoOf;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;

// EMSDB_TEST_ROWS, else fewer than a million: a build with sanitizers takes its time.
std::int64_t RowsOfThisRun() {
  const char* set = std::getenv("EMSDB_TEST_ROWS");
  return set == nullptr ? 200000 : std::atoll(set);
}

double SecondsSince(steady_clock::time_point began) {
  return std::chrono::duration<double>(steady_clock::now() - began).count();
}

// The largest resident size of any child so far.
std::size_t MostOfChildren() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) << 10;
}

class PostgresCopyIn : public ::testing::Test {
 protected:
  PostgresCopyIn() {
    database_.Run(
        "create table calls (id bigint primary key, nature text, priority int, latitude float8, "
        "received timestamptz)");
  }

  Environment Settings(const Environment& more = {}) const {
    // Built with AddressSanitizer the process keeps freed memory back on purpose: little of it
    // here.
    Environment settings = {
        {"DATABASE_URL", database_.url()},
        {"ASAN_OPTIONS", "quarantine_size_mb=1:thread_local_quarantine_size_kb=16"}};
    settings.insert(more.begin(), more.end());
    return settings;
  }
  Ended Load(const GatewayProcess& gateway, const std::string& file) const {
    return RunProgram(
        ClientProgram(), {"load", file, "calls"},
        {{"EMSDB_ADDRESS", gateway.address()},
         {"ASAN_OPTIONS", "quarantine_size_mb=1:thread_local_quarantine_size_kb=16"}});
  }
  // `broken`: the row that cannot be a row; 0: none.
  std::string File(std::int64_t rows, std::int64_t broken = 0) const {
    std::string path = directory_.File(std::to_string(rows) + ".csv");
    std::ofstream file(path);
    file << "id,nature,priority,latitude,received\n";
    for (std::int64_t id = 1; id <= rows; ++id) {
      file << (id == broken ? 1 : id) << ",\"chest pain, \"\"severe\"\"\"," << id % 5 << ","
           << 48.0 + static_cast<double>(id) / 1e7 << ",2024-06-07 08:09:10+00\n";
    }
    return path;
  }
  std::string Count() const { return database_.Run("select count(*) from calls"); }
  void AwaitNobodyInside() const {
    const auto began = steady_clock::now();
    while (Ask(TestPostgresUrl(),
               "select count(*) from pg_locks l join pg_database d on d.oid = l.database where "
               "d.datname = '" +
                   database_.name() + "' and l.mode = 'RowExclusiveLock'") != "0") {
      ASSERT_LT(SecondsSince(began), 10);
    }
  }

  const TemporaryDirectory directory_;
  const OwnDatabase database_;
};

TEST_F(PostgresCopyIn, LoadsAnyNumberOfRowsInFlatMemory) {
  const std::int64_t rows = RowsOfThisRun();
  GatewayProcess gateway(Settings());
  const std::string small = File(20000);
  ASSERT_EQ(Load(gateway, small).status, 0);
  const std::size_t gateway_before = gateway.resident_bytes();
  const std::size_t client_before = MostOfChildren();
  database_.Run("truncate calls");
  const std::string large = File(rows);

  auto began = steady_clock::now();
  const Ended ended = Load(gateway, large);
  const double ours = SecondsSince(began);
  ASSERT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(Count(), std::to_string(rows));
  EXPECT_EQ(
      database_.Run("select sum(id) || ' ' || min(nature) || ' ' || max(received) from calls "
                    "where latitude between 48 and 49"),
      std::to_string(rows * (rows + 1) / 2) + " chest pain, \"severe\" 2024-06-07 08:09:10+00");
  const std::size_t gateway_after = gateway.resident_bytes();
  const std::size_t client_after = MostOfChildren();

  database_.Run("truncate calls");
  began = steady_clock::now();
  const Ended psql = RunProgram(
      "/usr/bin/psql",
      {database_.url(), "-X", "-q", "-c", "\\copy calls from '" + large + "' csv header"}, {});
  const double theirs = SecondsSince(began);
  ASSERT_EQ(psql.status, 0) << psql.err;
  std::cout << "emsdb load: " << static_cast<std::int64_t>(static_cast<double>(rows) / ours)
            << " rows/s; psql \\copy: "
            << static_cast<std::int64_t>(static_cast<double>(rows) / theirs) << " rows/s; ratio "
            << theirs / ours << "\nresident memory of the gateway: " << gateway_before / 1024
            << " KiB after 20000 rows, " << gateway_after / 1024 << " KiB after " << rows
            << "; of emsdb at most " << client_before / 1024 << " and " << client_after / 1024
            << " KiB\n";
  EXPECT_LT(gateway_after, gateway_before + (std::size_t{16} << 20));
  EXPECT_LT(client_after, client_before + (std::size_t{16} << 20));
}

TEST_F(PostgresCopyIn, ABrokenRowInTheMiddleOfManyLeavesNothingBehind) {
  GatewayProcess gateway(Settings());
  const Ended ended = Load(gateway, File(200000, 100000));
  EXPECT_EQ(ended.status, 3);
  EXPECT_THAT(ended.err, HasSubstr("line 100001, row 100000 is refused; nothing was written"));
  EXPECT_THAT(ended.err, HasSubstr("23505"));
  EXPECT_EQ(Count(), "0");
}

// T14
TEST_F(PostgresCopyIn, GivesItsCommitATokenThatTellsWhatBecameOfIt) {
  GatewayProcess gateway(Settings());
  CopyStream stream(gateway.address());
  EXPECT_TRUE(stream.Start("calls", {"id"}));
  EXPECT_TRUE(stream.Rows({{1}}));
  EXPECT_TRUE(stream.End(1));
  ASSERT_EQ(stream.Finish(), absl::OkStatus());
  const Client client = *Client::Connect({.address = gateway.address()});
  const auto outcome = client.CommitOutcomeOf(stream.token());
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(*outcome, client::CommitOutcome::kCommitted);
}

// T68
TEST_F(PostgresCopyIn, KeepsARowsContentOutOfTheLog) {
  GatewayProcess gateway(Settings());
  CopyStream stream(gateway.address());
  EXPECT_TRUE(stream.Start("calls", {"id", "priority"}));
  EXPECT_TRUE(stream.Rows({{1, 1}, {2, "secret patient"}}));
  const absl::Status status = stream.Await();
  EXPECT_EQ(ErrorInfoOf(status).row(), 2) << status;
  EXPECT_EQ(ErrorInfoOf(status).sqlstate(), "22P02");
  EXPECT_EQ(gateway.Terminate(), 0);  // its last lines are written then
  EXPECT_THAT(gateway.log(), HasSubstr("22P02"));
  EXPECT_THAT(gateway.log(), ::testing::Not(HasSubstr("secret")));
}

TEST_F(PostgresCopyIn, EndsAtItsDeadlineWhenTheServerHasStopped) {
  GatewayProcess gateway(Settings());
  CopyStream stream(gateway.address(), milliseconds(1000));
  ASSERT_TRUE(stream.Start("calls", {"id", "nature"}));
  std::int64_t next = 0;
  const auto send = [&] {
    std::vector<client::Row> rows;
    for (int i = 0; i < 100; ++i) rows.push_back({++next, std::string(500, 'x')});
    return stream.Rows(rows);
  };
  ASSERT_TRUE(send());
  std::string backend;
  while (backend.empty()) {
    backend = Ask(TestPostgresUrl(),
                  "select coalesce(max(pid)::text, '') from pg_stat_activity where query like "
                  "'%COPY%STDIN' and datname = '" +
                      database_.name() + "'");
  }
  kill(std::stoi(backend), SIGSTOP);
  const auto began = steady_clock::now();
  while (send()) {
  }
  const absl::Status status = stream.Await();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_LT(SecondsSince(began), 3);
  // Also on this side: the connection is not held.
  EXPECT_TRUE(Client::Connect({.address = gateway.address()})->Query("main", "select 1").ok());
  kill(std::stoi(backend), SIGCONT);
  AwaitNobodyInside();
  EXPECT_EQ(Count(), "0");
}

// T11
TEST_F(PostgresCopyIn, ACallerThatIsKilledLeavesNothingBehind) {
  GatewayProcess gateway(Settings());
  const pid_t caller = fork();
  if (caller == 0) {
    setpgid(0, 0);
    // A program of its own: gRPC does not outlive a fork.
    execl("/bin/sh", "sh", "-c",
          "{ echo id; i=0; while :; do i=$((i+1)); echo $i; done; } | \"$0\" --address \"$1\" load "
          "--columns id - calls & wait",
          ClientProgram().c_str(), gateway.address().c_str(), nullptr);
    _exit(1);
  }
  const auto began = steady_clock::now();
  while (Ask(TestPostgresUrl(),
             "select coalesce(sum(tuples_processed), 0) > 100 from pg_stat_progress_copy where "
             "datname = '" +
                 database_.name() + "'") != "t") {
    ASSERT_LT(SecondsSince(began), 30);
  }
  kill(-caller, SIGKILL);
  waitpid(caller, nullptr, 0);
  AwaitNobodyInside();
  EXPECT_EQ(Count(), "0");
}

TEST_F(PostgresCopyIn, ABackendThatIsKilledEndsTheCallWithTheTruth) {
  GatewayProcess gateway(Settings());
  CopyStream stream(gateway.address());
  ASSERT_TRUE(stream.Start("calls", {"id"}));
  ASSERT_TRUE(stream.Rows({{1}}));
  while (Ask(TestPostgresUrl(), "select count(*) from pg_stat_progress_copy where datname = '" +
                                    database_.name() + "'") == "0") {
  }
  database_.KillBackends();
  const absl::Status status = stream.Await();
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
  EXPECT_EQ(ErrorInfoOf(status).reason, "TX_CONNECTION_LOST");
  EXPECT_FALSE(ErrorInfoOf(status).outcome_unknown());
  EXPECT_EQ(Count(), "0");
}

}  // namespace
}  // namespace emsdb
