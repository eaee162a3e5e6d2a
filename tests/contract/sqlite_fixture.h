// A database file with its writer and its readers, for the tests of what only SQLite does.
#ifndef EMSDB_TESTS_CONTRACT_SQLITE_FIXTURE_H_
#define EMSDB_TESTS_CONTRACT_SQLITE_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pool/sqlite/connector.h"
#include "tests/support/collecting_sink.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace emsdb {

// Runs for ever, without giving a row.
inline constexpr char kEndless[] =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
// Gives a row for ever.
inline constexpr char kEndlessRows[] =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";

class SqliteFixture : public ::testing::Test {
 protected:
  std::unique_ptr<Connection> Open(SqliteRole role, Clock& clock = Clock::Real(),
                                   Duration busy_timeout = std::chrono::milliseconds(20)) {
    SqliteConnector connector({.path = file(), .role = role, .busy_timeout = busy_timeout}, clock);
    auto opened = connector.Open({});
    EXPECT_THAT(opened, IsOk());
    return opened.ok() ? *std::move(opened) : nullptr;
  }

  static absl::StatusOr<Completion> Run(Connection& connection, const std::string& sql,
                                        std::vector<Value> parameters = {}, Bounds bounds = {}) {
    CollectingSink sink;
    return connection.Execute({.sql = sql, .parameters = std::move(parameters)}, {}, bounds, sink);
  }

  static std::vector<Row> Rows(Connection& connection, const std::string& sql,
                               std::vector<Value> parameters = {}) {
    CollectingSink sink;
    EXPECT_THAT(connection.Execute({.sql = sql, .parameters = std::move(parameters)}, {}, {}, sink),
                IsOk());
    return sink.rows;
  }

  static Value Single(Connection& connection, const std::string& sql,
                      std::vector<Value> parameters = {}) {
    const std::vector<Row> rows = Rows(connection, sql, std::move(parameters));
    return rows.size() == 1 && rows[0].size() == 1 ? rows[0][0] : Value(std::string("not single"));
  }

  static Value Int(std::int64_t number) { return number; }
  static Value Text(std::string text) { return text; }

  std::string file() const { return directory_.File("main.db"); }

  const TemporaryDirectory directory_;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_CONTRACT_SQLITE_FIXTURE_H_
