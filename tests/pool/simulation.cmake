# The pool on virtual time, in one thread: nothing for ThreadSanitizer, which knows no fibers.
if(NOT EMSDB_SANITIZE MATCHES "thread")
  emsdb_test(pool_simulation_test
    simulation/database.cc
    simulation/fiber.cc
    simulation/pool_simulation_test.cc
    simulation/scheduler.cc
    simulation/simulation.cc
    simulation/witness.cc
    simulation/worker.cc
    LIBRARIES emsdb::pool emsdb_test_support)
  # Thousands of runs: worth some optimisation where all else is built for debugging.
  target_compile_options(pool_simulation_test PRIVATE -O1)
endif()
