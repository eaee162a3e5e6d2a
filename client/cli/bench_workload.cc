#include "client/cli/bench_workload.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"

namespace emsdb::client::cli {
namespace {

constexpr int kStatementsOfABatch = 5;

constexpr char kRead[] = "select id, name, quantity from bench_rows where id = $1";
constexpr char kWrite[] = "update bench_rows set quantity = quantity + 1 where id = $1";

constexpr char kStreamPostgres[] =
    "select g, 'text ' || g, g * 1.5::float8, g % 2 = 0, now() from generate_series(1, $1) g";
// SQLite has no booleans and no timestamps: the same values as it has them.
constexpr char kStreamSqlite[] =
    "with recursive s(g) as (select 1 union all select g + 1 from s where g < $1) "
    "select g, 'text ' || g, g * 1.5, g % 2 = 0, datetime('now') from s";

constexpr char kCreatePostgres[] =
    "create table bench_rows (id bigint primary key, name text not null, quantity integer not "
    "null, price double precision not null, changed timestamptz not null)";
constexpr char kCreateSqlite[] =
    "create table bench_rows (id integer primary key, name text not null, quantity integer not "
    "null, price double precision not null, changed text not null)";
constexpr char kFillPostgres[] =
    "insert into bench_rows select g, 'row ' || g, g % 100, g * 1.5::float8, now() "
    "from generate_series(1, $1) g";
constexpr char kFillSqlite[] =
    "with recursive s(g) as (select 1 union all select g + 1 from s where g < $1) "
    "insert into bench_rows select g, 'row ' || g, g % 100, g * 1.5, datetime('now') from s";

v1::Statement WithNumber(const std::string& sql, std::int64_t number) {
  v1::Statement statement;
  statement.set_sql(sql);
  // A statement of the operator's own need not have the parameter.
  if (sql.find("$1") != std::string::npos) statement.add_parameters()->set_int64_value(number);
  return statement;
}

std::string SqlOr(const BenchCommand& command, const char* own) {
  return command.sql.empty() ? own : command.sql;
}

v1::QueryRequest MakeRequest(const BenchCommand& command, const std::string& sql) {
  v1::QueryRequest request;
  request.set_database(command.database);
  *request.mutable_statement() = WithNumber(sql, 1);
  return request;
}

std::int64_t ChooseKey(std::int64_t keys, BenchRandom& random) {
  return 1 + static_cast<std::int64_t>(random.Below(static_cast<std::uint64_t>(keys)));
}

}  // namespace

std::vector<BatchStatement> PrepareStatements(Dialect dialect, std::int64_t keys) {
  const bool postgres = dialect == Dialect::kPostgres;
  return {{.sql = "drop table if exists bench_rows"},
          {.sql = postgres ? kCreatePostgres : kCreateSqlite},
          {.sql = postgres ? kFillPostgres : kFillSqlite,
           .parameters = {Value(keys)},
           .expect_rows = keys}};
}

v1::QueryRequest ReadRequest(const BenchCommand& command) {
  v1::QueryRequest request = MakeRequest(command, SqlOr(command, kRead));
  request.set_read_only(true);
  return request;
}

v1::QueryRequest WriteRequest(const BenchCommand& command) {
  return MakeRequest(command, SqlOr(command, kWrite));
}

v1::QueryRequest SlowRequest(const BenchCommand& command) {
  v1::QueryRequest request =
      MakeRequest(command, absl::StrFormat("select pg_sleep(%g)", command.slow_ms / 1000));
  request.set_read_only(true);
  return request;
}

v1::ExecuteBatchRequest BatchRequest(const BenchCommand& command) {
  v1::ExecuteBatchRequest request;
  request.set_database(command.database);
  request.mutable_options()->set_read_only(command.sql.empty());
  for (int i = 0; i < kStatementsOfABatch; ++i) {
    *request.add_statements()->mutable_statement() = WithNumber(SqlOr(command, kRead), 1);
  }
  return request;
}

TransactionRequests MakeTransactionRequests(const BenchCommand& command) {
  TransactionRequests requests{MakeRequest(command, kRead), MakeRequest(command, kWrite),
                               MakeRequest(command, kWrite)};
  requests.front().mutable_transaction()->mutable_begin();
  requests.back().set_commit(true);
  return requests;
}

v1::StreamQueryRequest StreamRequest(const BenchCommand& command, Dialect dialect) {
  const char* own = dialect == Dialect::kPostgres ? kStreamPostgres : kStreamSqlite;
  v1::StreamQueryRequest request;
  request.set_database(command.database);
  *request.mutable_statement() = WithNumber(SqlOr(command, own), command.rows);
  request.set_read_only(true);
  return request;
}

void SetKey(std::int64_t key, v1::Statement& statement) {
  if (statement.parameters_size() > 0) statement.mutable_parameters(0)->set_int64_value(key);
}

void ChooseKeys(std::int64_t keys, BenchRandom& random, v1::QueryRequest& request) {
  SetKey(ChooseKey(keys, random), *request.mutable_statement());
}

void ChooseKeys(std::int64_t keys, BenchRandom& random, v1::ExecuteBatchRequest& request) {
  for (v1::BatchStatement& one : *request.mutable_statements()) {
    SetKey(ChooseKey(keys, random), *one.mutable_statement());
  }
}

void ChooseKeys(std::int64_t keys, BenchRandom& random, TransactionRequests& requests) {
  std::array<std::int64_t, 3> chosen{};
  for (std::int64_t& key : chosen) key = ChooseKey(keys, random);
  std::sort(chosen.begin(), chosen.end());
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    SetKey(chosen[i], *requests[i].mutable_statement());
  }
}

}  // namespace emsdb::client::cli
