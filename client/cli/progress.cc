#include "client/cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_format.h"

namespace emsdb::client::cli {
namespace {

constexpr std::chrono::milliseconds kBetweenDrawings(100);

double RowsPerSecond(const LoadState& state) {
  return static_cast<double>(state.rows) / std::max(state.seconds, 0.001);
}

double MebiBytes(std::int64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

int TerminalWidth() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

std::string ProgressLine(const LoadState& state, int width) {
  constexpr int kBar = 30;
  const std::string speed = absl::StrFormat("%.0f rows/s", RowsPerSecond(state));
  std::string line;
  if (state.total > 0) {
    const double share =
        std::min(1.0, static_cast<double>(state.bytes) / static_cast<double>(state.total));
    const int full = static_cast<int>(share * kBar);
    line = absl::StrFormat("%3.0f%% [%s%s]  %.1f of %.1f MiB  %s", share * 100,
                           std::string(static_cast<std::size_t>(full), '#'),
                           std::string(static_cast<std::size_t>(kBar - full), '-'),
                           MebiBytes(state.bytes), MebiBytes(state.total), speed);
  } else {
    line = absl::StrFormat("%.1f MiB  %d rows  %s", MebiBytes(state.bytes), state.rows, speed);
  }
  return line.substr(0, static_cast<std::size_t>(std::max(width, 0)));
}

std::string LoadSummary(const LoadState& state) {
  return absl::StrFormat("%d rows in %.1f s (%.0f rows/s)", state.rows, state.seconds,
                         RowsPerSecond(state));
}

Progress::Progress(std::int64_t total) : on_terminal_(isatty(STDERR_FILENO) != 0) {
  state_.total = total;
}

LoadState Progress::state() const {
  LoadState now = state_;
  now.seconds = std::chrono::duration<double>(SteadyClock::now() - began_).count();
  return now;
}

void Progress::Update(std::int64_t bytes, std::int64_t rows) {
  state_.bytes = bytes;
  state_.rows = rows;
  if (!on_terminal_) return;
  const auto now = SteadyClock::now();
  if (now - drawn_ < kBetweenDrawings) return;
  drawn_ = now;
  shown_ = true;
  // One column is left free, where some terminals would begin a new line.
  std::fprintf(stderr, "\r%s\x1b[K", ProgressLine(state(), TerminalWidth() - 1).c_str());
}

void Progress::Clear() {
  if (shown_) std::fprintf(stderr, "\r\x1b[K");
  shown_ = false;
}

}  // namespace emsdb::client::cli
