# Every driver runs the contract suite. Programs named *_pgtest need a PostgreSQL of their own,
# whose superuser's URL is in EMSDB_TEST_POSTGRES_URL (tests/support/private_postgres).
emsdb_test(postgres_pgtest
  ../support/tcp_proxy.cc
  connector_contract.cc
  copy_contract.cc
  savepoint_contract.cc
  postgres_answer_pgtest.cc
  postgres_commit_pgtest.cc
  postgres_connection_pgtest.cc
  postgres_contract_pgtest.cc
  postgres_copy_pgtest.cc
  postgres_fixture.cc
  postgres_group_batches_pgtest.cc
  postgres_group_pgtest.cc
  postgres_loss_pgtest.cc
  postgres_prepared_pgtest.cc
  postgres_read_batch_pgtest.cc
  postgres_reset_always_pgtest.cc
  postgres_reset_pgtest.cc
  postgres_reset_pool_pgtest.cc
  postgres_session_pgtest.cc
  postgres_trips_pgtest.cc
  postgres_unwrapped_pgtest.cc
  postgres_values_pgtest.cc
  LIBRARIES emsdb::pool_postgres emsdb_test_support absl::str_format)

# Each prints a figure and can hardly fail: not among the tests.
foreach(cost postgres_prepared_cost postgres_reset_cost)
  add_executable(${cost} EXCLUDE_FROM_ALL ${cost}.cc postgres_fixture.cc)
  target_link_libraries(${cost} PRIVATE
    emsdb::pool_postgres emsdb_test_support emsdb_options absl::str_format GTest::gmock_main)
  set_target_properties(${cost} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endforeach()
