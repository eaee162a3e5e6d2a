#include "pool/sqlite/interruption.h"

#include <poll.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>

#include "pool/errors.h"

namespace emsdb::sqlite {
namespace {

// A thousand steps take some tens of microseconds: often enough, and too rarely to be felt.
constexpr int kStepsBetweenLooks = 1000;

// Sleeps, but not through a raised signal.
void Pause(std::chrono::milliseconds time, const StopSignal* stop) {
  pollfd signal = {stop == nullptr ? -1 : stop->fd(), POLLIN, 0};
  poll(&signal, 1, static_cast<int>(time.count()));
}

}  // namespace

void Interruption::Install(sqlite3* database) {
  sqlite3_progress_handler(database, kStepsBetweenLooks, &Interruption::OnProgress, this);
  sqlite3_busy_handler(database, &Interruption::OnBusy, this);
}

void Interruption::SetBounds(const Bounds& bounds) {
  bounds_ = bounds;
  why_ = Why::kNothing;
}

bool Interruption::Due() {
  if (suspended_ > 0) return false;
  if (why_ != Why::kNothing) return true;
  const StopReason reason = bounds_.stop == nullptr ? StopReason::kNone : bounds_.stop->raised();
  if (reason != StopReason::kNone) {
    why_ = Why::kStop;
    stop_reason_ = reason;
  } else if (bounds_.deadline != kNever && clock_.Now() >= bounds_.deadline) {
    why_ = Why::kDeadline;
  }
  return why_ != Why::kNothing;
}

absl::Status Interruption::Cause(Stage stage) const {
  switch (why_) {
    case Why::kDeadline:
      return DeadlineExceeded(stage);
    case Why::kStop:
      return Stopped(stop_reason_, stage);
    case Why::kNothing:
      break;
  }
  return absl::OkStatus();
}

int Interruption::OnProgress(void* self) { return static_cast<Interruption*>(self)->Due() ? 1 : 0; }

int Interruption::OnBusy(void* self, int times_called) {
  return static_cast<Interruption*>(self)->Wait(times_called) ? 1 : 0;
}

// Another process tells nobody when it lets go of the lock, so this looks again and again, a little
// more rarely each time.
bool Interruption::Wait(int times) {
  using std::chrono::milliseconds;
  constexpr std::array<milliseconds, 6> kPauses = {milliseconds(1), milliseconds(2),
                                                   milliseconds(3), milliseconds(5),
                                                   milliseconds(8), milliseconds(10)};
  if (times == 0) waited_ = milliseconds(0);
  if (suspended_ > 0 || impatient_ || Due() || waited_ >= busy_timeout_) return false;
  const auto step = std::min(static_cast<std::size_t>(times), kPauses.size() - 1);
  Pause(kPauses[step], bounds_.stop);
  waited_ += kPauses[step];
  return true;
}

}  // namespace emsdb::sqlite
