// What every driver promises by pool/connection.h, as one suite that all of them run. A driver's
// own test file describes its database as a ContractDatabase and instantiates the suite with it:
//
//   INSTANTIATE_TEST_SUITE_P(Sqlite, ConnectorContract,
//                            testing::Values(ContractFactory{"Sqlite", &MakeSqliteDatabase}),
//                            testing::PrintToStringParamName());
//
// connector_contract.cc and copy_contract.cc are compiled into each of these programs.
#ifndef EMSDB_TESTS_CONTRACT_CONNECTOR_CONTRACT_H_
#define EMSDB_TESTS_CONTRACT_CONNECTOR_CONTRACT_H_

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "pool/connection.h"
#include "tests/support/collecting_sink.h"

namespace emsdb {

// What the engine cannot do, and how it says what engines say differently.
struct ContractDialect {
  // Column types for each kind of value.
  std::string bool_type = "boolean";
  std::string int_type = "bigint";
  std::string double_type = "double precision";
  std::string text_type = "text";
  std::string bytes_type = "bytea";
  // One statement that runs for more than a minute unless it is stopped.
  std::string endless_sql = "SELECT pg_sleep(100)";

  bool has_booleans = true;                // else true and false come back as 1 and 0
  bool has_nan = true;                     // else NaN is refused as a parameter
  bool has_parameter_types = true;         // else the field is refused
  std::string unique_violation = "23505";  // the detail's sqlstate; "" if it has none
  std::string not_null_violation = "23502";
  std::string foreign_key_violation = "23503";
  std::string check_violation = "23514";
  bool names_constraint = true;  // the detail's `constraint` of a unique violation
};

// One database for one test. Connections may outlive nothing of it.
class ContractDatabase {
 public:
  virtual ~ContractDatabase() = default;
  virtual const ContractDialect& dialect() const = 0;
  // A connection that may write; and a further one at the same time, for which reading is enough
  // and which waits for no writer.
  virtual absl::StatusOr<std::unique_ptr<Connection>> OpenWriter() = 0;
  virtual absl::StatusOr<std::unique_ptr<Connection>> OpenReader() = 0;
};

struct ContractFactory {
  std::string name;
  std::unique_ptr<ContractDatabase> (*make)();

  friend void PrintTo(const ContractFactory& factory, std::ostream* out) { *out << factory.name; }
};

// Ten seconds from now: far beyond what a healthy database needs.
inline Bounds Within(Duration wait, const StopSignal* stop = nullptr) {
  return {.deadline = After(Clock::Real().Now(), wait), .stop = stop};
}
inline Bounds Soon() { return Within(std::chrono::seconds(10)); }

// Why a statement may be told to stop, and what it is answered with.
struct StopCase {
  StopReason reason;
  absl::StatusCode code;
};
inline constexpr StopCase kStopCases[] = {{StopReason::kCallerLeft, absl::StatusCode::kCancelled},
                                          {StopReason::kExpired, absl::StatusCode::kAborted},
                                          {StopReason::kShutdown, absl::StatusCode::kUnavailable}};

// A database, a connection that writes, and a table `t` of the test's own with the columns
// id (primary key), b, i, d, s (text) and y (bytes); dropped at the end.
class ConnectorContract : public testing::TestWithParam<ContractFactory> {
 protected:
  void SetUp() override;
  void TearDown() override;

  const ContractDialect& dialect() const { return database_->dialect(); }
  Connection& writer() { return *writer_; }
  std::unique_ptr<Connection> OpenReader();

  // Replaces "%t" in the text by the table's name.
  std::string Sql(std::string text) const;
  Statement Make(std::string text, std::vector<Value> parameters = {}) const;

  absl::StatusOr<Completion> Run(Connection& connection, const std::string& text,
                                 std::vector<Value> parameters = {});
  // As Run, with all rows.
  absl::StatusOr<std::vector<std::vector<Value>>> Rows(Connection& connection,
                                                       const std::string& text,
                                                       std::vector<Value> parameters = {});
  CopyTarget Target(std::vector<std::string> columns = {}) const {
    return {.schema = {}, .table = table_, .columns = std::move(columns)};
  }
  std::int64_t CountRows(Connection& connection);
  // Proves that nothing of an earlier statement is left on it.
  void ExpectUsable(Connection& connection);

 private:
  std::unique_ptr<ContractDatabase> database_;
  std::unique_ptr<Connection> writer_;
  std::string table_;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_CONTRACT_CONNECTOR_CONTRACT_H_
