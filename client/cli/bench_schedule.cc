#include "client/cli/bench_schedule.h"

#include <algorithm>
#include <cmath>

namespace emsdb::client::cli {

NextStep ClosedSchedule::Next(Instant now) {
  if (now < times_.start + times_.warm_up) return StartCall{now, Counting::kWarmUp};
  if (!end_) end_ = now + times_.measured;
  if (now >= *end_) return NoMoreCalls{};
  return StartCall{now, Counting::kMeasured};
}

OpenSchedule::OpenSchedule(const Times& times, double per_second, Duration patience, Share share)
    : times_(times),
      nanoseconds_each_(1e9 / per_second),
      first_(static_cast<std::uint64_t>(share.index)),
      every_(static_cast<std::uint64_t>(share.of)),
      measured_from_(times.start + times.warm_up),
      end_(measured_from_ + times.measured),
      give_up_(end_ + patience) {}

Instant OpenSchedule::DueAt(std::uint64_t call) const {
  const double nanoseconds = static_cast<double>(first_ + call * every_) * nanoseconds_each_;
  return times_.start + Duration(static_cast<std::int64_t>(nanoseconds));
}

std::uint64_t OpenSchedule::DueBefore(Instant moment) const {
  if (moment <= times_.start) return 0;
  const auto passed = static_cast<double>((moment - times_.start).count());
  auto calls = static_cast<std::uint64_t>(passed / nanoseconds_each_ / static_cast<double>(every_));
  while (DueAt(calls) < moment) ++calls;
  while (calls > 0 && DueAt(calls - 1) >= moment) --calls;
  return calls;
}

NextStep OpenSchedule::Next(Instant now) {
  if (IsOver(now)) return NoMoreCalls{};
  const Instant due = DueAt(next_);
  if (due > now) return WaitUntil{due};
  ++next_;
  return StartCall{due, due < measured_from_ ? Counting::kWarmUp : Counting::kMeasured};
}

std::uint64_t OpenSchedule::never_begun() const {
  const std::uint64_t first = std::max(next_, DueBefore(measured_from_));
  const std::uint64_t end = DueBefore(end_);
  return end > first ? end - first : 0;
}

}  // namespace emsdb::client::cli
