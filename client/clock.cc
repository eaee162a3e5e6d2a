#include "client/clock.h"

#include <thread>

namespace emsdb::client {
namespace {

class RealClock : public Clock {
 public:
  Instant Now() const override { return std::chrono::steady_clock::now(); }

  void WaitUntil(Instant until, CancelSource* cancel) override {
    if (cancel == nullptr) {
      std::this_thread::sleep_until(until);
    } else {
      cancel->WaitUntil(until);
    }
  }
};

}  // namespace

Clock& Clock::Real() {
  static auto& clock = *new RealClock;  // never destroyed: threads may outlive main
  return clock;
}

}  // namespace emsdb::client
