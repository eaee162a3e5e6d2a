// The parts of a PostgreSQL connection URI that may be shown: hosts, ports, database. User and
// password are stepped over and kept nowhere.
#ifndef EMSDB_SERVER_POSTGRES_URI_H_
#define EMSDB_SERVER_POSTGRES_URI_H_

#include <string>
#include <variant>
#include <vector>

namespace emsdb {

struct UrlComplaint;

struct PostgresHost {
  std::string name;  // empty: libpq's default, the local socket
  std::string port;  // empty: libpq's default, 5432
};

struct PostgresUri {
  std::vector<PostgresHost> hosts;  // at least one
  std::string database;             // empty: libpq's default, the user's name
};

// `rest` is what follows "postgresql://". Where libpq would take a part of an unescaped password
// for a host, a port or a database, this refuses, so that such a part is never shown.
std::variant<PostgresUri, UrlComplaint> ParsePostgresUri(const std::string& rest);

// "host:port", "[::1]:5432", "/var/run/postgresql:5432", "local socket:5432".
std::string ShownServer(const PostgresHost& host);

}  // namespace emsdb

#endif  // EMSDB_SERVER_POSTGRES_URI_H_
