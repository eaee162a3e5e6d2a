#include "pool/pool_manager.h"

#include <gmock/gmock.h>

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/pool/recorded_call.h"
#include "tests/support/status_matchers.h"

namespace emsdb {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

DatabaseSettings Sqlite(const std::string& name, const std::string& path) {
  return {.name = name, .engine = Engine::kSqlite, .connection = path, .location = path};
}
DatabaseSettings Postgresql(const std::string& name) {
  return {.name = name, .engine = Engine::kPostgresql, .connection = "postgresql://h/" + name};
}

class ManagerTest : public ::testing::Test {
 protected:
  void Make(const std::vector<DatabaseSettings>& databases) {
    manager = std::make_unique<PoolManager>(
        databases,
        [this](const DatabaseSettings& settings, Role role) {
          auto connector = std::make_unique<ScriptedConnector>(clock);
          connectors[{settings.name, role}].push_back(connector.get());
          return connector;
        },
        clock, [](const std::string&) -> PoolObserver& { return PoolObserver::None(); });
  }
  ScriptedConnector& ConnectorOf(const std::string& name, Role role) {
    return *connectors.at({name, role}).at(0);
  }
  Database& Find(const std::string& name) { return **manager->Find(name); }

  CallRef Make(Body body) {
    return std::make_shared<RecordedCall>(CallOptions{}, clock, std::move(body));
  }
  // As a service does: the statement goes where it most likely can run.
  CallRef Start(const std::string& name, const std::string& sql, Body body) {
    CallRef call = Make(std::move(body));
    const auto route = Find(name).RouteFor(Access::kReadWrite, sql);
    call->Start(route.pool, Purpose::kStatement, route.writer);
    return call;
  }
  CallRef Start(const std::string& name, const std::string& sql) {
    return Start(name, sql, Sql(sql));
  }

  FakeClock clock;
  std::map<std::pair<std::string, Role>, std::vector<ScriptedConnector*>> connectors;
  std::unique_ptr<PoolManager> manager;
};

using TheManager = ManagerTest;

TEST_F(TheManager, FindsADatabaseByNameAndMainWithoutOne) {
  Make({Postgresql("main"), Postgresql("fire")});
  EXPECT_EQ(Find("").settings().name, "main");
  EXPECT_EQ(Find("fire").settings().name, "fire");
  EXPECT_THAT(manager->databases(), SizeIs(2));
}

TEST_F(TheManager, SaysWhichDatabasesThereAre) {
  Make({Postgresql("main"), Postgresql("fire")});
  const auto found = manager->Find("billing");
  EXPECT_THAT(found, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(found, HasReason("UNKNOWN_DATABASE"));
  EXPECT_EQ(std::string(found.status().message()),
            "database: no logical database of this name; there are: fire, main");
}

TEST_F(TheManager, GivesEachPostgresqlDatabaseOnePoolWithItsLimits) {  // T37
  DatabaseSettings main = Postgresql("main");
  main.limits.size = 7;
  DatabaseSettings hems = main;
  hems.name = "hems";
  Make({main, hems});
  EXPECT_EQ(Find("main").pool().limits().size, 7);
  EXPECT_NE(&Find("main").pool(), &Find("hems").pool()) << "also where two share a URL";
  EXPECT_EQ(Find("main").writer(), nullptr);
  const auto route = Find("main").RouteFor(Access::kReadWrite, "SELECT 1");
  EXPECT_EQ(&route.pool, &Find("main").pool());
  EXPECT_EQ(route.writer, nullptr);
}

TEST_F(TheManager, SendsWhatReadsToTheReadersOfAnSqliteFileAndTheRestToItsWriter) {
  Make({Sqlite("main", "/data/main.db")});
  EXPECT_THAT(Start("main", "SELECT 1")->Await(), IsOk());
  EXPECT_THAT(Start("main", "INSERT INTO t VALUES (1)")->Await(), IsOk());
  EXPECT_THAT(ConnectorOf("main", Role::kReader).executed(), ElementsAre("SELECT 1"));
  EXPECT_THAT(ConnectorOf("main", Role::kReadWrite).executed(),
              ElementsAre("INSERT INTO t VALUES (1)"));
  EXPECT_EQ(&Find("main").PoolFor(Access::kReadWrite), Find("main").writer());
  EXPECT_EQ(&Find("main").PoolFor(Access::kReadOnly), &Find("main").pool());
}

TEST_F(TheManager, RetriesOnTheWriterWhatOnlyLookedLikeARead) {
  Make({Sqlite("main", "/data/main.db")});
  ConnectorOf("main", Role::kReader).Next(Operation::kExecute, {.status = NeedsWriter()});
  EXPECT_THAT(Start("main", "SELECT writes()")->Await(), IsOk());
  EXPECT_THAT(ConnectorOf("main", Role::kReadWrite).executed(), ElementsAre("SELECT writes()"));
}

TEST_F(TheManager, HasOneWriterForAllDatabasesOnOneFile) {
  Make({Sqlite("main", "/data/main.db"), Sqlite("hems", "/data/main.db"),
        Sqlite("fire", "/data/fire.db")});
  EXPECT_EQ(Find("main").writer(), Find("hems").writer());
  EXPECT_NE(Find("main").writer(), Find("fire").writer());
  EXPECT_NE(&Find("main").pool(), &Find("hems").pool());
  EXPECT_EQ(Find("main").writer()->limits().limit(), 1);
}

TEST_F(TheManager, ServesAMemoryDatabaseInOrderOnOneConnection) {  // T71
  Make({Sqlite("main", ":memory:"), Sqlite("fire", ":memory:")});
  EXPECT_EQ(&Find("main").pool(), &Find("fire").pool());
  EXPECT_EQ(Find("main").writer(), nullptr);
  EXPECT_EQ(Find("main").pool().limits().limit(), 1);
  const std::vector<CallRef> calls = {Start("main", "SELECT 1"), Start("fire", "INSERT 2"),
                                      Start("main", "SELECT 3")};
  for (const CallRef& call : calls) EXPECT_THAT(call->Await(), IsOk());
  EXPECT_THAT(ConnectorOf("main", Role::kReadWrite).executed(),
              ElementsAre("SELECT 1", "INSERT 2", "SELECT 3"));
}

TEST_F(TheManager, GroupsReadsWhereAnSqliteDatabaseIsRead) {
  DatabaseSettings file = Sqlite("main", "/data/main.db");
  DatabaseSettings memory = Sqlite("fire", ":memory:");
  for (DatabaseSettings* database : {&file, &memory}) database->limits.group_reads = true;
  Make({file, memory, Sqlite("hems", "/data/hems.db")});
  EXPECT_TRUE(Find("main").pool().limits().group_reads);
  EXPECT_FALSE(Find("main").writer()->limits().group_reads) << "what comes there is no read";
  EXPECT_TRUE(Find("fire").pool().limits().group_reads);
  EXPECT_FALSE(Find("hems").pool().limits().group_reads) << "it is off";
}

TEST_F(TheManager, KeepsTheConnectionsOfAnEmbeddedDatabase) {
  DatabaseSettings main = Sqlite("main", "/data/main.db");
  main.limits.size = 3;
  Make({main});
  EXPECT_THAT(Start("main", "SELECT 1")->Await(), IsOk());
  clock.Advance(std::chrono::hours(10000));
  EXPECT_THAT(Start("main", "SELECT 1")->Await(), IsOk());
  ScriptedConnector& readers = ConnectorOf("main", Role::kReader);
  EXPECT_EQ(readers.opened(), 1);
  EXPECT_EQ(readers.pings(), 0);
  EXPECT_EQ(Find("main").pool().limits().size, 8) << "the pool settings are not applied";
}

TEST_F(TheManager, DrainsCleanlyWhenAllEndsInTime) {  // T39
  Make({Postgresql("main"), Sqlite("fire", "/data/fire.db")});
  EXPECT_THAT(Start("main", "SELECT 1")->Await(), IsOk());
  EXPECT_THAT(Start("fire", "SELECT 1")->Await(), IsOk());
  EXPECT_TRUE(manager->Drain(clock.Now() + seconds(10)));
  EXPECT_THAT(Start("main", "SELECT 1")->Await(), HasReason("SHUTDOWN"));
  EXPECT_EQ(ConnectorOf("main", Role::kReadWrite).open_now(), 0);
}

TEST_F(TheManager, ShutsEveryDoorBeforeItWaitsForTheFirstPool) {  // T39
  Make({Postgresql("main"), Postgresql("fire")});
  ConnectorOf("fire", Role::kReadWrite).Next(Operation::kExecute, {.pace = Pace::kHangs});
  const CallRef running = Start("fire", "SELECT 1");
  ConnectorOf("fire", Role::kReadWrite).AwaitHanging(1);
  CallRef late;
  running->OnAnswer([&] { late = Start("main", "SELECT 2"); });
  std::thread release([&] {
    clock.AwaitWaiters(3);  // the hanging statement, the upkeep, and the drain
    ConnectorOf("fire", Role::kReadWrite).Release();
  });
  EXPECT_TRUE(manager->Drain(clock.Now() + seconds(10)));
  release.join();
  EXPECT_THAT(running->Await(), IsOk());
  EXPECT_THAT(late->Await(), HasReason("SHUTDOWN"));
}

TEST_F(TheManager, StopsWhatDoesNotEndInTime) {  // T39
  Make({Postgresql("main")});
  ConnectorOf("main", Role::kReadWrite).Always(Operation::kExecute, {.pace = Pace::kHangs});
  const CallRef running = Start("main", "SELECT 1");
  ConnectorOf("main", Role::kReadWrite).AwaitHanging(1);
  EXPECT_FALSE(manager->Drain(clock.Now()));
  EXPECT_THAT(running->Await(), HasReason("SHUTDOWN"));
}

TEST_F(TheManager, EndsWhileTransactionsAreIdleAndInUse) {  // T11 T39
  Make({Postgresql("main")});
  ScriptedConnector& connector = ConnectorOf("main", Role::kReadWrite);
  std::vector<std::string> ids(2);
  for (std::string& id : ids) {
    const CallRef begin =
        Make([&](Connection& connection, const Bounds& bounds, Lease& lease) -> absl::Status {
          if (absl::Status begun = connection.Begin({}, {}, bounds); !begun.ok()) return begun;
          id = manager->transactions().Add(std::move(lease), {.caller = "cad"});
          return absl::OkStatus();
        });
    begin->Start(Find("main").PoolFor(Access::kReadWrite), Purpose::kLease);
    EXPECT_THAT(begin->Await(), IsOk());
  }
  connector.Next(Operation::kExecute, {.pace = Pace::kHangs});
  const CallRef running = Make(Sql("UPDATE t SET a = 1"));
  manager->transactions().Run(ids[0], "cad", TransactionStep::kStatement, running);
  connector.AwaitHanging(1);
  manager.reset();
  EXPECT_THAT(running->Await(), HasReason("SHUTDOWN"));
}

// A statement that the end finds on a reader still goes on to its writer, and is refused there.
TEST_F(TheManager, EndsWhileAStatementIsOnItsWayToTheWriter) {
  for (int i = 0; i < 100; ++i) {
    connectors.clear();
    Make({Sqlite("main", "/data/main.db"), Sqlite("hems", "/data/main.db")});
    const CallRef call = Start("hems", "SELECT writes()",
                               [](Connection&, const Bounds&, Lease&) { return NeedsWriter(); });
    manager.reset();
    call->AwaitEnd();
    EXPECT_EQ(call->answers(), 1);
  }
}

}  // namespace
}  // namespace emsdb
