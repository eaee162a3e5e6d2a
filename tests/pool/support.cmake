# The test helpers, tested themselves.
emsdb_test(support_test
  support_test.cc
  LIBRARIES emsdb::pool emsdb_test_support)
