// What can be seen of a PostgreSQL session from within, as one line of text: two sessions in the
// same state have the same. For tests of what one caller leaves to the next.
#ifndef EMSDB_TESTS_CONTRACT_SESSION_PORTRAIT_H_
#define EMSDB_TESTS_CONTRACT_SESSION_PORTRAIT_H_

#include <array>
#include <string>
#include <vector>

#include "tests/contract/postgres_fixture.h"

namespace emsdb {

inline constexpr char kPortrait[] =
    "SELECT pg_catalog.concat_ws('|', current_user, session_user, current_setting('search_path'),"
    " current_setting('TimeZone'), current_setting('DateStyle'),"
    " current_setting('default_transaction_read_only'), current_setting('lock_timeout'),"
    " current_setting('transaction_read_only'), current_setting('transaction_isolation'),"
    " coalesce(current_setting('leaked.value', true), ''),"
    " (SELECT count(*) FROM pg_catalog.pg_prepared_statements WHERE from_sql),"
    " (SELECT count(*) FROM pg_catalog.pg_cursors WHERE is_holdable),"
    " (SELECT count(*) FROM pg_catalog.pg_listening_channels()),"
    " (SELECT count(*) FROM pg_catalog.pg_class WHERE relnamespace = pg_my_temp_schema()),"
    " (SELECT count(*) FROM pg_catalog.pg_proc WHERE pronamespace = pg_my_temp_schema()),"
    " (SELECT count(*) FROM pg_catalog.pg_locks"
    "  WHERE locktype = 'advisory' AND pid = pg_backend_pid()))";

inline std::string PortraitOf(Connection& connection) { return MustGetText(connection, kPortrait); }

// One kind of state that outlives its statement.
struct Leftover {
  const char* name;
  std::vector<std::string> statements;

  friend void PrintTo(const Leftover& leftover, std::ostream* out) { *out << leftover.name; }
};

// T40, T42, T43, T44: all kinds that can be seen and undone.
inline const std::vector<Leftover>& Leftovers() {
  static const auto& all = *new std::vector<Leftover>{
      {"Setting", {"SET leaked.value = 'x'"}},
      {"SearchPath", {"SET search_path = ''"}},
      {"TimeZone", {"SET TIME ZONE 'Asia/Tokyo'"}},
      {"DateStyle", {"SET DateStyle = 'SQL, DMY'"}},
      {"ReadOnlyDefault", {"SET default_transaction_read_only = on"}},
      {"IsolationDefault", {"SET default_transaction_isolation = 'serializable'"}},
      {"LockTimeout", {"SET lock_timeout = 1"}},
      {"SetConfig", {"SELECT set_config('search_path', 'pg_catalog', false)"}},
      {"Role", {"SET ROLE pg_monitor"}},
      {"SetConfigRole", {"SELECT set_config('role', 'pg_monitor', false)"}},
      {"SessionAuthorization", {"SET SESSION AUTHORIZATION pg_monitor"}},
      {"TemporaryTable", {"CREATE TEMP TABLE leaked (a int)"}},
      {"TemporaryTableByPath",
       {"SELECT set_config('search_path', 'pg_temp', false)", "CREATE TABLE leaked (a int)"}},
      {"TemporaryFunction",
       {"CREATE FUNCTION pg_temp.leaked() RETURNS int LANGUAGE sql AS 'SELECT 1'"}},
      {"HeldCursor", {"DECLARE leaked CURSOR WITH HOLD FOR SELECT 1"}},
      {"Prepared", {"PREPARE leaked AS SELECT 1", "PREPARE \"Leaked 2\" AS SELECT 2"}},
      {"AdvisoryLock", {"SELECT pg_advisory_lock(4711)", "SELECT pg_advisory_lock_shared(1, 2)"}},
      {"Listen", {"LISTEN leaked"}},
      {"Do",
       {"DO $$ BEGIN SET leaked.value = 'x'; PERFORM pg_advisory_lock(4711); "
        "CREATE TEMP TABLE leaked (a int); EXECUTE 'PREPARE leaked AS SELECT 1'; "
        "SET ROLE pg_monitor; END $$"}},
      {"Everything",
       {"LISTEN leaked", "PREPARE leaked AS SELECT 1", "SELECT pg_advisory_lock(4711)",
        "CREATE TEMP TABLE leaked (a int)", "DECLARE leaked CURSOR WITH HOLD FOR SELECT 1",
        "SET ROLE pg_monitor", "SET default_transaction_read_only = on"}}};
  return all;
}

}  // namespace emsdb

#endif  // EMSDB_TESTS_CONTRACT_SESSION_PORTRAIT_H_
