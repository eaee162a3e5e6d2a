// What every fuzz target is made of. A target is one function of arbitrary bytes that says, with
// Require, what must hold whatever they are: by libFuzzer it is given new bytes (tests/fuzz/run),
// by replay.cc the stored ones.
#ifndef EMSDB_TESTS_FUZZ_TARGET_H_
#define EMSDB_TESTS_FUZZ_TARGET_H_

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace emsdb::fuzz {

// Ends the program if the invariant does not hold; libFuzzer then keeps the input.
inline void Require(bool holds, std::string_view invariant) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(invariant.size()),
               invariant.data());
  std::abort();
}

}  // namespace emsdb::fuzz

#endif  // EMSDB_TESTS_FUZZ_TARGET_H_
