// How large a pool may be and how long things may take, and the check that lists everything wrong.
#ifndef EMSDB_POOL_LIMITS_H_
#define EMSDB_POOL_LIMITS_H_

#include <optional>
#include <string>
#include <vector>

#include "pool/clock.h"

namespace emsdb {

// Which idle connection is used first.
enum class IdleOrder { kMostRecentFirst, kLeastRecentFirst };

// The longest that one attempt to open a connection may take.
inline constexpr Duration kConnectTimeout = std::chrono::seconds(10);

struct PoolLimits {
  int size = 5;                                 // kept once opened
  int overflow = 10;                            // beyond size, closed when given back
  Duration timeout = std::chrono::seconds(30);  // for a connection; 0 = answer at once
  std::optional<Duration> recycle = std::chrono::seconds(1800);  // none = never
  Duration pre_ping_window = std::chrono::milliseconds(500);     // 0 = ping before every use
  IdleOrder idle_order = IdleOrder::kMostRecentFirst;
  int max_waiters = 10000;
  // Refuse at once who would wait beyond the deadline, as far as can be foreseen; never DISPATCH.
  bool refuse_hopeless = false;
  // Serve reads that have proved fit for it in groups, where the driver can.
  bool group_reads = false;
  // And batches of such.
  bool group_batches = false;
  std::optional<int> max_leased;  // none = limit() - 1, at least 1

  int limit() const { return size + overflow; }
  int leased_limit() const { return max_leased.value_or(limit() > 1 ? limit() - 1 : 1); }

  friend bool operator==(const PoolLimits&, const PoolLimits&) = default;
};

// Every rule that `limits` breaks, in words, each naming the setting; empty if it is fit for use.
std::vector<std::string> Complaints(const PoolLimits& limits);

}  // namespace emsdb

#endif  // EMSDB_POOL_LIMITS_H_
