# The RPC face without a port.
emsdb_test(server_test
  convert_test.cc
  reachability_test.cc
  result_sink_test.cc
  rpc_status_test.cc
  LIBRARIES emsdb::server emsdb_test_support)
