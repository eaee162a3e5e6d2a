#include "server/result_memory.h"

#include <algorithm>
#include <utility>

#include "pool/errors.h"

namespace emsdb {

bool ResultMemory::Take(std::size_t bytes) {
  const std::size_t before = used_.fetch_add(bytes);
  if (before <= most_ && bytes <= most_ - before) return true;
  used_.fetch_sub(bytes);
  refused_.fetch_add(1);
  return false;
}

absl::Status ResultShare::Take(std::size_t bytes) {
  used_ += bytes;
  if (used_ <= taken_) return absl::OkStatus();
  const std::size_t piece = std::max(used_ - taken_, kPiece);
  if (!memory_.Take(piece)) {
    return ResultMemoryUsedUp(static_cast<std::int64_t>(memory_.most() >> 20));
  }
  taken_ += piece;
  return absl::OkStatus();
}

void ResultShare::GiveBack() {
  used_ = 0;
  memory_.GiveBack(std::exchange(taken_, 0));
}

}  // namespace emsdb
