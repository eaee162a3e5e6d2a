// One target as libFuzzer calls it; EMSDB_FUZZ_TARGET is the target's function.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  emsdb::fuzz::EMSDB_FUZZ_TARGET(
      std::string_view(reinterpret_cast<const char*>(data), data == nullptr ? 0 : size));
  return 0;
}
