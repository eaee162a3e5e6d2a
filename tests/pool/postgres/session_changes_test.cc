#include "pool/postgres/session_changes.h"

#include <gtest/gtest.h>

namespace emsdb {
namespace {

using enum SessionChange;

struct Leaves {
  const char* sql;
  SessionChanges changes;
};

// T40, T42, T43, T44
TEST(SessionChanges, AreSeenByKindOfStatementAndByNamesInIt) {
  const auto everything = SessionChanges::AllThatCanBeReset();
  for (const auto& [sql, changes] : {
           Leaves{"SET search_path = x", kSettings},
           {"SET search_path = pg_temp", kSettings | kTemporary},
           {"set local search_path to 'pg_temp'", kTemporary},
           {"SET SESSION TimeZone = 'UTC'", kSettings},
           {"SET TIME ZONE 'UTC'", kSettings},
           {"; set role a", kRole},
           {"set session role a", kRole},
           {"set session authorization b", kRole},
           {"set \"role\" to b", kSettings | kRole},
           {"set seed to 0.5", kBeyondReset},
           {"select setseed(0.5)", kBeyondReset},
           {"reset all", kSettings},
           {"reset role", kSettings | kRole},
           {"discard all", everything},
           {"prepare p as select 1", kPrepared},
           {"prepare p as select pg_advisory_lock(1)", kPrepared | kLocks},
           {"DEALLOCATE ALL; ", kPrepared},
           {"listen a", kListening},
           {"unlisten *", kListening},
           {"load 'x'", kBeyondReset},
           {"do $$ begin end $$", everything},
           {"do $$ begin load 'x'; end $$", everything | kBeyondReset},
           {"declare c cursor with hold for select 1", kCursors},
           {"create temp table t (a int)", kTemporary},
           {"CREATE OR REPLACE LOCAL TEMPORARY VIEW v AS SELECT 1", kTemporary},
           {"create table pg_temp.t (a int)", kTemporary},
           {"create table \"pg_temp_3\".t (a int)", kTemporary},
           {"select 1 into temp t", kTemporary},
           {"with x as (select 1) select * into temporary table t from x", kTemporary},
           {"explain analyze create temp table t as select 1", kTemporary},
           {"select pg_advisory_lock(1)", kLocks},
           {"select PG_TRY_ADVISORY_LOCK_SHARED(1)", kLocks},
           {"select pg_catalog.Set_Config($1, $2, $3)", kSettings | kRole | kTemporary},
           {"select \"set_config\"($1, $2, $3)", kSettings | kRole | kTemporary},
           {"select dblink_connect_u('x')", kBeyondReset},
           {"select pg_create_physical_replication_slot('a', true, true)", kBeyondReset},
           {"select pg_backup_start('a')", kBeyondReset},
       }) {
    EXPECT_TRUE(SessionChangesOf(sql) == changes) << sql;
  }
}

TEST(SessionChanges, AreNotSeenInOrdinaryStatements) {
  for (const char* sql :
       {"select temp from vitals", "insert into temp values (1)", "create table t (temp numeric)",
        "set local search_path = x", "set constraints all deferred",
        "select pg_advisory_xact_lock(1)", "select pg_try_advisory_xact_lock(1)",
        "declare c cursor without hold for select 1", "update t set a = 1", "notify a",
        "create index i on t (a)", "select set from t_config", "_", "", "(", "fetch c",
        "alter role r set search_path = x"}) {
    EXPECT_TRUE(SessionChangesOf(sql).empty()) << sql;
  }
}

}  // namespace
}  // namespace emsdb
