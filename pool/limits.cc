#include "pool/limits.h"

#include "absl/strings/str_format.h"

namespace emsdb {

std::vector<std::string> Complaints(const PoolLimits& limits) {
  constexpr int kMostConnections = 10000;
  std::vector<std::string> complaints;
  const auto require = [&](bool holds, std::string complaint) {
    if (!holds) complaints.push_back(std::move(complaint));
  };
  require(limits.size >= 1,
          absl::StrFormat("DB_POOL_SIZE is %d: must be at least 1 (a pool without a bound is "
                          "refused: it would hand the load on to the database)",
                          limits.size));
  require(limits.overflow >= 0,
          absl::StrFormat("DB_MAX_OVERFLOW is %d: must be at least 0 (overflow without a bound is "
                          "refused: it would hand the load on to the database)",
                          limits.overflow));
  require(limits.size <= kMostConnections && limits.overflow <= kMostConnections,
          absl::StrFormat("DB_POOL_SIZE and DB_MAX_OVERFLOW must be at most %d each",
                          kMostConnections));
  require(limits.timeout >= Duration::zero(), "DB_POOL_TIMEOUT: must be 0 or more seconds");
  require(!limits.recycle || *limits.recycle > Duration::zero(),
          "DB_POOL_RECYCLE: must be more than 0 seconds, or -1 for never");
  require(limits.pre_ping_window >= Duration::zero(),
          "DB_POOL_PRE_PING_WINDOW: must be 0 or more seconds");
  require(limits.max_waiters >= 0, "EMSDB_MAX_WAITERS: must be at least 0");
  require(!limits.max_leased || (*limits.max_leased >= 1 && *limits.max_leased <= limits.limit()),
          "EMSDB_MAX_LEASED: must be at least 1 and at most the pool's size and overflow together");
  return complaints;
}

}  // namespace emsdb
