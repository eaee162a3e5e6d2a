#include "client/cli/pool_text.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"

namespace emsdb::client::cli {
namespace {

constexpr char kTopOfAnEmptyScreen[] = "\x1B[H\x1B[J";

double InSeconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) + duration.nanos() / 1e9;
}

// Whole seconds without a fraction, since that is how they are set.
Json Set(const google::protobuf::Duration& duration) {
  if (duration.nanos() == 0) return duration.seconds();
  return InSeconds(duration);
}

// What was measured: more than milliseconds would be noise.
Json Measured(const google::protobuf::Duration& duration) {
  return std::round(InSeconds(duration) * 1000) / 1000;
}

std::string StateName(v1::PoolState state) {
  switch (state) {
    case v1::POOL_STATE_RUNNING:
      return "running";
    case v1::POOL_STATE_PAUSED:
      return "paused";
    case v1::POOL_STATE_DOWN:
      return "down";
    case v1::POOL_STATE_DRAINING:
      return "draining";
    default:
      return "unknown";
  }
}

Json WriterJson(const v1::PoolStatus& pool) {
  if (!pool.has_writer()) return nullptr;
  return {{"leased", pool.writer().leased()}, {"waiting", pool.writer().waiting()}};
}

Json HolderJson(const v1::PoolHolder& holder) {
  return {{"caller", holder.caller()},
          {"statement", holder.statement()},
          {"held", Measured(holder.held())},
          {"transaction", holder.transaction()}};
}

Json HoldersJson(const v1::PoolStatus& pool) {
  Json list = Json::array();
  for (const v1::PoolHolder& holder : pool.holders()) list.push_back(HolderJson(holder));
  return list;
}

Json WaitJson(const v1::PoolStatus& pool) {
  return pool.has_longest_wait() ? Measured(pool.longest_wait()) : Json(0);
}

Json PoolJson(const v1::PoolStatus& pool) {
  return {{"database", pool.database()},
          {"engine", EngineName(pool.engine())},
          {"tier", pool.tier()},
          {"state", StateName(pool.state())},
          {"size", pool.size()},
          {"max_overflow", pool.max_overflow()},
          {"timeout", Set(pool.timeout())},
          {"recycle", pool.has_recycle() ? Set(pool.recycle()) : Json(-1)},
          {"idle", pool.idle()},
          {"leased", pool.leased()},
          {"opening", pool.opening()},
          {"waiting", pool.waiting()},
          {"longest_wait", WaitJson(pool)},
          {"transactions", pool.transactions()},
          {"opened_total", pool.opened_total()},
          {"timeouts_total", pool.timeouts_total()},
          {"stale_total", pool.stale_total()},
          {"writer", WriterJson(pool)},
          {"last_connect_error", pool.last_connect_error()},
          {"down_for", pool.has_down_for() ? Measured(pool.down_for()) : Json(nullptr)},
          {"next_attempt", pool.has_next_attempt() ? Measured(pool.next_attempt()) : Json(nullptr)},
          {"holders", HoldersJson(pool)}};
}

// The fields that a person watches, no more than a screen is wide.
Json Watched(const Pools& pools) {
  const bool failed = std::any_of(pools.begin(), pools.end(), [](const v1::PoolStatus& pool) {
    return !pool.last_connect_error().empty();
  });
  Json list = Json::array();
  for (const Json& pool : PoolsJson(pools)) {
    Json line;
    for (const char* key : {"database", "state", "idle", "leased", "opening", "waiting",
                            "longest_wait", "transactions", "timeouts_total", "stale_total"}) {
      line[key] = pool[key];
    }
    if (failed) line["last_connect_error"] = pool["last_connect_error"];
    list.push_back(line);
  }
  return list;
}

void WriteHolders(const Pools& pools, Output& output) {
  Json list = Json::array();
  for (const v1::PoolStatus& pool : pools) {
    for (const v1::PoolHolder& holder : pool.holders()) {
      Json line = {{"database", pool.database()}};
      line.update(HolderJson(holder));
      list.push_back(line);
    }
  }
  if (list.empty()) return;
  output.Write("\n");
  WriteListTable(list, output);
}

}  // namespace

Json PoolsJson(const Pools& pools) {
  Json list = Json::array();
  for (const v1::PoolStatus& pool : pools) list.push_back(PoolJson(pool));
  return list;
}

void WritePoolTables(const Pools& pools, Output& output) {
  Json list = PoolsJson(pools);
  for (Json& pool : list) pool.erase("holders");
  WriteListTable(list, output);
  WriteHolders(pools, output);
}

void WritePoolScreen(const Pools& pools, const std::string& time, Output& output) {
  output.Write(kTopOfAnEmptyScreen + time + "   Ctrl-C ends\n\n");
  WriteListTable(Watched(pools), output);
  WriteHolders(pools, output);
}

void WritePoolLines(const Pools& pools, const std::string& time, Output& output) {
  for (const v1::PoolStatus& pool : pools) {
    output.Write(absl::StrFormat(
        "%s %s %s idle=%d leased=%d opening=%d waiting=%d longest_wait=%.3f transactions=%d "
        "timeouts=%d stale=%d\n",
        time, pool.database(), StateName(pool.state()), pool.idle(), pool.leased(), pool.opening(),
        pool.waiting(), InSeconds(pool.longest_wait()), pool.transactions(), pool.timeouts_total(),
        pool.stale_total()));
  }
}

void WritePoolJsonLine(const Pools& pools, const std::string& time, Output& output) {
  output.Write(Json{{"time", time}, {"pools", PoolsJson(pools)}}.dump() + "\n");
}

}  // namespace emsdb::client::cli
