// What a caller sees of PostgreSQL's errors: one table, every class of SQLSTATE, provoked on a real
// server wherever a statement can; what no statement can provoke is raised by a function.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "client/client.h"
#include "client/error_info.h"
#include "tests/end_to_end/connect.h"
#include "tests/end_to_end/postgres_fixture.h"
#include "tests/support/gateway_process.h"

namespace emsdb {
namespace {

using client::Client;
using client::ErrorInfo;
using client::ErrorInfoOf;
using enum absl::StatusCode;

constexpr char kSetup[] = R"(
  create table units (id int primary key, name varchar(3) not null, size int,
                      constraint positive check (size > 0), constraint one_name unique (name));
  insert into units values (1, 'A', 1), (2, 'B', 2);
  create table crews (unit int, constraint of_unit foreign key (unit) references units);
  insert into crews values (1);
  create table shifts (at int4range, constraint no_overlap exclude using gist (at with &&));
  insert into shifts values ('[1,5)');
  create view big_units as select * from units where size > 10 with check option;
  create domain dose as int constraint sane_dose check (value < 100);
  create sequence few maxvalue 2; select nextval('few'), nextval('few');
  create sequence unused;
  create type mood as enum ('ok');
  create table locked (id int primary key); insert into locked values (1);
  create function deep(n int) returns int language plpgsql as 'begin return deep(n + 1); end';
  create function no_return() returns int language plpgsql as 'begin end';
  create table selfish (id int, n int); insert into selfish values (1, 1);
  create function selfish() returns trigger language plpgsql as
    'begin update selfish set n = n + 1; return new; end';
  create trigger selfish before update on selfish for each row
    when (pg_trigger_depth() = 0) execute function selfish())";

// A function's word, for what no statement provokes.
std::string Raise(const std::string& sqlstate) {
  return "do $$ begin raise exception 'raised' using errcode = '" + sqlstate + "'; end $$";
}

std::string TableWithTooManyColumns() {
  std::string sql = "create table wide (c0 int";
  for (int i = 1; i <= 1600; ++i) sql += ", c" + std::to_string(i) + " int";
  return sql + ")";
}

struct Case {
  const char* sqlstate;
  // The last one fails. One: autocommit; several: in a transaction.
  std::vector<std::string> statements;
  absl::StatusCode code;
  bool retryable = false;
  // Beside sqlstate, retryable and stage: constraint, schema, table, column, position, hint.
  std::map<std::string, std::string> details = {};
};

std::vector<Case> Cases() {
  const std::string units = "units";
  return {
      {"02000", {Raise("02000")}, kNotFound},
      {"03000", {Raise("03000")}, kFailedPrecondition},
      {"08006", {Raise("08006")}, kUnavailable, true},
      {"08P01", {"select $1::int"}, kInvalidArgument},
      {"09000", {Raise("09000")}, kFailedPrecondition},
      {"0A000", {"select row_number() over () from units for update"}, kUnimplemented},
      {"0B000", {Raise("0B000")}, kFailedPrecondition},
      {"0F001", {Raise("0F001")}, kInvalidArgument},
      {"0LP01", {"grant usage on table units to public"}, kInvalidArgument},
      {"0P000", {Raise("0P000")}, kInvalidArgument},
      {"0Z002",
       {"do $$ declare x text; begin get stacked diagnostics x = message_text; end $$"},
       kFailedPrecondition},
      {"20000",
       {"do $$ begin case 1 when 2 then null; end case; end $$"},
       kFailedPrecondition,
       false,
       {{"hint", "CASE statement is missing ELSE part."}}},
      {"21000", {"select (select id from units)"}, kInvalidArgument},
      {"22001", {"insert into units values (3, 'long', 1)"}, kInvalidArgument},
      {"22003", {"select 2147483648::int4"}, kInvalidArgument},
      {"22004", {"select array_fill(1, null)"}, kInvalidArgument},
      {"22007", {"select 'x'::date"}, kInvalidArgument, false, {{"position", "8"}}},
      {"22011", {"select substring('x' from 1 for -1)"}, kInvalidArgument},
      {"22012", {"select 1/0"}, kInvalidArgument},
      {"2200H", {"select nextval('few')"}, kInvalidArgument},
      {"2200M", {"select xmlparse(document '<a>')"}, kInvalidArgument},
      {"2201B", {"select 'a' ~ '('"}, kInvalidArgument},
      {"2201E", {"select ln(-1)"}, kInvalidArgument},
      {"2201W", {"select 1 limit -1"}, kInvalidArgument},
      {"22021", {"select convert_from('\\xff', 'utf8')"}, kInvalidArgument},
      {"22023", {"select set_config('statement_timeout', 'x', true)"}, kInvalidArgument},
      {"22P02", {"select 'ü', 'x'::int"}, kInvalidArgument, false, {{"position", "13"}}},
      {"22P05", {"select convert_to('🚑', 'latin1')"}, kInvalidArgument},
      {"23502",
       {"insert into units (id) values (3)"},
       kFailedPrecondition,
       false,
       {{"schema", "public"}, {"table", units}, {"column", "name"}}},
      {"23503",
       {"insert into crews values (7)"},
       kFailedPrecondition,
       false,
       {{"schema", "public"}, {"table", "crews"}, {"constraint", "of_unit"}}},
      {"23503",
       {"delete from units where id = 1"},
       kFailedPrecondition,
       false,
       {{"schema", "public"}, {"table", "crews"}, {"constraint", "of_unit"}}},
      {"23505",
       {"insert into units values (3, 'A', 1)"},
       kAlreadyExists,
       false,
       {{"schema", "public"}, {"table", units}, {"constraint", "one_name"}}},
      {"23514",
       {"insert into units values (3, 'C', 0)"},
       kFailedPrecondition,
       false,
       {{"schema", "public"}, {"table", units}, {"constraint", "positive"}}},
      {"23514",
       {"select 100::dose"},
       kFailedPrecondition,
       false,
       {{"schema", "public"}, {"constraint", "sane_dose"}}},
      {"23P01",
       {"insert into shifts values ('[4,9)')"},
       kAlreadyExists,
       false,
       {{"schema", "public"}, {"table", "shifts"}, {"constraint", "no_overlap"}}},
      {"24000",
       {"declare c cursor for select id from units",
        "update units set size = 2 where current of c"},
       kFailedPrecondition},
      {"25001",
       {"vacuum units"},
       kFailedPrecondition,
       false,
       {{"hint", "run it by itself with outside_transaction"}}},
      {"25006",
       {"set transaction_read_only = on", "insert into crews values (2)"},
       kFailedPrecondition},
      {"25P01", {Raise("25P01")}, kFailedPrecondition},
      {"25P03", {Raise("25P03")}, kAborted},
      {"26000", {"execute nosuch"}, kNotFound},
      {"27000",
       {"update selfish set n = 2"},
       kFailedPrecondition,
       false,
       {{"hint",
         "Consider using an AFTER trigger instead of a BEFORE trigger to propagate changes to "
         "other rows."}}},
      {"28000", {Raise("28000")}, kPermissionDenied},
      {"28P01", {Raise("28P01")}, kPermissionDenied},
      {"2B000", {Raise("2B000")}, kFailedPrecondition},
      {"2BP01",
       {"drop table units"},
       kFailedPrecondition,
       false,
       {{"hint", "Use DROP ... CASCADE to drop the dependent objects too."}}},
      {"2D000", {"select 1", "do $$ begin commit; end $$"}, kInvalidArgument},
      {"2F005", {"select no_return()"}, kFailedPrecondition},
      {"34000", {"close nosuch"}, kNotFound},
      {"38000", {Raise("38000")}, kFailedPrecondition},
      {"39000", {Raise("39000")}, kFailedPrecondition},
      {"3B000", {Raise("3B000")}, kFailedPrecondition},
      {"3B001", {Raise("3B001")}, kNotFound},
      {"3D000", {"alter database nosuch reset all"}, kNotFound},
      {"3F000", {"create table nosuch.t (id int)"}, kNotFound, false, {{"position", "14"}}},
      {"40001", {Raise("40001")}, kAborted, true},
      {"40002", {Raise("40002")}, kFailedPrecondition},
      {"40003", {Raise("40003")}, kUnknown},
      {"40P01", {Raise("40P01")}, kAborted, true},
      {"42501", {"set local role pg_monitor", "select * from units"}, kPermissionDenied},
      {"42601", {"selec 1"}, kInvalidArgument, false, {{"position", "1"}}},
      {"42701", {"alter table units add id int"}, kAlreadyExists},
      {"42702", {"select id from units a, units b"}, kInvalidArgument, false, {{"position", "8"}}},
      {"42703", {"select nosuch from units"}, kInvalidArgument, false, {{"position", "8"}}},
      {"42704", {"drop type nosuch"}, kInvalidArgument},
      {"42710", {"create type mood as enum ()"}, kAlreadyExists},
      {"42723",
       {"create function deep(n int) returns int language sql as 'select 1'"},
       kAlreadyExists},
      {"42803", {"select id, count(*) from units"}, kInvalidArgument, false, {{"position", "8"}}},
      {"42804",
       {"insert into units values (3, 'C', true)"},
       kInvalidArgument,
       false,
       {{"position", "35"}, {"hint", "You will need to rewrite or cast the expression."}}},
      {"42883",
       {"select nosuch(1)"},
       kInvalidArgument,
       false,
       {{"position", "8"},
        {"hint",
         "No function matches the given name and argument types. You might need to add explicit "
         "type casts."}}},
      {"42P01", {"select * from nosuch"}, kNotFound, false, {{"position", "15"}}},
      {"42P06", {"create schema public"}, kAlreadyExists},
      {"42P07", {"create table units (id int)"}, kAlreadyExists},
      {"42939", {"create schema pg_mine"}, kInvalidArgument},
      {"44000", {"insert into big_units values (3, 'C', 1)"}, kFailedPrecondition},
      {"53100", {Raise("53100")}, kResourceExhausted},
      {"53200", {Raise("53200")}, kResourceExhausted, true},
      {"53300", {Raise("53300")}, kResourceExhausted, true},
      {"53400",
       {"set local temp_file_limit = 64", "set local work_mem = 64",
        "select count(*) from (select g from generate_series(1, 100000) g order by random()) t"},
       kResourceExhausted},
      {"54001",
       {"select deep(1)"},
       kResourceExhausted,
       false,
       {{"hint",
         "Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), after "
         "ensuring the platform's stack depth limit is adequate."}}},
      {"54011", {TableWithTooManyColumns()}, kResourceExhausted},
      {"55000", {"select currval('unused')"}, kFailedPrecondition},
      {"55006",
       {"declare c cursor for select id from units", "alter table units add x int"},
       kFailedPrecondition},
      {"55P03", {"select id from locked for update nowait"}, kAborted, true},
      {"55P04",
       {"alter type mood add value 'new'", "select 'new'::mood"},
       kFailedPrecondition,
       false,
       {{"position", "8"}, {"hint", "New enum values must be committed before they can be used."}}},
      {"57014", {"select pg_cancel_backend(pg_backend_pid())"}, kAborted, true},
      {"57000", {Raise("57000")}, kUnavailable},
      {"57P03", {Raise("57P03")}, kUnavailable, true},
      {"58030", {Raise("58030")}, kInternal},
      {"58P01", {"select pg_read_file('/nosuch')"}, kInternal},
      {"72000", {Raise("72000")}, kAborted, true},
      {"F0000", {Raise("F0000")}, kInternal},
      {"HV000", {Raise("HV000")}, kFailedPrecondition},
      {"P0001", {"do $$ begin raise exception 'said so'; end $$"}, kFailedPrecondition},
      {"P0002",
       {"do $$ declare x int; begin select id into strict x from units where false; end $$"},
       kFailedPrecondition},
      {"P0003",
       {"do $$ declare x int; begin select id into strict x from units; end $$"},
       kFailedPrecondition,
       false,
       {{"hint", "Make sure the query returns a single row, or use LIMIT 1."}}},
      {"P0004", {"do $$ begin assert false; end $$"}, kFailedPrecondition},
      {"XX000", {Raise("XX000")}, kInternal},
      {"XX001", {Raise("XX001")}, kDataLoss},
      {"XX002", {Raise("XX002")}, kDataLoss},
  };
}

// A connection beside the gateway that holds what others want.
class Holder {
 public:
  Holder(const std::string& url, const char* sql) : connection_(PQconnectdb(url.c_str())) {
    PQclear(PQexec(connection_, "begin"));
    PQclear(PQexec(connection_, sql));
  }
  ~Holder() { PQfinish(connection_); }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

 private:
  PGconn* connection_;
};

absl::Status RunCase(const Client& client, const std::vector<std::string>& statements) {
  if (statements.size() == 1) return client.Query("main", statements[0]).status();
  auto transaction = client.Begin("main");
  if (!transaction.ok()) return transaction.status();
  for (std::size_t i = 0; i + 1 < statements.size(); ++i) {
    const absl::Status before = transaction->Query(statements[i]).status();
    if (!before.ok()) return absl::InternalError("before: " + before.ToString());
  }
  return transaction->Query(statements.back()).status();
}

// Of the details those that differ from call to call, or are looked at one by one.
std::map<std::string, std::string> Rest(const ErrorInfo& info) {
  std::map<std::string, std::string> rest = info.metadata;
  for (const char* key : {"sqlstate", "retryable", "stage", "elapsed_ms"}) rest.erase(key);
  return rest;
}

class SqlstateTable : public ::testing::Test {
 protected:
  SqlstateTable() { database_.Run(kSetup); }

  const OwnDatabase database_;
};

// The first two signs of every SQLSTATE of PostgreSQL 15. 00 and 01 are no errors.
constexpr auto kClasses = std::to_array<std::string_view>(
    {"02", "03", "08", "09", "0A", "0B", "0F", "0L", "0P", "0Z", "20", "21", "22", "23",
     "24", "25", "26", "27", "28", "2B", "2D", "2F", "34", "38", "39", "3B", "3D", "3F",
     "40", "42", "44", "53", "54", "55", "57", "58", "72", "F0", "HV", "P0", "XX"});

TEST_F(SqlstateTable, CoversEveryClass) {
  const std::vector<Case> cases = Cases();
  for (const std::string_view wanted : kClasses) {
    EXPECT_TRUE(std::any_of(cases.begin(), cases.end(), [&](const Case& one) {
      return std::string_view(one.sqlstate).starts_with(wanted);
    })) << wanted;
  }
}

TEST_F(SqlstateTable, SaysOfEveryErrorWhatThereIsToSay) {
  const GatewayProcess gateway({{"DATABASE_URL", database_.url()}});
  const Client client = Connect(gateway);
  const Holder holder(database_.url(), "select id from locked for update");
  for (const Case& expected : Cases()) {
    SCOPED_TRACE(std::string(expected.sqlstate) + ": " + expected.statements.back().substr(0, 80));
    const absl::Status status = RunCase(client, expected.statements);
    const ErrorInfo info = ErrorInfoOf(status);
    EXPECT_EQ(status.code(), expected.code) << status;
    EXPECT_EQ(info.sqlstate(), expected.sqlstate) << status;
    EXPECT_EQ(info.reason, "SQL_ERROR");
    EXPECT_EQ(info.retryable(), expected.retryable);
    EXPECT_EQ(info.Get("stage"), "running");
    EXPECT_EQ(Rest(info), expected.details);
    // Whoever is told that the database is short of something is told when to come back.
    const bool later = expected.retryable &&
                       (expected.code == kResourceExhausted || expected.code == kUnavailable);
    EXPECT_EQ(info.retry_after.has_value(), later);
  }
  EXPECT_TRUE(client.Query("main", "select 1").ok());
}

}  // namespace
}  // namespace emsdb
