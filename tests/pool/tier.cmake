emsdb_test(tier_test
  settings_test.cc
  tier_test.cc
  LIBRARIES emsdb::pool)
