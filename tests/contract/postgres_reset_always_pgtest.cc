// PostgreSQL with a reset before every use: what functions and triggers hide reaches nobody, at no
// round trip, and nothing runs in a session whose reset failed.
#include <gtest/gtest.h>

#include <algorithm>
#include <climits>
#include <functional>
#include <vector>

#include "pool/errors.h"
#include "tests/contract/postgres_fixture.h"
#include "tests/contract/session_portrait.h"
#include "tests/support/postgres_url.h"
#include "tests/support/tcp_proxy.h"

namespace emsdb {
namespace {

// %t_hide() leaves one of each kind, without a word that can be seen; so does an insert into %t.
class PostgresResetAlways : public PostgresDriver {
 protected:
  void SetUp() override {
    PostgresDriver::SetUp();
    MustRun(admin(), Sql("CREATE FUNCTION %t_hide() RETURNS int LANGUAGE plpgsql AS $$ BEGIN "
                         "SET search_path = ''; SET leaked.value = 'x'; SET lock_timeout = 1; "
                         "SET default_transaction_isolation = 'serializable'; "
                         "CREATE TEMP TABLE leaked (a int); LISTEN leaked; "
                         "PERFORM pg_advisory_lock(4711); EXECUTE 'DEALLOCATE ALL'; "
                         "EXECUTE 'PREPARE emsdb_settings_read_only (text, text) AS SELECT 1'; "
                         "EXECUTE 'DECLARE leaked CURSOR WITH HOLD FOR SELECT 1'; "
                         "RETURN 1; END $$"));
    always_ = OpenAlways(TestPostgresUrl());
    ASSERT_NE(always_, nullptr);
    fresh_ = PortraitOf(*always_);
  }
  void TearDown() override {
    always_.reset();
    if (admin_ != nullptr) MustRun(admin(), Sql("DROP FUNCTION %t_hide() CASCADE"));
    PostgresDriver::TearDown();
  }

  static std::unique_ptr<Connection> OpenAlways(const std::string& uri) {
    auto connector = PostgresConnector::Create(
        {.uri = uri, .session_reset = SessionReset::kBeforeEveryUse}, Clock::Real());
    EXPECT_TRUE(connector.ok()) << connector.status();
    auto opened = (*connector)->Open(Soon());
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? *std::move(opened) : nullptr;
  }
  // Another session's lock on this session's temporary table, which a reset must drop.
  void BlockReset(Connection& victim) {
    MustRun(victim, Sql("SELECT %t_temporary()"));
    const std::string schema = MustGetText(
        admin(), "SELECT relnamespace::regnamespace::text FROM pg_class WHERE relname = $1",
        {Sql("%t_leaked")});
    ASSERT_EQ(admin().Begin({}, {}, Soon()), absl::OkStatus());
    MustRun(admin(), "LOCK TABLE " + schema + Sql(".%t_leaked"));
  }

  Connection& always() { return *always_; }

  std::unique_ptr<Connection> always_;
  std::string fresh_;
};

// T40, T42, T43, T44
TEST_F(PostgresResetAlways, HidesFromAStatementWhatAFunctionLeft) {
  MustRun(always(), Sql("SELECT %t_hide()"));
  EXPECT_FALSE(always().session_changed());
  EXPECT_EQ(PortraitOf(always()), fresh_);
}

TEST_F(PostgresResetAlways, HidesFromAStatementWhatATriggerLeft) {
  MustRun(admin(), Sql("CREATE FUNCTION %t_row() RETURNS trigger LANGUAGE plpgsql AS "
                       "$$ BEGIN PERFORM %t_hide(); RETURN NEW; END $$"));
  MustRun(admin(), Sql("CREATE TRIGGER hides BEFORE INSERT ON %t FOR EACH ROW "
                       "EXECUTE FUNCTION %t_row()"));
  MustRun(always(), Sql("INSERT INTO public.%t VALUES (1, 'a')"));
  EXPECT_FALSE(always().session_changed());
  EXPECT_EQ(PortraitOf(always()), fresh_);
  MustRun(admin(), Sql("DROP FUNCTION %t_row() CASCADE"));
}

// This one is reported where a superuser becomes none; others are not.
TEST_F(PostgresResetAlways, HidesFromAStatementTheRoleThatAFunctionTook) {
  MustRun(admin(), Sql("CREATE FUNCTION %t_role() RETURNS int LANGUAGE plpgsql AS "
                       "$$ BEGIN SET ROLE pg_monitor; RETURN 1; END $$"));
  MustRun(always(), Sql("SELECT %t_role()"));
  EXPECT_EQ(PortraitOf(always()), fresh_);
  MustRun(admin(), Sql("DROP FUNCTION %t_role()"));
}

// The default of a transaction counts from its first command on: a reset in the same one is late.
TEST_F(PostgresResetAlways, HidesFromAWriteThatTheSessionWasLeftReadOnly) {
  constexpr char kReadOnlyFromNowOn[] =
      "SELECT set_config('default_transaction_read_only', 'on', false)";
  MustRun(always(), kReadOnlyFromNowOn);
  MustRun(always(), Sql("INSERT INTO %t VALUES (1, 'a')"));
  MustRun(always(), kReadOnlyFromNowOn);
  MustRun(always(), Sql("INSERT INTO %t VALUES (2, 'a') RETURNING id"));
  EXPECT_EQ(CountRows(), 2);
}

TEST_F(PostgresResetAlways, HidesFromABatchWhatAFunctionLeft) {
  MustRun(always(), Sql("SELECT %t_hide()"));
  CollectingBatchSink sink;
  const std::vector<GuardedStatement> batch = {
      {{.sql = Sql("INSERT INTO %t VALUES (1, 'a')")}, 1},
      {{.sql = Sql("INSERT INTO %t VALUES (2, current_user)")}, 1}};
  EXPECT_EQ(always().ExecuteBatch(batch, {}, {}, Soon(), sink), absl::OkStatus());
  EXPECT_EQ(MustGetText(admin(), Sql("SELECT s FROM %t WHERE id = 2")),
            fresh_.substr(0, fresh_.find('|')));
}

TEST_F(PostgresResetAlways, HidesFromATransactionWhatAFunctionLeft) {
  MustRun(always(), Sql("SELECT %t_hide()"));
  ASSERT_EQ(always().Begin({.isolation = Isolation::kReadCommitted}, {}, Soon()), absl::OkStatus());
  EXPECT_EQ(PortraitOf(always()), fresh_);
  MustRun(always(), "SET LOCAL lock_timeout = 77");  // kept until the end: no reset in between
  EXPECT_EQ(MustGetText(always(), "SHOW lock_timeout"), "77ms");
  EXPECT_EQ(always().Commit(Soon()), absl::OkStatus());
  EXPECT_EQ(PortraitOf(always()), fresh_);
}

TEST_F(PostgresResetAlways, IsStillReadOnlyWhereAFunctionTookThePreparedName) {
  MustRun(always(), Sql("SELECT %t_hide()"));
  EXPECT_FALSE(
      TryRun(always(), Sql("INSERT INTO %t VALUES (1)"), Soon(), {.access = Access::kReadOnly})
          .ok());
  EXPECT_EQ(CountRows(), 0);
}

TEST_F(PostgresResetAlways, DoesNotAnswerWithAnotherCallersSequenceNumber) {
  MustRun(admin(), Sql("CREATE SEQUENCE %t_numbers"));
  MustRun(always(), Sql("SELECT nextval('%t_numbers')"));
  EXPECT_FALSE(TryRun(always(), "SELECT lastval()").ok());
  MustRun(admin(), Sql("DROP SEQUENCE %t_numbers"));
}

// libpq hands the reset and the statement to the socket one after the other, so that a busy machine
// may show the reset's answer between them, for which nobody waited: the least of several counts is
// the one that means something.
TEST_F(PostgresResetAlways, CostsNoRoundTrip) {
  TcpProxy proxy(ServerPort());
  const auto opened = OpenAlways(UrlWithPort(proxy.port()));
  const std::vector<std::function<void()>> works = {
      [&] { MustRun(*opened, "SELECT 1"); },
      [&] { MustRun(*opened, Sql("INSERT INTO %t SELECT count(*) + 1 FROM %t")); },
      [&] { EXPECT_EQ(opened->Begin({}, {}, Soon()), absl::OkStatus()); },
      [&] { MustRun(*opened, "SELECT 1"); },
      [&] { EXPECT_EQ(opened->Commit(Soon(), nullptr), absl::OkStatus()); },
      [&] {
        CollectingBatchSink sink;
        const std::vector<GuardedStatement> batch = {{{.sql = "SELECT 1"}, 1},
                                                     {{.sql = "SELECT 2"}, 1}};
        EXPECT_EQ(opened->ExecuteBatch(batch, {}, {}, Soon(), sink), absl::OkStatus());
      }};
  const std::vector<int> wanted = {1, 1, 1, 1, 1, 2};
  std::vector<int> least(works.size(), INT_MAX);
  for (int attempt = 0; attempt < 20 && least != wanted; ++attempt) {
    for (std::size_t i = 0; i < works.size(); ++i) {
      const int before = proxy.trips();
      works[i]();
      least[i] = std::min(least[i], proxy.trips() - before);
    }
  }
  EXPECT_EQ(least, wanted);
}

TEST_F(PostgresResetAlways, CarriesOnAfterAStatementThatFailed) {
  EXPECT_FALSE(TryRun(always(), "SELECT 1 / 0").ok());
  EXPECT_FALSE(TryRun(always(), Sql("SELECT %t_hide() / 0")).ok());
  EXPECT_EQ(PortraitOf(always()), fresh_);
  EXPECT_FALSE(always().broken());
}

class PostgresResetThatFails : public PostgresResetAlways {
 protected:
  void SetUp() override {
    PostgresResetAlways::SetUp();
    MustRun(admin(), Sql("CREATE FUNCTION %t_temporary() RETURNS int LANGUAGE plpgsql AS "
                         "$$ BEGIN CREATE TEMP TABLE %t_leaked (a int); RETURN 1; END $$"));
    victim_ = OpenAlways(UrlWithParameters("?options=-c%20lock_timeout%3D" + lock_timeout()));
    ASSERT_NE(victim_, nullptr);
    BlockReset(*victim_);
  }
  void TearDown() override {
    victim_.reset();
    EXPECT_EQ(admin().RollBack(Soon()), absl::OkStatus());
    MustRun(admin(), Sql("DROP FUNCTION %t_temporary()"));
    PostgresResetAlways::TearDown();
  }
  // What a reset goes back to, so that it does not wait for ever.
  virtual std::string lock_timeout() const { return "50ms"; }

  void ExpectNotReset(const absl::Status& status) {
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
    EXPECT_EQ(DetailOf(status).reason, "SESSION_NOT_RESET");
    EXPECT_EQ(DetailOf(status).retry, Retry::kYes);
    EXPECT_EQ(DetailOf(status).outcome, Outcome::kNothingDone);
    EXPECT_TRUE(victim_->broken());
    EXPECT_TRUE(victim_->given_up());
    EXPECT_EQ(MustGetInt(connection(), Sql("SELECT count(*) FROM %t")), 0);
  }

  std::unique_ptr<Connection> victim_;
};

TEST_F(PostgresResetThatFails, KeepsAStatementFromRunning) {
  ExpectNotReset(TryRun(*victim_, Sql("INSERT INTO %t VALUES (1)")));
}

TEST_F(PostgresResetThatFails, KeepsAStatementWithRowsFromRunning) {
  ExpectNotReset(TryRun(*victim_, Sql("INSERT INTO %t VALUES (1) RETURNING id")));
}

TEST_F(PostgresResetThatFails, KeepsABatchFromRunning) {
  CollectingBatchSink sink;
  const std::vector<GuardedStatement> batch = {{{.sql = Sql("INSERT INTO %t VALUES (1)")}, 1}};
  ExpectNotReset(victim_->ExecuteBatch(batch, {}, {}, Soon(), sink));
}

TEST_F(PostgresResetThatFails, KeepsATransactionFromBeginning) {
  ExpectNotReset(victim_->Begin({}, {}, Soon()));
}

class PostgresResetThatHangs : public PostgresResetThatFails {
  std::string lock_timeout() const override { return "20s"; }
};

TEST_F(PostgresResetThatHangs, EndsAtTheDeadline) {
  const absl::Status status =
      TryRun(*victim_, Sql("INSERT INTO %t VALUES (1)"), Within(std::chrono::milliseconds(100)));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_EQ(DetailOf(status).outcome, Outcome::kNothingDone);
  EXPECT_TRUE(victim_->broken());
  EXPECT_EQ(MustGetInt(connection(), Sql("SELECT count(*) FROM %t")), 0);
}

}  // namespace
}  // namespace emsdb
