#include "client/cli/bench_crew.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <thread>

namespace emsdb::client::cli {
namespace {

constexpr Duration kLookEvery = std::chrono::milliseconds(250);

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// Counts the threads that still work.
class Attendance {
 public:
  explicit Attendance(std::size_t present) : present_(present) {}

  void Leave() {
    const std::lock_guard lock(mutex_);
    --present_;
    left_.notify_all();
  }

  // True: all have left. False: it is `until`.
  bool WaitForAll(Instant until) {
    std::unique_lock lock(mutex_);
    return left_.wait_until(lock, until, [this] { return present_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable left_;
  std::size_t present_;
};

}  // namespace

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
}

double RunCrew(const std::vector<std::function<void()>>& work, Instant from,
               const std::function<void()>& look) {
  Attendance attendance(work.size());
  std::vector<std::thread> threads;
  threads.reserve(work.size());
  for (const auto& one : work) {
    threads.emplace_back([&attendance, &one] {
      one();
      attendance.Leave();
    });
  }
  double at_first = CpuSeconds();
  if (!attendance.WaitForAll(from)) at_first = CpuSeconds();
  while (!attendance.WaitForAll(std::chrono::steady_clock::now() + kLookEvery)) look();
  for (std::thread& thread : threads) thread.join();
  return CpuSeconds() - at_first;
}

}  // namespace emsdb::client::cli
