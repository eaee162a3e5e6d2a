// What can be wrong on purpose: a simulation that finds nothing proves nothing until it is seen to
// find these.
#ifndef EMSDB_TESTS_POOL_SIMULATION_DEFECT_H_
#define EMSDB_TESTS_POOL_SIMULATION_DEFECT_H_

namespace emsdb {

enum class Defect {
  kNone,
  kForgetsAFailedOpening,  // a failed opening is not reported: its slot is lost
  kForgetsAClose,          // of a stale connection
  kJumpsTheLine,           // now and then a statement is sent as one of the highest class
  kNoUpkeep,               // nobody asks whose time is over
  kKeepsTheConnection,     // a caller never gives it back
  kLeaksAConnection        // the driver does not close one
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_POOL_SIMULATION_DEFECT_H_
