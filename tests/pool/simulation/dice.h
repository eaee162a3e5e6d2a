// The only source of chance in a simulation: everything that happens follows from its seed.
#ifndef EMSDB_TESTS_POOL_SIMULATION_DICE_H_
#define EMSDB_TESTS_POOL_SIMULATION_DICE_H_

#include <cstdint>

#include "pool/clock.h"

namespace emsdb {

// SplitMix64: small, and the same numbers with every standard library.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() {
    std::uint64_t bits = (state_ += 0x9E3779B97F4A7C15ULL);
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9ULL;
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBULL;
    return bits ^ (bits >> 31);
  }

  int Below(int bound) { return static_cast<int>(Next() % static_cast<std::uint64_t>(bound)); }
  bool OneIn(int times) { return Below(times) == 0; }

  // From zero to `longest`, in microseconds; both ends do come up.
  Duration UpTo(Duration longest) {
    const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(longest);
    switch (Below(16)) {
      case 0:
        return Duration::zero();
      case 1:
        return longest;
      default:
        return std::chrono::microseconds(Next() %
                                         static_cast<std::uint64_t>(microseconds.count() + 1));
    }
  }

 private:
  std::uint64_t state_;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_POOL_SIMULATION_DICE_H_
