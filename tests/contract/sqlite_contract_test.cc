// SQLite's driver keeps the contract that all drivers keep.
#include "pool/sqlite/connector.h"
#include "tests/contract/connector_contract.h"
#include "tests/support/temporary_directory.h"

namespace emsdb {
namespace {

class SqliteDatabase final : public ContractDatabase {
 public:
  const ContractDialect& dialect() const override { return dialect_; }
  absl::StatusOr<std::unique_ptr<Connection>> OpenWriter() override { return writer_.Open(Soon()); }
  absl::StatusOr<std::unique_ptr<Connection>> OpenReader() override { return reader_.Open(Soon()); }

 private:
  const ContractDialect dialect_ = {
      .bool_type = "BOOLEAN",
      .int_type = "INTEGER",
      // Not REAL: there SQLite keeps whole numbers as integers, and -0.0 loses its sign.
      .double_type = "BLOB",
      .text_type = "TEXT",
      .bytes_type = "BLOB",
      .endless_sql =
          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
          "SELECT count(*) FROM n",
      .has_booleans = false,
      .has_nan = false,
      .has_parameter_types = false,
      .unique_violation = "",
      .not_null_violation = "",
      .foreign_key_violation = "",
      .check_violation = "",
      .names_constraint = false,
  };
  const TemporaryDirectory directory_;
  SqliteConnector writer_{{.path = directory_.File("main.db"), .role = SqliteRole::kWriter},
                          Clock::Real()};
  SqliteConnector reader_{{.path = directory_.File("main.db"), .role = SqliteRole::kReader},
                          Clock::Real()};
};

std::unique_ptr<ContractDatabase> MakeSqliteDatabase() {
  return std::make_unique<SqliteDatabase>();
}

INSTANTIATE_TEST_SUITE_P(Sqlite, ConnectorContract,
                         testing::Values(ContractFactory{"File", &MakeSqliteDatabase}),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace emsdb
