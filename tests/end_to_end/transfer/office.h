// Callers who move money between accounts, all at once, and repeat what the protocol allows them to
// repeat; beside them one who looks at the sum all the time.
#ifndef EMSDB_TESTS_END_TO_END_TRANSFER_OFFICE_H_
#define EMSDB_TESTS_END_TO_END_TRANSFER_OFFICE_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "pool/mutex.h"
#include "tests/end_to_end/transfer/book.h"
#include "tests/end_to_end/transfer/order.h"
#include "tests/end_to_end/transfer/ways.h"

namespace emsdb::transfer {

struct OfficeSetting {
  Engine engine = Engine::kPostgres;
  std::string address;
  std::string second_address;  // another gateway to the same database, asked for outcomes only
  int callers = 16;
  std::uint64_t seed = 1;
};

// EMSDB_SEED, else one of the clock's.
std::uint64_t SeedOfThisRun();
// EMSDB_TEST_SECONDS, else `usual`.
std::chrono::seconds LengthOfThisRun(std::chrono::seconds usual);

class Office {
 public:
  explicit Office(OfficeSetting setting);

  // Makes the tables.
  void SetUp() const;

  // Returns when all callers have the last of their answers.
  void Work(std::chrono::steady_clock::duration length);

  const Book& book() const { return book_; }
  int sums_seen() const { return sums_seen_; }
  // The longest that an attempt took.
  std::chrono::milliseconds longest() const { return std::chrono::milliseconds(longest_ms_); }

 private:
  void Serve(int caller);
  void Finish(Order order, Ways& ways, Ways& elsewhere);
  // What must hold of each answer by itself.
  void Judge(const Entry& entry) const;
  void WatchTheSum();
  bool closed() const;

  const OfficeSetting setting_;
  std::chrono::steady_clock::time_point closes_{};
  Book book_;
  std::atomic<int> next_{1};
  std::atomic<int> sums_seen_{0};
  std::atomic<std::int64_t> longest_ms_{0};
  std::atomic<int> serving_{0};
};

}  // namespace emsdb::transfer

#endif  // EMSDB_TESTS_END_TO_END_TRANSFER_OFFICE_H_
