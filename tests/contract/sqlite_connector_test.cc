// How SQLite's files are opened, and what is seen of them afterwards.
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/contract/sqlite_fixture.h"
#include "tests/support/fake_clock.h"

namespace emsdb {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class OpenSqlite : public SqliteFixture {};

absl::Status OpenStatus(const std::string& path, const Bounds& bounds = {}) {
  SqliteConnector connector({.path = path}, Clock::Real());
  return connector.Open(bounds).status();
}

TEST_F(OpenSqlite, CreatesAFileThatIsNotThereForAReaderToo) {
  const auto reader = Open(SqliteRole::kReader);
  EXPECT_TRUE(std::filesystem::exists(file()));
  EXPECT_EQ(Single(*reader, "SELECT count(*) FROM sqlite_schema"), Int(0));
}

TEST_F(OpenSqlite, UsesAWriteAheadLogThatSurvivesALossOfPower) {
  const auto writer = Open(SqliteRole::kWriter);
  ASSERT_THAT(Run(*writer, "CREATE TABLE t (a)"), IsOk());
  EXPECT_EQ(Single(*writer, "PRAGMA journal_mode"), Text("wal"));
  EXPECT_EQ(Single(*writer, "PRAGMA synchronous"), Int(2));
  EXPECT_EQ(Single(*writer, "PRAGMA foreign_keys"), Int(1));
  EXPECT_TRUE(std::filesystem::exists(file() + "-wal"));
}

TEST_F(OpenSqlite, LetsManyOpenANewFileAtOnce) {
  std::vector<std::thread> openers;
  for (int i = 0; i < 8; ++i) {
    openers.emplace_back([&, i] {
      const auto connection =
          Open(i % 2 == 0 ? SqliteRole::kReader : SqliteRole::kWriter, Clock::Real(), seconds(5));
      ASSERT_NE(connection, nullptr);
      EXPECT_THAT(connection->Ping({}), IsOk());
    });
  }
  for (std::thread& opener : openers) opener.join();
}

TEST_F(OpenSqlite, SaysThatTheDirectoryIsNotThere) {
  EXPECT_THAT(OpenStatus(directory_.File("no/such/main.db")),
              AllOf(StatusIs(absl::StatusCode::kUnavailable),
                    HasMessage(HasSubstr("its directory does not exist")),
                    HasMessage(Not(HasSubstr(directory_.path()))),
                    HasDetail(::testing::Field(&ErrorDetail::for_operators,
                                               HasSubstr("no/such does not exist")))));
}

TEST_F(OpenSqlite, SaysThatThePathIsADirectory) {
  EXPECT_THAT(OpenStatus(directory_.path()), HasMessage(HasSubstr("is a directory")));
}

TEST_F(OpenSqlite, SaysThatAFileIsNoDatabase) {
  std::ofstream(file()) << std::string(8192, 'x');
  EXPECT_THAT(OpenStatus(file()), AllOf(StatusIs(absl::StatusCode::kUnavailable),
                                        HasMessage(HasSubstr("file is not a database"))));
}

TEST_F(OpenSqlite, DoesNotTakeAPathForAUri) {
  EXPECT_THAT(OpenStatus("file:/tmp/emsdb-never-there/x?mode=memory"),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(OpenSqlite, OpensNothingOnceItsTimeIsOver) {
  const Bounds late = {.deadline = Clock::Real().Now() - seconds(1)};
  EXPECT_THAT(OpenStatus(file(), late),
              AllOf(HasReason("DEADLINE"),
                    HasDetail(::testing::Field(&ErrorDetail::stage, Stage::kConnecting))));
  StopSignal stop;
  stop.Raise(StopReason::kShutdown);
  EXPECT_THAT(OpenStatus(file(), {.stop = &stop}), HasReason("SHUTDOWN"));
  EXPECT_FALSE(std::filesystem::exists(file()));
}

// T71
TEST_F(OpenSqlite, HasOneConnectionToADatabaseInMemory) {
  SqliteConnector connector({.path = ":memory:"}, Clock::Real());
  auto only = connector.Open({});
  ASSERT_THAT(only, IsOk());
  ASSERT_THAT(Run(**only, "CREATE TABLE t (a)"), IsOk());
  EXPECT_EQ(Single(**only, "SELECT count(*) FROM t"), Int(0));
  EXPECT_TRUE((*only)->LooksAlive());
  EXPECT_THAT((*only)->Ping({}), IsOk());
  EXPECT_THAT(connector.Open({}), AllOf(StatusIs(absl::StatusCode::kFailedPrecondition),
                                        HasMessage(HasSubstr("one connection"))));
  only->reset();
  EXPECT_THAT(connector.Open({}), IsOk());
}

// T71
TEST_F(OpenSqlite, HasNoReaderBesideADatabaseInMemory) {
  SqliteConnector connector({.path = ":memory:", .role = SqliteRole::kReader}, Clock::Real());
  EXPECT_THAT(connector.Open({}), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(OpenSqlite, SeesThatTheFileWasRemoved) {
  const auto writer = Open(SqliteRole::kWriter);
  ASSERT_THAT(Run(*writer, "CREATE TABLE t (a)"), IsOk());
  EXPECT_TRUE(writer->LooksAlive());
  std::filesystem::remove(file());
  EXPECT_FALSE(writer->LooksAlive());
  EXPECT_THAT(writer->Ping({}), HasReason("CONNECTION_UNAVAILABLE"));
  EXPECT_TRUE(writer->broken());
}

TEST_F(OpenSqlite, WritesNothingIntoAFileThatWasReplaced) {
  const auto writer = Open(SqliteRole::kWriter);
  ASSERT_THAT(Run(*writer, "CREATE TABLE t (a)"), IsOk());
  std::filesystem::copy_file(file(), file() + ".new");
  std::filesystem::rename(file() + ".new", file());
  EXPECT_THAT(Run(*writer, "INSERT INTO t VALUES (1)"),
              AllOf(HasReason("CONNECTION_UNAVAILABLE"), HasMessage(HasSubstr("replaced"))));
  EXPECT_TRUE(writer->broken());
  EXPECT_EQ(writer->transaction_state(), TransactionState::kUnknown);
  EXPECT_THAT(Run(*writer, "SELECT 1"), HasReason("CONNECTION_UNAVAILABLE"));
}

}  // namespace
}  // namespace emsdb
