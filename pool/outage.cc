#include "pool/outage.h"

#include <algorithm>

namespace emsdb {
namespace {

constexpr Duration kFirstPause = std::chrono::milliseconds(50);
constexpr int kDoublings = 4;
constexpr int kProof = 2;  // so many failures

}  // namespace

void Outage::Opened() {
  failures_ = 0;
  since_.reset();
}

void Outage::Failed(Instant now, OpenFailure failure, int others) {
  if (++failures_ < kProof) return;
  const bool busy = failure == OpenFailure::kServerFull && others > 0;
  if (!busy && !since_) since_ = now;
  const Duration full =
      std::min(kFirstPause * (1 << std::min(failures_ - kProof, kDoublings)), kLongestPause);
  // Three quarters of it and up: many gateways shall not knock at the same moment.
  jitter_ = jitter_ * 6364136223846793005ULL + 1442695040888963407ULL;
  const auto share = static_cast<std::int64_t>(jitter_ >> 54);  // of 1024
  next_attempt_ = After(now, full - full * share / 4096);
}

void Outage::Silent(Instant now) {
  failures_ = std::max(failures_, kProof);
  if (!since_) since_ = now;
  next_attempt_ = now;
}

}  // namespace emsdb
