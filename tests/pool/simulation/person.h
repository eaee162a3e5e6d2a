// Somebody who asks the pool for a connection, as the witness knows him.
#ifndef EMSDB_TESTS_POOL_SIMULATION_PERSON_H_
#define EMSDB_TESTS_POOL_SIMULATION_PERSON_H_

#include <algorithm>
#include <optional>

#include "pool/pool_state.h"

namespace emsdb {

struct Person {
  enum class At {
    kInLine,
    kChosen,  // for a connection, which may not have been proved or handed over yet
    kLeft     // refused, withdrawn, or the connection has come back
  };

  int number = 0;  // in the order of arrival
  int place = 0;   // the same, of when he asked last
  Priority priority = Priority::kOperations;
  Purpose purpose = Purpose::kStatement;
  bool shares = false;  // may be served in a group
  Instant arrived{};
  Instant pool_deadline = kNever;
  Instant caller_deadline = kNever;
  At at = At::kInLine;
  bool grouped = false;  // what he was chosen for is a group of several
  bool inside = false;   // a transaction, which has its connection
  bool arriving = true;  // Submit has not returned
  bool cancelled = false;
  bool lost_connection = false;
  int arrived_in = 0;  // step
  int found_in_line = 0;
  int found_leases = 0;
  int grants = 0;
  int refusals = 0;
  int answers = 0;
  std::optional<int> overtaken;  // the step in which somebody else was chosen out of turn

  Instant deadline() const { return std::min(pool_deadline, caller_deadline); }
  // When he would have come, were he of the highest class: five seconds for each class.
  Instant stands_at() const {
    return arrived + static_cast<int>(priority) * Duration(std::chrono::seconds(5));
  }
  bool reports() const { return priority == Priority::kReporting; }
  bool leases() const { return purpose == Purpose::kLease; }
  // Whether he may have to wait for a group though a connection is free.
  bool may_be_held() const { return shares && priority != Priority::kDispatch; }
};

// Whoever is handed to the pool as a Waiter is one of these too.
class Participant {
 public:
  virtual ~Participant() = default;
  Person& person() { return *person_; }

 protected:
  explicit Participant(Person& person) : person_(&person) {}

 private:
  Person* const person_;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_POOL_SIMULATION_PERSON_H_
