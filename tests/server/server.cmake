# The RPC face without a port.
emsdb_test(server_test
  arena_messages_test.cc
  batch_course_test.cc
  bound_values_test.cc
  call_series_test.cc
  commit_token_test.cc
  caller_test.cc
  convert_test.cc
  operators_test.cc
  reachability_test.cc
  result_memory_test.cc
  result_sink_test.cc
  rpc_status_test.cc
  LIBRARIES emsdb::server emsdb_test_support)
