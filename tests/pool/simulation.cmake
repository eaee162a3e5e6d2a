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
endif()
