// How far a load has come: a bar on a terminal, nothing elsewhere.
#ifndef EMSDB_CLIENT_CLI_PROGRESS_H_
#define EMSDB_CLIENT_CLI_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <string>

namespace emsdb::client::cli {

struct LoadState {
  std::int64_t bytes = 0;  // of the file, read
  std::int64_t total = 0;  // 0: nobody knows, as of a pipe
  std::int64_t rows = 0;
  double seconds = 0;
};

// " 45% [#########-----------]  12.0 of 26.7 MiB  152000 rows/s", at most `width` columns.
std::string ProgressLine(const LoadState& state, int width);

// "1000000 rows in 6.1 s (163934 rows/s)".
std::string LoadSummary(const LoadState& state);

// Draws on standard error while it is a terminal, a few times a second. One thread.
class Progress {
 public:
  explicit Progress(std::int64_t total);
  ~Progress() { Clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Update(std::int64_t bytes, std::int64_t rows);

  // Takes the bar away, for what is to be said below it.
  void Clear();

  LoadState state() const;

 private:
  using SteadyClock = std::chrono::steady_clock;

  const bool on_terminal_;
  const SteadyClock::time_point began_ = SteadyClock::now();
  SteadyClock::time_point drawn_{};
  bool shown_ = false;
  LoadState state_;
};

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_PROGRESS_H_
