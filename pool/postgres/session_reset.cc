#include "pool/postgres/session_reset.h"

#include <array>

#include "pool/postgres/session.h"

namespace emsdb {
namespace {

using enum SessionChange;

// RESET ALL returns to what the connection's own parameters say, which set everything that the
// driver relies upon (see conninfo.cc). It comes first, so that no time-out that somebody left
// meets the others; and it leaves the role alone.
struct Undoing {
  SessionChange change;
  const char* sql;
};
constexpr auto kUndoings =
    std::to_array<Undoing>({{kSettings, "RESET ALL"},
                            {kRole, "RESET SESSION AUTHORIZATION"},
                            {kRole, "RESET ROLE"},
                            {kCursors, "CLOSE ALL"},
                            {kListening, "UNLISTEN *"},
                            {kTemporary, "DISCARD TEMP"},
                            {kLocks, "SELECT pg_catalog.pg_advisory_unlock_all()"}});

// What callers prepared, and the driver's own too: its names may have been dropped, or taken. Its
// two settings commands are made anew, its callers' statements when they come again.
constexpr char kDeallocateForeign[] =
    "DO $$ DECLARE n pg_catalog.text; BEGIN FOR n IN "
    "SELECT name FROM pg_catalog.pg_prepared_statements "
    "WHERE from_sql OR pg_catalog.left(name, 6) = 'emsdb_' "
    "LOOP EXECUTE pg_catalog.format('DEALLOCATE %I', n); END LOOP; END $$";

bool Queue(PGconn* handle, const char* sql, int& queued) {
  if (PQsendQueryParams(handle, sql, 0, nullptr, nullptr, nullptr, nullptr, 0) != 1) return false;
  ++queued;
  return true;
}

bool QueuePreparedAnew(PGconn* handle, int& queued) {
  if (!Queue(handle, kDeallocateForeign, queued) || !QueuePreparedSettings(handle)) return false;
  queued += kPreparedSettings;
  return true;
}

}  // namespace

bool QueueReset(PGconn* handle, SessionChanges changes, int& queued) {
  for (const auto& [change, sql] : kUndoings) {
    if (changes.Has(change) && !Queue(handle, sql, queued)) return false;
  }
  return !changes.Has(kPrepared) || QueuePreparedAnew(handle, queued);
}

// currval() and lastval() have no kind of their own, since a number is no secret; but here nothing
// shall be left.
bool QueueFullReset(PGconn* handle, const std::string& mark, int& queued) {
  constexpr char kMark[] = "SELECT pg_catalog.set_config('emsdb.reset', $1, false)";
  for (const auto& [change, sql] : kUndoings) {
    if (!Queue(handle, sql, queued)) return false;
  }
  if (!Queue(handle, "DISCARD SEQUENCES", queued) || !Queue(handle, "DEALLOCATE ALL", queued)) {
    return false;
  }
  const std::array<const char*, 1> values = {mark.c_str()};
  if (PQsendQueryParams(handle, kMark, 1, nullptr, values.data(), nullptr, nullptr, 0) != 1) {
    return false;
  }
  ++queued;
  return true;
}

}  // namespace emsdb
