// A database of one test's own in the tests' PostgreSQL, and a superuser's connection beside the
// gateway, for what a test must do behind the gateway's back.
#ifndef EMSDB_TESTS_END_TO_END_POSTGRES_FIXTURE_H_
#define EMSDB_TESTS_END_TO_END_POSTGRES_FIXTURE_H_

#include <libpq-fe.h>

#include <stdexcept>
#include <string>

#include "tests/support/postgres_url.h"

namespace emsdb {

// Runs one statement; its first cell, or "".
inline std::string Ask(const std::string& url, const std::string& sql) {
  PGconn* connection = PQconnectdb(url.c_str());
  PGresult* result = PQexec(connection, sql.c_str());
  const ExecStatusType status = PQresultStatus(result);
  std::string answer = PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "";
  const std::string error = PQerrorMessage(connection);
  PQclear(result);
  PQfinish(connection);
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) throw std::runtime_error(error);
  return answer;
}

class OwnDatabase {
 public:
  OwnDatabase() : name_("emsdb_" + Ask(TestPostgresUrl(), "select md5(random()::text)")) {
    Ask(TestPostgresUrl(), "create database " + name_);
  }
  ~OwnDatabase() { Ask(TestPostgresUrl(), "drop database " + name_ + " with (force)"); }
  OwnDatabase(const OwnDatabase&) = delete;
  OwnDatabase& operator=(const OwnDatabase&) = delete;

  const std::string& name() const { return name_; }
  std::string url() const {
    const std::string& server = TestPostgresUrl();
    return server.substr(0, server.rfind('/') + 1) + name_;
  }
  std::string Run(const std::string& sql) const { return Ask(url(), sql); }

  // Ends every connection to it but this one, as an operator or a fail-over would.
  void KillBackends() const {
    Ask(TestPostgresUrl(),
        "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity where datname = '" +
            name_ + "'");
  }

 private:
  const std::string name_;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_END_TO_END_POSTGRES_FIXTURE_H_
