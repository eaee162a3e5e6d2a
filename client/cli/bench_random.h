// A small generator of chance for load: the same seed gives the same keys, and a number costs about
// a nanosecond. Not for secrets.
#ifndef EMSDB_CLIENT_CLI_BENCH_RANDOM_H_
#define EMSDB_CLIENT_CLI_BENCH_RANDOM_H_

#include <cstdint>

namespace emsdb::client::cli {

// "splitmix64": each step adds a constant and mixes. One thread.
class BenchRandom {
 public:
  explicit BenchRandom(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() {
    std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15U;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31);
  }

  // From 0 to `end` - 1; `end` at most 2^32.
  std::uint64_t Below(std::uint64_t end) { return ((Next() >> 32) * end) >> 32; }

  // From 0 to less than 1.
  double Share() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

 private:
  std::uint64_t state_;
};

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_BENCH_RANDOM_H_
