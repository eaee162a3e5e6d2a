# The pool itself: decisions alone, and with real threads on a scripted driver.
emsdb_test(pool_core_test
  call_test.cc
  copy_target_test.cc
  kept_answers_test.cc
  later_test.cc
  line_test.cc
  one_thread_test.cc
  order_test.cc
  outage_test.cc
  pool_state_bounds_test.cc
  pool_state_groups_test.cc
  pool_state_opening_test.cc
  pool_state_operate_test.cc
  pool_state_outage_test.cc
  pool_state_random_test.cc
  pool_state_test.cc
  pool_manager_test.cc
  pool_stress_test.cc
  proven_reads_test.cc
  pool_test.cc
  session_reset_test.cc
  spike_test.cc
  transaction_sequence_test.cc
  transactions_test.cc
  upkeep_test.cc
  utf8_test.cc
  LIBRARIES emsdb::pool emsdb_test_support)

if(EMSDB_SANITIZE MATCHES "thread")
  # Passes only if ThreadSanitizer finds the race and says so: silence fails.
  add_executable(planted_race planted_race.cc)
  target_link_libraries(planted_race PRIVATE emsdb_options Threads::Threads)
  set_target_properties(planted_race PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ThreadSanitizer.ReportsAPlantedRace COMMAND planted_race)
  set_tests_properties(ThreadSanitizer.ReportsAPlantedRace PROPERTIES
    PASS_REGULAR_EXPRESSION "WARNING: ThreadSanitizer: data race"
    ${EMSDB_TEST_PROPERTIES})
endif()
