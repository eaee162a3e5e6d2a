// PostgreSQL: values of every kind, their types' names, and memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "tests/contract/postgres_fixture.h"

// ASan keeps what was freed for a while; so little of it that memory can be measured here too.
// NOLINTBEGIN(bugprone-reserved-identifier): the name is the sanitizer's.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "quarantine_size_mb=8"; }
// NOLINTEND(bugprone-reserved-identifier)

namespace emsdb {
namespace {

using testing::HasSubstr;
using PostgresValues = PostgresDriver;

struct TypeOfResult {
  std::string type;
  Value value;
};

TypeOfResult Ask(Connection& connection, const std::string& sql,
                 std::vector<Value> parameters = {}) {
  CollectingSink sink;
  const auto done =
      connection.Execute({.sql = sql, .parameters = std::move(parameters)}, {}, Soon(), sink);
  EXPECT_TRUE(done.ok()) << sql << ": " << done.status();
  if (sink.rows.empty()) return {};
  return {sink.columns.at(0).type, sink.rows.at(0).at(0)};
}

// T51, T53, T55, T56, T57
TEST_F(PostgresValues, GivesEveryOtherTypeAsTheServersOwnText) {
  const std::string digits =
      "1234567890123456789012345678901234567890123456789012345678901234567890.123456789012345678901"
      "234567890";
  const struct {
    const char* sql;
    std::string type;
    std::string text;
  } cases[] = {
      {"SELECT $1::numeric", "numeric", digits},
      {"SELECT 'NaN'::numeric", "numeric", "NaN"},
      {"SELECT '2026-01-31 12:00:00.123456+02'::timestamptz", "timestamptz",
       "2026-01-31 10:00:00.123456+00"},
      {"SELECT 'infinity'::timestamptz", "timestamptz", "infinity"},
      {"SELECT '0044-03-15 BC'::date", "date", "0044-03-15 BC"},
      {"SELECT '1 year 2 mons 3 days 04:05:06'::interval", "interval",
       "1 year 2 mons 3 days 04:05:06"},
      {"SELECT 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid", "uuid",
       "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
      {"SELECT '{\"b\":1, \"a\":12345678901234567890123, \"b\":2}'::json", "json",
       "{\"b\":1, \"a\":12345678901234567890123, \"b\":2}"},
      {"SELECT '{\"b\":1}'::jsonb", "jsonb", "{\"b\": 1}"},
      {"SELECT ARRAY['NULL', NULL, 'a,b', '\"']", "_text", "{\"NULL\",NULL,\"a,b\",\"\\\"\"}"},
      {"SELECT '[2:3]={1,2}'::int4[]", "_int4", "[2:3]={1,2}"},
      {"SELECT '[1,5)'::int4range", "int4range", "[1,5)"},
      {"SELECT 'abc'::char(5)", "bpchar", "abc  "},
      {"SELECT 'x'::\"char\"", "char", "x"},
      {"SELECT 'pg_class'::name", "name", "pg_class"},
      {"SELECT '192.168.0.1/24'::inet", "inet", "192.168.0.1/24"},
      {"SELECT '(1,2)'::point", "point", "(1,2)"},
      {"SELECT 12.5::money", "money", "$12.50"},
      {"SELECT ROW(1, 'a', NULL)", "record", "(1,a,)"},
  };
  for (const auto& [sql, type, text] : cases) {
    const bool takes_one = std::string(sql).find("$1") != std::string::npos;
    const TypeOfResult got =
        Ask(connection(), sql, takes_one ? std::vector<Value>{digits} : std::vector<Value>{});
    EXPECT_EQ(got.type, type) << sql;
    EXPECT_EQ(got.value, Value(text)) << sql;
  }
}

TEST_F(PostgresValues, GivesNumbersAndTruthAsWhatTheyAre) {
  EXPECT_EQ(Ask(connection(), "SELECT true").value, Value(true));
  EXPECT_EQ(Ask(connection(), "SELECT false").value, Value(false));
  EXPECT_EQ(Ask(connection(), "SELECT (-32768)::int2").value, Value(std::int64_t{-32768}));
  EXPECT_EQ(Ask(connection(), "SELECT 4294967295::oid").value, Value(std::int64_t{4294967295}));
  EXPECT_EQ(Ask(connection(), "SELECT 0.1::float4").value, Value(0.1));
  EXPECT_EQ(Ask(connection(), "SELECT '-Infinity'::float8").value,
            Value(-std::numeric_limits<double>::infinity()));
  EXPECT_EQ(Ask(connection(), "SELECT '\\x00ff00'::bytea").value,
            Value(Bytes{std::string("\0\xff\0", 3)}));
  EXPECT_EQ(Ask(connection(), "SELECT ''::bytea").value, Value(Bytes{}));
}

// T59
TEST_F(PostgresValues, LetsTheServerInferWhatAParameterIs) {
  MustRun(connection(), "CREATE TEMP TABLE p (i int, n numeric, d date, j jsonb, b bool, s text)");
  MustRun(connection(), "INSERT INTO p VALUES ($1, $2, $3, $4, $5, $6)",
          {std::string("42"), 1.5, std::string("2026-01-31"), true, std::string("t"), true});
  EXPECT_EQ(MustGetText(connection(), "SELECT p::text FROM p"), "(42,1.5,2026-01-31,true,t,true)");
  // Nothing is cut off on the way into a smaller type.
  CollectingSink sink;
  const auto large = connection().Execute(
      {.sql = "INSERT INTO p (i) VALUES ($1)", .parameters = {std::int64_t{1} << 40}}, {}, Soon(),
      sink);
  EXPECT_EQ(DetailOf(large.status()).sqlstate, "22003") << large.status();
  EXPECT_EQ(large.status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(PostgresValues, RefusesATypeItDoesNotKnowAndSaysWhatToDo) {
  CollectingSink sink;
  const auto done = connection().Execute(
      {.sql = "SELECT $1", .parameters = {std::string("x")}, .parameter_types = {"my_enum"}}, {},
      Soon(), sink);
  EXPECT_EQ(DetailOf(done.status()).field, "statement.parameter_types[0]");
  EXPECT_THAT(std::string(done.status().message()), HasSubstr("cast"));
}

TEST_F(PostgresValues, RefusesMoreParametersThanTheProtocolCounts) {
  CollectingSink sink;
  Statement statement{.sql = "SELECT 1"};
  statement.parameters.assign(65536, Value(std::int64_t{1}));
  const auto done = connection().Execute(statement, {}, Soon(), sink);
  EXPECT_EQ(DetailOf(done.status()).field, "statement.parameters") << done.status();
}

// T57
TEST_F(PostgresValues, LearnsTheNamesOfTypesThatTheDatabaseDefines) {
  const std::string type = Sql("%t_status");
  MustRun(admin(), absl::StrFormat("CREATE TYPE %s AS ENUM ('free', 'busy')", type));
  const std::string ask = absl::StrFormat("SELECT 'busy'::%s, ARRAY['free'::%s]", type, type);
  for (int round = 0; round < 2; ++round) {
    CollectingSink sink;
    ASSERT_TRUE(connection().Execute({.sql = ask}, {}, Soon(), sink).ok());
    EXPECT_EQ(sink.columns.at(0).type, type);
    EXPECT_EQ(sink.columns.at(1).type, absl::StrFormat("_%s", type));
    EXPECT_EQ(sink.rows.at(0), (std::vector<Value>{std::string("busy"), std::string("{free}")}));
  }
  MustRun(admin(), absl::StrFormat("DROP TYPE %s", type));
}

TEST_F(PostgresValues, LearnsANewTypesNameBehindABatchButNotInsideATransaction) {
  const std::string type = Sql("%t_domain");
  MustRun(admin(), absl::StrFormat("CREATE TYPE %s AS (a int, b text)", type));
  const std::string ask = absl::StrFormat("SELECT '(1,x)'::%s", type);
  ASSERT_EQ(connection().Begin({}, {}, Soon()), absl::OkStatus());
  EXPECT_EQ(Ask(connection(), ask).type, "");
  EXPECT_EQ(connection().transaction_state(), TransactionState::kOpen);
  EXPECT_EQ(connection().Commit(Soon()), absl::OkStatus());

  auto fresh = MakeConnector(UrlWithParameters(""))->Open(Soon());
  ASSERT_TRUE(fresh.ok());
  CollectingBatchSink sink;
  const std::vector<GuardedStatement> batch = {{{.sql = ask}, 1}};
  ASSERT_EQ((*fresh)->ExecuteBatch(batch, {}, {}, Soon(), sink), absl::OkStatus());
  EXPECT_EQ(sink.sinks[0].columns.at(0).type, type);
  MustRun(admin(), absl::StrFormat("DROP TYPE %s", type));
}

// T53: whatever the URL's own options or a caller's RESET ALL say.
TEST_F(PostgresValues, KeepsTheFormOfTimesInEverySession) {
  auto opened = MakeConnector(UrlWithParameters("?options=-c%20work_mem%3D8MB%20-c%20TimeZone%3D"
                                                "America/New_York"))
                    ->Open(Soon());
  ASSERT_TRUE(opened.ok()) << opened.status();
  Connection& connection = **opened;
  EXPECT_EQ(MustGetText(connection, "SHOW work_mem"), "8MB");
  const std::string ask = "SELECT '2026-06-01 00:00+00'::timestamptz";
  EXPECT_EQ(Ask(connection, ask).value, Value(std::string("2026-06-01 00:00:00+00")));
  MustRun(connection, "SET TimeZone = 'Asia/Tokyo'");
  MustRun(connection, "RESET ALL");
  EXPECT_EQ(Ask(connection, ask).value, Value(std::string("2026-06-01 00:00:00+00")));
}

std::int64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t size = 0;
  std::int64_t resident = 0;
  statm >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

// T62
TEST_F(PostgresValues, HoldsNoMoreThanARowOfAMillion) {
  class Watcher final : public RowSink {
   public:
    absl::Status OnColumns(std::span<const Column>) override { return absl::OkStatus(); }
    absl::Status OnRow(std::span<const Cell> cells) override {
      if (++rows % 1000 == 0) most = std::max(most, ResidentBytes());
      sum += std::get<std::int64_t>(cells[0]);
      return absl::OkStatus();
    }
    std::int64_t rows = 0;
    std::int64_t sum = 0;
    std::int64_t most = 0;
  } sink;
  MustRun(connection(), "SELECT generate_series(1, 10000)");  // what is needed once
  const std::int64_t before = ResidentBytes();
  const auto done = connection().Execute(
      {.sql = "SELECT i, 'a text of some length, to make rows of some size', i::numeric, now() "
              "FROM generate_series(1, 1000000) i"},
      {}, Within(std::chrono::seconds(100)), sink);
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(done->rows_affected, 1000000);
  EXPECT_EQ(sink.sum, std::int64_t{500000500000});
  EXPECT_LT(sink.most - before, 24 << 20);
}

}  // namespace
}  // namespace emsdb
