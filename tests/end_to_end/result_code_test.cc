// What a caller sees of SQLite's errors: one table, every result code that a statement or a file
// can bring about.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <chrono>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "client/client.h"
#include "client/error_info.h"
#include "tests/end_to_end/connect.h"
#include "tests/support/gateway_process.h"
#include "tests/support/temporary_directory.h"

namespace emsdb {
namespace {

using client::Client;
using client::ErrorInfo;
using client::ErrorInfoOf;
using client::Value;
using ::testing::HasSubstr;
using ::testing::Not;
using enum absl::StatusCode;

constexpr const char* kSetup[] = {
    R"(create table units (id integer primary key, name text not null unique, size integer,
                           constraint positive check (size > 0)))",
    "insert into units values (1, 'A', 1), (2, 'B', 2)",
    "create table crews (unit integer references units)",
    "insert into crews values (1)",
    "create table exact (n integer) strict",
    "create table pairs (a text, b text, primary key (a, b)) without rowid",
    "insert into pairs values ('x', 'y')",
    "create trigger kept before delete on pairs begin select raise(abort, 'pairs are kept'); end",
    "create unique index by_size on units (abs(size))",
};

struct Case {
  const char* result_code;
  std::string sql;
  absl::StatusCode code;
  std::map<std::string, std::string> details = {};
  std::vector<Value> parameters = {};
};

std::vector<Case> Cases() {
  return {
      {"SQLITE_ERROR", "selec 1", kInvalidArgument, {{"position", "1"}}},
      {"SQLITE_ERROR",
       "select 'ü', nosuch",
       kInvalidArgument,
       {{"position", "13"}, {"column", "nosuch"}}},
      {"SQLITE_ERROR", "select * from nosuch", kNotFound, {{"table", "nosuch"}}},
      {"SQLITE_ERROR", "select nosuch(1)", kInvalidArgument, {{"position", "8"}}},
      {"SQLITE_ERROR",
       "insert into units (id, nosuch) values (1, 2)",
       kInvalidArgument,
       {{"table", "units"}, {"column", "nosuch"}}},
      {"SQLITE_ERROR", "create table units (id)", kInvalidArgument, {{"position", "14"}}},
      {"SQLITE_ERROR", "select json('{')", kInvalidArgument},
      {"SQLITE_ERROR", "select abs(-9223372036854775807 - 1)", kInvalidArgument},
      {"SQLITE_CONSTRAINT_UNIQUE",
       "insert into units values (3, 'A', 3)",
       kAlreadyExists,
       {{"table", "units"}, {"column", "name"}}},
      {"SQLITE_CONSTRAINT_UNIQUE",
       "insert into units values (3, 'C', 2)",
       kAlreadyExists,
       {{"constraint", "by_size"}}},
      {"SQLITE_CONSTRAINT_PRIMARYKEY",
       "insert into units values (1, 'C', 3)",
       kAlreadyExists,
       {{"table", "units"}, {"column", "id"}}},
      {"SQLITE_CONSTRAINT_PRIMARYKEY",
       "insert into pairs values ('x', 'y')",
       kAlreadyExists,
       {{"table", "pairs"}, {"column", "a, b"}}},
      {"SQLITE_CONSTRAINT_ROWID",
       "insert into crews (rowid, unit) values (1, 1)",
       kAlreadyExists,
       {{"table", "crews"}, {"column", "rowid"}}},
      {"SQLITE_CONSTRAINT_NOTNULL",
       "insert into units (id) values (3)",
       kFailedPrecondition,
       {{"table", "units"}, {"column", "name"}}},
      {"SQLITE_CONSTRAINT_CHECK",
       "insert into units values (3, 'C', 0)",
       kFailedPrecondition,
       {{"constraint", "positive"}}},
      {"SQLITE_CONSTRAINT_FOREIGNKEY", "insert into crews values (7)", kFailedPrecondition},
      {"SQLITE_CONSTRAINT_FOREIGNKEY", "delete from units where id = 1", kFailedPrecondition},
      {"SQLITE_CONSTRAINT_TRIGGER", "delete from pairs", kFailedPrecondition},
      {"SQLITE_CONSTRAINT_DATATYPE",
       "insert into exact values ('x')",
       kInvalidArgument,
       {{"table", "exact"}, {"column", "n"}}},
      {"SQLITE_MISMATCH", "insert into units values ('x', 'C', 3)", kInvalidArgument},
      {"SQLITE_TOOBIG", "select zeroblob(2000000000)", kInvalidArgument},
  };
}

std::map<std::string, std::string> Rest(const ErrorInfo& info) {
  std::map<std::string, std::string> rest = info.metadata;
  for (const char* key : {"retryable", "stage", "elapsed_ms"}) rest.erase(key);
  return rest;
}

TEST(SqliteResultCodeTable, SaysOfEveryErrorWhatThereIsToSay) {
  const GatewayProcess gateway;
  const Client client = Connect(gateway);
  for (const char* sql : kSetup) ASSERT_TRUE(client.Query("main", sql).ok()) << sql;
  for (const Case& expected : Cases()) {
    SCOPED_TRACE(std::string(expected.result_code) + ": " + expected.sql);
    const absl::Status status = client.Query("main", expected.sql, expected.parameters).status();
    const ErrorInfo info = ErrorInfoOf(status);
    EXPECT_EQ(status.code(), expected.code) << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(std::string("(") + expected.result_code + ")"));
    EXPECT_EQ(info.reason, "SQL_ERROR");
    EXPECT_EQ(info.retryable(), false);
    EXPECT_EQ(info.Get("stage"), "running");
    EXPECT_EQ(Rest(info), expected.details);
  }
}

// T67
TEST(SqliteResultCodeTable, RefusesToWriteWhereOnlyReadingIsAllowed) {
  const GatewayProcess gateway;
  const Client client = Connect(gateway);
  ASSERT_TRUE(client.Query("main", kSetup[0]).ok());
  const absl::Status status = client
                                  .Query("main", "insert into units values (3, 'C', 3)", {},
                                         {.access = client::Access::kReadOnly})
                                  .status();
  EXPECT_EQ(status.code(), kFailedPrecondition) << status;
}

// SQLITE_INTERRUPT, by time
TEST(SqliteResultCodeTable, SaysThatTheDeadlineEndedAStatement) {
  const GatewayProcess gateway;
  const absl::Status status =
      Connect(gateway)
          .Query("main",
                 "with recursive n(i) as (select 1 union all select i + 1 from n) "
                 "select max(i) from n",
                 {}, {.call = {.deadline = std::chrono::milliseconds(300)}})
          .status();
  EXPECT_EQ(status.code(), kDeadlineExceeded) << status;
}

// SQLITE_NOTADB, and what would be SQLITE_CANTOPEN: where the file is not what it should be.
TEST(SqliteResultCodeTable, TellsAFileThatIsNoDatabaseFromOneThatIsNotThere) {
  const TemporaryDirectory directory;
  const std::string file = directory.path() + "/noise.db";
  std::ofstream(file) << std::string(8192, 'x');
  GatewayProcess gateway(
      {{"FIRE_DATABASE_URL", "sqlite:///" + file},
       {"HEMS_DATABASE_URL", "sqlite:///" + directory.path() + "/nosuch/fire.db"}});
  const Client client = Connect(gateway);
  ASSERT_TRUE(client.Query("main", "select 1").ok());
  const absl::Status noise = client.Query("fire", "select * from sqlite_schema").status();
  EXPECT_EQ(noise.code(), kUnavailable) << noise;
  EXPECT_THAT(std::string(noise.message()), HasSubstr("SQLITE_NOTADB"));
  const absl::Status gone = client.Query("hems", "select * from sqlite_schema").status();
  EXPECT_EQ(gone.code(), kUnavailable) << gone;
  EXPECT_EQ(ErrorInfoOf(gone).Get("stage"), "connecting");
  EXPECT_THAT(std::string(gone.message()), HasSubstr("does not exist"));
  // Where the file is, the log says (T68).
  for (const absl::Status& status : {noise, gone}) {
    EXPECT_THAT(status.ToString(), Not(HasSubstr(directory.path())));
    for (const auto& [key, value] : ErrorInfoOf(status).metadata) {
      EXPECT_THAT(value, Not(HasSubstr(directory.path()))) << key;
    }
  }
  EXPECT_EQ(gateway.Terminate(), 0);
  EXPECT_THAT(gateway.log(), HasSubstr("cannot open the SQLite database " + file));
  EXPECT_THAT(gateway.log(), HasSubstr(directory.path() + "/nosuch does not exist"));
}

// What another process does to a file.
void RunBeside(sqlite3* file, const std::string& sql) {
  ASSERT_EQ(sqlite3_exec(file, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sql;
}

// SQLITE_BUSY: another process holds the file for longer than is waited.
TEST(SqliteResultCodeTable, SaysThatAnotherProcessHoldsTheFile) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/shared.db";
  const GatewayProcess gateway({{"FIRE_DATABASE_URL", "sqlite:///" + path}});
  const Client client = Connect(gateway);
  ASSERT_TRUE(client.Query("fire", "create table units (id integer)").ok());
  sqlite3* beside = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &beside), SQLITE_OK);
  RunBeside(beside, "begin immediate");
  const absl::Status status = client.Query("fire", "insert into units values (1)").status();
  EXPECT_EQ(status.code(), kUnavailable) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("(SQLITE_BUSY)"));
  EXPECT_EQ(ErrorInfoOf(status).retryable(), true);
  EXPECT_TRUE(ErrorInfoOf(status).retry_after.has_value());
  sqlite3_close(beside);
  EXPECT_TRUE(client.Query("fire", "insert into units values (1)").ok());
}

// SQLITE_CORRUPT: a page of the file is not what was written.
TEST(SqliteResultCodeTable, SaysThatDataAreLost) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/torn.db";
  sqlite3* file = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &file), SQLITE_OK);
  RunBeside(file,
            "pragma page_size = 4096; create table units (id integer);"
            "insert into units values (1)");
  sqlite3_close(file);
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(4096)
      << std::string(4096, 'x');
  const GatewayProcess gateway({{"FIRE_DATABASE_URL", "sqlite:///" + path}});
  const absl::Status status = Connect(gateway).Query("fire", "select * from units").status();
  EXPECT_EQ(status.code(), kDataLoss) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("(SQLITE_CORRUPT)"));
  EXPECT_EQ(ErrorInfoOf(status).retryable(), false);
}

}  // namespace
}  // namespace emsdb
