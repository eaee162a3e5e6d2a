// `emsdb pools`, once or again and again, and what operators do to pools.
#include <unistd.h>

#include <chrono>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/cli/pool_text.h"
#include "client/cli/session.h"

namespace emsdb::client::cli {
namespace {

std::string TimeNow() {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::Now(), absl::UTCTimeZone());
}

void WriteSnapshot(const Pools& pools, Format format, Output& output) {
  if (format == Format::kJson) {
    WritePoolJsonLine(pools, TimeNow(), output);
  } else if (isatty(STDOUT_FILENO) != 0) {
    WritePoolScreen(pools, TimeNow(), output);
  } else {
    WritePoolLines(pools, TimeNow(), output);
  }
  output.Flush();
}

// A watch that showed something, and ended because its time was over or somebody pressed Ctrl-C,
// did what it was asked for.
bool IsTheWantedEnd(const absl::Status& status, const Session& session) {
  return absl::IsDeadlineExceeded(status) || session.call.cancel->cancelled();
}

ExitStatus Watch(const PoolsCommand& command, Session& session) {
  const auto interval =
      std::chrono::duration_cast<Duration>(std::chrono::duration<double>(command.interval_seconds));
  auto watch = session.client.pools().Watch(command.database, interval, session.call);
  if (!watch.ok()) return Report(watch.status());
  bool shown = false;
  while (session.output.status().ok()) {
    const auto pools = watch->Next();
    if (!pools.ok()) {
      if (!shown || !IsTheWantedEnd(pools.status(), session)) return Report(pools.status());
      break;
    }
    WriteSnapshot(*pools, command.format, session.output);
    shown = true;
  }
  return FinishOutput(session.output, CallState::kDone);
}

ExitStatus Show(const Pools& pools, Format format, Output& output) {
  if (format == Format::kJson) return WriteList(PoolsJson(pools), format, output);
  WritePoolTables(pools, output);
  return FinishOutput(output, CallState::kDone);
}

absl::StatusOr<v1::PoolStatus> Do(const OperateCommand& command, const Session& session) {
  const PoolControl pools = session.client.pools();
  switch (command.act) {
    case OperateCommand::Act::kPause:
      return pools.Pause(command.database, session.call);
    case OperateCommand::Act::kResume:
      return pools.Resume(command.database, session.call);
    case OperateCommand::Act::kReconnect:
      return pools.Reconnect(command.database, session.call);
    case OperateCommand::Act::kResize:
      break;
  }
  return pools.Resize(command.database, command.size, session.call);
}

}  // namespace

ExitStatus RunPools(const PoolsCommand& command, Session& session) {
  if (command.watching == Watching::kUntilTheEnd) return Watch(command, session);
  const auto pools = session.client.PoolStatus(command.database, session.call);
  if (!pools.ok()) return Report(pools.status());
  return Show(*pools, command.format, session.output);
}

ExitStatus RunOperate(const OperateCommand& command, Session& session) {
  const auto pool = Do(command, session);
  if (!pool.ok()) return Report(pool.status());
  return Show({*pool}, command.format, session.output);
}

}  // namespace emsdb::client::cli
