# The pool itself: decisions alone, and with real threads on a scripted driver.
emsdb_test(pool_core_test
  call_test.cc
  line_test.cc
  pool_state_bounds_test.cc
  pool_state_random_test.cc
  pool_state_test.cc
  pool_test.cc
  upkeep_test.cc
  LIBRARIES emsdb::pool emsdb_test_support)
