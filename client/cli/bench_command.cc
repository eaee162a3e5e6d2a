// `emsdb bench`: connects, runs the measurement, prints it.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "client/cli/bench_report.h"
#include "client/cli/bench_runner.h"
#include "client/cli/list_text.h"
#include "client/cli/session.h"

namespace emsdb::client::cli {
namespace {

using Lines = std::vector<std::shared_ptr<Line>>;

Duration ToDuration(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

absl::StatusOr<Lines> MakeLines(const ConnectOptions& options, int count) {
  Lines lines;
  for (int i = 0; i < count; ++i) {
    grpc::ChannelArguments more;
    more.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // else they would share one connection
    more.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);             // nothing is hidden, and a call is cheaper
    auto channel = MakeGrpcChannel(options, more);
    if (!channel.ok()) return channel.status();
    lines.push_back(std::make_shared<Line>(*std::move(channel)));
  }
  return lines;
}

// Before the clock runs, so that connecting is no part of what is measured.
absl::Status WaitForLines(const Lines& lines, const CallOptions& call) {
  constexpr Duration kStep = std::chrono::milliseconds(50);  // how soon a cancel is seen
  const Instant deadline = std::chrono::steady_clock::now() + *call.deadline;
  for (const auto& line : lines) {
    while (!line->channel->WaitForConnected(
        ToGrpc(std::min(deadline, std::chrono::steady_clock::now() + kStep)))) {
      if (call.cancel->cancelled()) return absl::CancelledError("cancelled while connecting");
      if (std::chrono::steady_clock::now() >= deadline) {
        return absl::DeadlineExceededError("the deadline passed while connecting to the gateway");
      }
    }
  }
  return absl::OkStatus();
}

// Tells too whether the gateway can be reached at all. Not the health check: it is a call of gRPC's
// callback API, whose threads would from then on wait for the measured connections as well, and
// make each call half as dear again. A server of these protos that does not tell its databases is
// taken for one before PostgreSQL.
absl::StatusOr<Dialect> AskDialect(const std::string& database, const Session& session) {
  const auto databases = session.client.ListDatabases(session.call);
  if (absl::IsUnimplemented(databases.status())) return Dialect::kPostgres;
  if (!databases.ok()) return databases.status();
  for (const v1::Database& one : *databases) {
    if (one.name() != database) continue;
    return one.engine() == v1::ENGINE_SQLITE ? Dialect::kSqlite : Dialect::kPostgres;
  }
  return absl::NotFoundError(absl::StrCat("no database \"", database, "\""));
}

ExitStatus Prepare(const BenchCommand& command, Dialect dialect, Session& session) {
  const auto done = session.client.ExecuteBatch(
      command.database, PrepareStatements(dialect, command.keys), {.call = session.call});
  if (!done.ok()) return Report(done.status());
  // Else the first readers would do what the vacuum does.
  if (dialect == Dialect::kPostgres) {
    const auto vacuum = session.client.Query(command.database, "vacuum analyze bench_rows", {},
                                             {.wrapping = Wrapping::kNone, .call = session.call});
    if (!vacuum.ok()) return Report(vacuum.status());
  }
  session.output.Write(absl::StrCat("bench_rows has ", command.keys, " rows\n"));
  return FinishOutput(session.output, CallState::kDone);
}

BenchOutcome Measure(const BenchRun& run) {
  if (run.command.workload == Workload::kIdle) {
    return RunIdle(run, [&run] {
      std::cerr << "emsdb: " << run.lines.size() << " connections are ready" << std::endl;
    });
  }
  BenchProgress progress(run.command.warm_up_seconds + run.command.seconds);
  BenchRun watched = run;
  watched.progress = [&progress](std::uint64_t calls) { progress.Update(calls); };
  return run.command.rate ? RunOpenLoop(watched) : RunClosedLoop(watched);
}

ExitStatus Print(const BenchCommand& command, const BenchOutcome& outcome, Session& session) {
  session.output.Write(command.format == Format::kJson ? BenchJson(command, outcome).dump(2) + "\n"
                                                       : BenchTable(command, outcome));
  const ExitStatus written = FinishOutput(session.output, CallState::kDone);
  if (const std::string warning = BenchWarning(command, outcome); !warning.empty()) {
    std::cerr << "emsdb: " << warning << std::endl;
  }
  if (written != ExitStatus::kOk || outcome.tally.calls > 0) return written;
  if (!outcome.tally.first_error.ok()) return Report(outcome.tally.first_error);
  return Report(absl::CancelledError("no call had ended"));
}

// Each connection is a file.
void AllowManyFiles() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

Times TimesOf(const BenchCommand& command, Instant start) {
  return {.start = start,
          .warm_up = ToDuration(command.warm_up_seconds),
          .measured = ToDuration(command.seconds)};
}

ExitStatus RunBench(const BenchCommand& command, const ConnectOptions& options, Session& session) {
  // Debian's absl looks for cycles of locks at each lock that gRPC takes: some 15 % of a call.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const auto dialect = AskDialect(command.database, session);
  if (!dialect.ok()) return Report(dialect.status());
  if (command.task == BenchCommand::Task::kPrepare) return Prepare(command, *dialect, session);
  if (command.workload == Workload::kMix && *dialect == Dialect::kSqlite) {
    return ReportUsage(absl::InvalidArgumentError("SQLite cannot sleep"), "--workload mix");
  }
  const bool idle = command.workload == Workload::kIdle;
  if (idle) AllowManyFiles();
  const auto lines = MakeLines(options, idle ? command.connections : command.channels);
  if (!lines.ok()) return ReportUsage(lines.status(), "");
  if (!idle) {
    if (absl::Status status = WaitForLines(*lines, session.call); !status.ok()) {
      return Report(status);
    }
  }
  const Headers headers(options);
  return Print(command,
               Measure({.command = command,
                        .dialect = *dialect,
                        .headers = headers,
                        .lines = *lines,
                        .cancel = *session.call.cancel}),
               session);
}

}  // namespace emsdb::client::cli
