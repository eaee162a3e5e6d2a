# Every driver runs the contract suite. Programs named *_pgtest need a PostgreSQL of their own,
# whose superuser's URL is in EMSDB_TEST_POSTGRES_URL (tests/support/private_postgres).
emsdb_test(postgres_pgtest
  ../support/tcp_proxy.cc
  connector_contract.cc savepoint_contract.cc
  postgres_answer_pgtest.cc
  postgres_commit_pgtest.cc
  postgres_connection_pgtest.cc
  postgres_contract_pgtest.cc
  postgres_fixture.cc
  postgres_loss_pgtest.cc
  postgres_session_pgtest.cc
  postgres_values_pgtest.cc
  LIBRARIES emsdb::pool_postgres emsdb_test_support absl::str_format)
