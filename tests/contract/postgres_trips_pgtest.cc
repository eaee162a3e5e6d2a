// PostgreSQL: the round trips of every kind of call, counted at the socket, as one table.
#include <gtest/gtest.h>

#include <algorithm>
#include <climits>
#include <functional>
#include <ostream>

#include "tests/contract/postgres_fixture.h"
#include "tests/support/tcp_proxy.h"

namespace emsdb {
namespace {

// Names every commit to nobody.
class NoWitness final : public CommitWitness {
 public:
  absl::Status WillCommit(const CommitId&, const Bounds&) override { return absl::OkStatus(); }
};

using Run = std::function<void(Connection&, const std::string& table)>;

struct Call {
  const char* name;
  Run before;  // not counted
  Run counted;
  int trips;

  friend void PrintTo(const Call& call, std::ostream* out) { *out << call.name; }
};

void Nothing(Connection&, const std::string&) {}

std::string Select(const std::string& table) { return "SELECT s FROM " + table + " WHERE id = 1"; }
std::string Insert(const std::string& table) {
  return "INSERT INTO " + table + " SELECT count(*), 'a' FROM " + table;
}

Run Selects(int times) {
  return [times](Connection& connection, const std::string& table) {
    for (int i = 0; i < times; ++i) MustRun(connection, Select(table));
  };
}

Run With(std::string (*sql)(const std::string&), RunOptions options) {
  return [sql, options](Connection& connection, const std::string& table) {
    EXPECT_EQ(TryRun(connection, sql(table), Soon(), options), absl::OkStatus());
  };
}

void Resolvable(Connection& connection, const std::string& table) {
  NoWitness witness;
  With(&Insert, {.witness = &witness})(connection, table);
}

void Returning(Connection& connection, const std::string& table) {
  MustRun(connection, Insert(table) + " RETURNING id");
}

std::string Vacuum(const std::string& table) { return "VACUUM " + table; }

void Begin(Connection& connection, const std::string&) {
  EXPECT_EQ(connection.Begin({}, {.identity = "cad"}, Soon()), absl::OkStatus());
}
void BeginAndWrite(Connection& connection, const std::string& table) {
  Begin(connection, table);
  MustRun(connection, Insert(table));
}
void Commit(Connection& connection, const std::string&) {
  EXPECT_EQ(connection.Commit(Soon()), absl::OkStatus());
}
void CommitWithToken(Connection& connection, const std::string&) {
  NoWitness witness;
  EXPECT_EQ(connection.Commit(Soon(), &witness), absl::OkStatus());
}
void RollBack(Connection& connection, const std::string&) {
  EXPECT_EQ(connection.RollBack(Soon()), absl::OkStatus());
}
void Ping(Connection& connection, const std::string&) {
  EXPECT_EQ(connection.Ping(Soon()), absl::OkStatus());
}
void Batch(Connection& connection, const std::string& table) {
  NoWitness witness;
  CollectingBatchSink sink;
  const std::vector<GuardedStatement> batch = {{{.sql = Select(table)}, std::nullopt},
                                               {{.sql = Insert(table)}, 1},
                                               {{.sql = Insert(table)}, 1},
                                               {{.sql = Select(table)}, std::nullopt},
                                               {{.sql = Insert(table)}, 1}};
  EXPECT_EQ(connection.ExecuteBatch(batch, {}, {.witness = &witness}, Soon(), sink),
            absl::OkStatus());
}
Run Batches(int times) {
  return [times](Connection& connection, const std::string& table) {
    for (int i = 0; i < times; ++i) Batch(connection, table);
  };
}
Run Reads(int times, std::string (*sql)(const std::string&), TransactionOptions transaction) {
  return [=](Connection& connection, const std::string& table) {
    for (int i = 0; i < times; ++i) {
      CollectingBatchSink sink;
      const std::vector<GuardedStatement> batch(5, {{.sql = sql(table)}, 0});
      EXPECT_EQ(connection.ExecuteBatch(batch, transaction, {}, Soon(), sink), absl::OkStatus());
    }
  };
}
std::string SelectByFunction(const std::string& table) {
  return Select(table) + " AND abs(id) = 1";
}
constexpr TransactionOptions kReadOnly = {.access = Access::kReadOnly};
constexpr TransactionOptions kRepeatable = {.isolation = Isolation::kRepeatableRead,
                                            .access = Access::kReadOnly};
void Dirty(Connection& connection, const std::string&) {
  MustRun(connection, "SET lock_timeout = 1000");
}
void Reset(Connection& connection, const std::string&) {
  EXPECT_EQ(connection.ResetSession(Soon()), absl::OkStatus());
}

class PostgresTrips : public PostgresDriver, public testing::WithParamInterface<Call> {};

// libpq hands some packets to the socket in two writes, so that a busy machine may show an answer
// between them, for which nobody waited: the least of several counts means something.
TEST_P(PostgresTrips, AreAsManyAsTheTableSays) {
  TcpProxy proxy(ServerPort());
  int least = INT_MAX;
  for (int attempt = 0; attempt < 10 && least > GetParam().trips; ++attempt) {
    const auto opened = OpenThrough(proxy.port());
    ASSERT_NE(opened, nullptr);
    GetParam().before(*opened, table_);
    const int before = proxy.trips();
    GetParam().counted(*opened, table_);
    least = std::min(least, proxy.trips() - before);
  }
  EXPECT_EQ(least, GetParam().trips);
}

INSTANTIATE_TEST_SUITE_P(
    OfACall, PostgresTrips,
    testing::Values(
        Call{"QueryForTheFirstTime", &Nothing, Selects(1), 1},
        Call{"QueryForTheSecondTimeWhichPrepares", Selects(1), Selects(1), 1},
        Call{"QueryThatIsPrepared", Selects(2), Selects(1), 1},
        Call{"QueryThatIsReadOnly", &Nothing, With(&Select, {.access = Access::kReadOnly}), 1},
        Call{"Write", &Nothing, With(&Insert, {}), 1},
        Call{"WriteThatReturnsRows", &Nothing, &Returning, 2},
        Call{"WriteThatIsResolvable", &Nothing, &Resolvable, 2},
        Call{"StatementOutsideTransactions", &Nothing, With(&Vacuum, {.wrapping = Wrapping::kNone}),
             1},
        Call{"Begin", &Nothing, &Begin, 1}, Call{"QueryInATransaction", &Begin, Selects(1), 1},
        Call{"QueryInATransactionThatIsPrepared", &Begin, Selects(3), 3},
        Call{"Commit", &BeginAndWrite, &Commit, 1},
        Call{"CommitWithAToken", &BeginAndWrite, &CommitWithToken, 2},
        Call{"RollBack", &BeginAndWrite, &RollBack, 1}, Call{"Batch", &Nothing, Batches(1), 2},
        Call{"BatchThatPrepares", Batches(1), Batches(1), 2},
        Call{"BatchThatIsPrepared", Batches(2), Batches(1), 2},
        Call{"BatchOfReads", &Nothing, Reads(1, &Select, kReadOnly), 1},
        Call{"BatchOfReadsThatIsPrepared", Reads(2, &Select, kReadOnly),
             Reads(1, &Select, kReadOnly), 1},
        Call{"BatchOfReadsThatIsNotDeclared", &Nothing, Reads(1, &Select, {}), 2},
        Call{"BatchOfReadsThatCallAFunction", &Nothing, Reads(1, &SelectByFunction, kReadOnly), 2},
        Call{"BatchOfReadsWithAnIsolation", &Nothing, Reads(1, &Select, kRepeatable), 2},
        Call{"Ping", &Nothing, &Ping, 1}, Call{"ResetOfAChangedSession", &Dirty, &Reset, 1},
        Call{"ResetOfACleanSession", &Nothing, &Reset, 0}),
    [](const auto& call) { return std::string(call.param.name); });

}  // namespace
}  // namespace emsdb
