// The memory of all results that unary calls are building or sending. Each result is within the
// limits of one message; ten thousand of them at once would still be the end of the process.
#ifndef EMSDB_SERVER_RESULT_MEMORY_H_
#define EMSDB_SERVER_RESULT_MEMORY_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"

namespace emsdb {

// Safe for any number of threads.
class ResultMemory {
 public:
  explicit ResultMemory(std::size_t most) : most_(most) {}

  std::size_t most() const { return most_; }
  std::size_t used() const { return used_.load(); }
  std::uint64_t refused() const { return refused_.load(); }

 private:
  friend class ResultShare;

  bool Take(std::size_t bytes);
  void GiveBack(std::size_t bytes) { used_.fetch_sub(bytes); }

  const std::size_t most_;
  std::atomic<std::size_t> used_{0};
  std::atomic<std::uint64_t> refused_{0};
};

// One call's part of it, given back with its end: the call's owner keeps it until gRPC has sent the
// result. Used by one thread at a time.
class ResultShare {
 public:
  explicit ResultShare(ResultMemory& memory) : memory_(memory) {}
  ~ResultShare() { GiveBack(); }
  ResultShare(const ResultShare&) = delete;
  ResultShare& operator=(const ResultShare&) = delete;

  // RESOURCE_EXHAUSTED, reason RESULT_MEMORY, where there is no more.
  absl::Status Take(std::size_t bytes);

  bool is_large() const { return taken_ > kPiece; }

  // Everything: the result is dropped, and another may be built.
  void GiveBack();

 private:
  // Taken from the whole in pieces: a row would else cost every thread an atomic of all.
  static constexpr std::size_t kPiece = std::size_t{16} << 10;

  ResultMemory& memory_;
  std::size_t taken_ = 0;
  std::size_t used_ = 0;
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_RESULT_MEMORY_H_
