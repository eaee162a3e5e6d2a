// When a measurement's calls begin, and which of them count: decisions on times that are given, so
// that they can be tested without waiting.
#ifndef EMSDB_CLIENT_CLI_BENCH_SCHEDULE_H_
#define EMSDB_CLIENT_CLI_BENCH_SCHEDULE_H_

#include <cstdint>
#include <optional>
#include <variant>

#include "client/cancel.h"

namespace emsdb::client::cli {

// A call counts if it begins in the measured time, however long it then takes. So the slowest,
// which end behind it, are not left out.
enum class Counting { kWarmUp, kMeasured };

// Begin a call now. What it takes is counted from `from`: in the open loop the moment at which it
// was due, not the later one at which the client or a full server got round to it.
struct StartCall {
  Instant from;
  Counting counting = Counting::kWarmUp;
};
struct WaitUntil {
  Instant until;
};
struct NoMoreCalls {};
using NextStep = std::variant<StartCall, WaitUntil, NoMoreCalls>;

struct Times {
  Instant start;
  Duration warm_up{0};
  Duration measured{0};
};

// A number of callers, each of which calls again as soon as it has its answer. One thread.
class ClosedSchedule {
 public:
  explicit ClosedSchedule(const Times& times) : times_(times) {}

  NextStep Next(Instant now);

 private:
  Times times_;
  // Set by the first call that begins behind the warm-up: where calls are long, that is later.
  std::optional<Instant> end_;
};

// Calls at a fixed rate, whether the server keeps up or not. One thread; where there are several,
// each has a share, which is every so-many-th call.
class OpenSchedule {
 public:
  struct Share {
    int index = 0;
    int of = 1;
  };

  // `patience`: how long behind the measured time calls are still begun that were due in it.
  OpenSchedule(const Times& times, double per_second, Duration patience, Share share);

  NextStep Next(Instant now);

  // Whether Next(now) would say that there are no more calls.
  bool IsOver(Instant now) const { return DueAt(next_) >= end_ || now >= give_up_; }

  // Measured calls that were due and never begun.
  std::uint64_t never_begun() const;

 private:
  Instant DueAt(std::uint64_t call) const;
  // How many calls are due before `moment`.
  std::uint64_t DueBefore(Instant moment) const;

  Times times_;
  double nanoseconds_each_;  // of all calls
  std::uint64_t first_;
  std::uint64_t every_;
  Instant measured_from_;
  Instant end_;
  Instant give_up_;
  std::uint64_t next_ = 0;
};

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_BENCH_SCHEDULE_H_
