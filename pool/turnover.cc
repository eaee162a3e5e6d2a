#include "pool/turnover.h"

#include <algorithm>

namespace emsdb {
namespace {

constexpr Duration kShortestLook = std::chrono::milliseconds(2);
// An age of nothing would promise service without end.
constexpr Duration kShortestHold = std::chrono::microseconds(20);

}  // namespace

void Turnover::Learn(Average& average, Duration sample) {
  average.average = average.known ? average.average + (sample - average.average) / 8 : sample;
  average.known = true;
}

double Turnover::ServedBy(Duration age) const {
  const Duration hold = std::max({holding_.average, age, kShortestHold});
  return static_cast<double>(opening_.average.count()) / static_cast<double>(hold.count());
}

Duration Turnover::Wait(int ahead, int connections) const {
  return holding_.average * (ahead / std::max(1, connections));
}

Instant Turnover::LookAgain(Instant now) const {
  return After(now, std::max(kShortestLook, opening_.average / 4));
}

}  // namespace emsdb
