# SQLite's driver: the suite that all drivers run, and what only SQLite does.
emsdb_test(sqlite_contract_test
  connector_contract.cc
  copy_contract.cc
  savepoint_contract.cc
  sqlite_contract_test.cc
  LIBRARIES emsdb::pool emsdb::pool_sqlite emsdb_test_support absl::str_format)

emsdb_test(sqlite_connection_test
  sqlite_connection_test.cc
  sqlite_connector_test.cc
  sqlite_group_test.cc
  sqlite_kept_statements_test.cc
  sqlite_statement_test.cc
  LIBRARIES emsdb::pool emsdb::pool_sqlite emsdb_test_support PkgConfig::SQLITE3)

emsdb_test(sqlite_result_code_test
  sqlite_result_code_test.cc
  LIBRARIES emsdb::pool emsdb::pool_sqlite emsdb_test_support PkgConfig::SQLITE3)
