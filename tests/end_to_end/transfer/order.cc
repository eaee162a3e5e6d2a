#include "tests/end_to_end/transfer/order.h"

#include <initializer_list>

namespace emsdb::transfer {
namespace {

// At commit, where a statement is already done, so that a commit takes time enough to be lost in.
constexpr char kSlowCommit[] =
    "create function tarry() returns trigger language plpgsql as "
    "$$begin perform pg_sleep(random() * 0.004); return null; end$$";

constexpr char kViewIsMoved[] =
    "create trigger move instead of insert on transfers begin "
    "update accounts set balance = balance - new.amount where id = new.source; "
    "update accounts set balance = balance + new.amount where id = new.target; "
    "insert into ledger values (new.number, new.attempt, new.source, new.target, new.amount); "
    "end";

constexpr char kMove[] =
    "with moved as (update accounts set balance = balance + "
    "case id when $3::int8 then -$5::int8 else $5::int8 end "
    "where id in ($3::int8, $4::int8) returning id) "
    "insert into ledger select $1::int8, $2::int8, $3::int8, $4::int8, $5::int8 "
    "from moved having count(*) = 2";

v1::Statement Make(const char* sql, std::initializer_list<int> parameters) {
  v1::Statement statement;
  statement.set_sql(sql);
  for (const int parameter : parameters) statement.add_parameters()->set_int64_value(parameter);
  return statement;
}

std::string FirstBalances() {
  std::string sql = "insert into accounts values ";
  for (int id = 1; id <= kAccounts; ++id) {
    sql +=
        (id == 1 ? "(" : ", (") + std::to_string(id) + ", " + std::to_string(kOpeningBalance) + ")";
  }
  return sql;
}

}  // namespace

const char* NameOf(Way way) {
  switch (way) {
    case Way::kBatch:
      return "batch";
    case Way::kLease:
      return "lease";
    case Way::kInlineCommit:
      return "inline commit";
    case Way::kStream:
      return "stream";
    case Way::kResolvable:
      return "resolvable";
    case Way::kOneTrip:
      break;
  }
  return "one trip";
}

std::vector<std::string> Schema(Engine engine) {
  std::vector<std::string> statements = {
      "create table accounts (id bigint primary key, "
      "balance bigint not null check (balance >= 0))",
      "create table ledger (number bigint not null, attempt bigint not null, "
      "source bigint not null, target bigint not null, amount bigint not null)",
      FirstBalances()};
  if (engine == Engine::kPostgres) {
    statements.emplace_back(kSlowCommit);
    statements.emplace_back(
        "create constraint trigger tarry after insert on ledger deferrable initially deferred "
        "for each row execute function tarry()");
  } else {
    statements.emplace_back("create view transfers as select * from ledger");
    statements.emplace_back(kViewIsMoved);
  }
  return statements;
}

std::array<v1::Statement, 3> InSteps(const Order& order) {
  return {Make("update accounts set balance = balance - $2 where id = $1",
               {order.source, order.amount}),
          Make("update accounts set balance = balance + $2 where id = $1",
               {order.target, order.amount}),
          Make("insert into ledger values ($1, $2, $3, $4, $5)",
               {order.number, order.attempt, order.source, order.target, order.amount})};
}

v1::Statement AtOnce(const Order& order, Engine engine) {
  return Make(
      engine == Engine::kPostgres ? kMove : "insert into transfers values ($1, $2, $3, $4, $5)",
      {order.number, order.attempt, order.source, order.target, order.amount});
}

}  // namespace emsdb::transfer
