// One logical database as the settings describe it: where it is, and the limits of its pool.
#ifndef EMSDB_POOL_DATABASE_SETTINGS_H_
#define EMSDB_POOL_DATABASE_SETTINGS_H_

#include <string>

#include "pool/connection.h"
#include "pool/limits.h"

namespace emsdb {

enum class Engine { kPostgresql, kSqlite };

struct DatabaseSettings {
  std::string name;  // "main", "telehealth", ...
  Engine engine = Engine::kSqlite;
  std::string connection;  // PostgreSQL: a postgresql:// URI for libpq, with its password: never
                           // shown. SQLite: an absolute path, or ":memory:"
  std::string location;    // fit to be shown: "host:port/dbname", the path, or ":memory:"
  std::string tier;        // the tier the limits came from; empty without one
  PoolLimits limits;       // not applied to SQLite
  SessionReset session_reset = SessionReset::kWhenChanged;  // not applied to SQLite
  int statement_cache = 100;  // most statements kept prepared in a session; not applied to SQLite
};

}  // namespace emsdb

#endif  // EMSDB_POOL_DATABASE_SETTINGS_H_
