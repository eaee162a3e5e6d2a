// Callers who leave, and callers beside them on the same few connections who must not notice.
#ifndef EMSDB_TESTS_END_TO_END_TRANSFER_STORM_H_
#define EMSDB_TESTS_END_TO_END_TRANSFER_STORM_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "emsdb/v1/query_service.grpc.pb.h"
#include "tests/end_to_end/transfer/call.h"
#include "tests/end_to_end/transfer/ways.h"

namespace emsdb::transfer {

// EMSDB_TEST_CANCELS, else `usual`.
int CancelsOfThisRun(int usual);

class Storm {
 public:
  // `cancels` calls are left by their callers, and as many others are not.
  Storm(std::string address, std::uint64_t seed, int cancels);

  // Returns when all are over.
  void Rage();

  // Of the callers who left: who left in vain, since the answer came before.
  int answered() const { return answered_; }
  int whole() const { return whole_; }  // full answers of those who stayed
  std::chrono::microseconds longest() const { return std::chrono::microseconds(longest_us_); }

 private:
  void Leave(std::uint64_t seed);
  void Stay(std::uint64_t seed);

  const std::string address_;
  const std::uint64_t seed_;
  std::atomic<int> to_leave_;
  std::atomic<int> to_stay_;
  std::atomic<int> answered_{0};
  std::atomic<int> whole_{0};
  std::atomic<std::int64_t> longest_us_{0};
};

}  // namespace emsdb::transfer

#endif  // EMSDB_TESTS_END_TO_END_TRANSFER_STORM_H_
