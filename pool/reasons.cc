#include "pool/reasons.h"

namespace emsdb {

std::string_view CloseReasonName(CloseReason reason) {
  switch (reason) {
    case CloseReason::kOverflow:
      return "overflow";
    case CloseReason::kRecycled:
      return "recycled";
    case CloseReason::kInvalidated:
      return "invalidated";
    case CloseReason::kStale:
      return "stale";
    case CloseReason::kBroken:
      return "broken";
    case CloseReason::kDirty:
      return "dirty";
    case CloseReason::kOutgrown:
      return "outgrown";
    case CloseReason::kResized:
      return "resized";
    case CloseReason::kShutdown:
      return "shutdown";
  }
  return "";
}

std::string_view RefusalReasonName(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::kTimedOut:
      return "timed_out";
    case RefusalReason::kDeadline:
      return "deadline";
    case RefusalReason::kLineFull:
      return "line_full";
    case RefusalReason::kLeaseLimit:
      return "lease_limit";
    case RefusalReason::kConnectFailed:
      return "connect_failed";
    case RefusalReason::kDown:
      return "down";
    case RefusalReason::kPaused:
      return "paused";
    case RefusalReason::kHopeless:
      return "hopeless";
    case RefusalReason::kShutdown:
      return "shutdown";
  }
  return "";
}

std::string_view ResetResultName(ResetResult result) {
  return result == ResetResult::kDone ? "done" : "failed";
}

std::string_view PoolModeName(PoolMode mode) {
  switch (mode) {
    case PoolMode::kRunning:
      return "running";
    case PoolMode::kPaused:
      return "paused";
    case PoolMode::kDown:
      return "down";
    case PoolMode::kDraining:
      return "draining";
  }
  return "";
}

}  // namespace emsdb
