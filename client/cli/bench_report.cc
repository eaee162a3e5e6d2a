#include "client/cli/bench_report.h"

#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/terminal_text.h"

namespace emsdb::client::cli {
namespace {

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

double Microseconds(Duration duration) {
  return std::round(std::chrono::duration<double, std::micro>(duration).count() * 10) / 10;
}

double Rate(std::uint64_t count, const Tally& tally) {
  const double seconds = Seconds(tally.elapsed());
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

double ToOneDecimal(double value) { return std::round(value * 10) / 10; }

double ToThreeDecimals(double value) { return std::round(value * 1000) / 1000; }

int Connections(const BenchCommand& command) {
  return command.workload == Workload::kIdle ? command.connections : command.channels;
}

Json LatencyJson(const Histogram& latency) {
  if (latency.count() == 0) return nullptr;
  return {{"mean", Microseconds(latency.mean())},
          {"p50", Microseconds(latency.Quantile(0.5))},
          {"p90", Microseconds(latency.Quantile(0.9))},
          {"p99", Microseconds(latency.Quantile(0.99))},
          {"p999", Microseconds(latency.Quantile(0.999))},
          {"max", Microseconds(latency.max())}};
}

std::string LatencyText(const Histogram& latency) {
  if (latency.count() == 0) return "none";
  const auto ms = [](Duration duration) { return Seconds(duration) * 1000; };
  return absl::StrFormat("mean %.3f   p50 %.3f   p90 %.3f   p99 %.3f   p99.9 %.3f   max %.3f",
                         ms(latency.mean()), ms(latency.Quantile(0.5)), ms(latency.Quantile(0.9)),
                         ms(latency.Quantile(0.99)), ms(latency.Quantile(0.999)),
                         ms(latency.max()));
}

std::string Title(const BenchCommand& command, const BenchOutcome& outcome) {
  std::string title = absl::StrCat(WorkloadName(command.workload), ": ");
  if (command.rate) {
    absl::StrAppendFormat(&title, "%g calls/s on a schedule, at most %d under way", *command.rate,
                          outcome.most_under_way);
  } else {
    absl::StrAppendFormat(&title, "%d calls under way", outcome.most_under_way);
  }
  const int connections = Connections(command);
  absl::StrAppendFormat(&title, ", %d connection%s, %d thread%s\n", connections,
                        connections == 1 ? "" : "s", command.threads,
                        command.threads == 1 ? "" : "s");
  return title;
}

std::string CountLine(const char* name, std::uint64_t count, const Tally& tally) {
  return absl::StrFormat("%-12s%12d%14.1f /s\n", name, count, Rate(count, tally));
}

std::string ErrorLines(const Tally& tally) {
  std::string lines = absl::StrFormat("%-12s%12d\n", "errors", tally.error_count());
  for (const auto& [name, count] : tally.errors) {
    absl::StrAppendFormat(&lines, "%24d  %s\n", count, EscapeForTerminal(name));
  }
  return lines;
}

// What the calls that succeeded should have read or written.
std::uint64_t ExpectedRows(const BenchCommand& command, const Tally& tally) {
  const std::uint64_t statements = tally.calls * StatementsOf(command.workload);
  return command.workload == Workload::kStream
             ? statements * static_cast<std::uint64_t>(command.rows)
             : statements;
}

}  // namespace

Json BenchJson(const BenchCommand& command, const BenchOutcome& outcome) {
  const Tally& tally = outcome.tally;
  const std::uint64_t statements = tally.calls * StatementsOf(command.workload);
  Json json = {{"workload", WorkloadName(command.workload)},
               {"in_flight", outcome.most_under_way},
               {"rate", command.rate ? Json(*command.rate) : Json(nullptr)},
               {"channels", Connections(command)},
               {"threads", command.threads},
               {"seconds", ToThreeDecimals(Seconds(tally.elapsed()))},
               {"calls", tally.calls},
               {"rows", tally.rows},
               {"calls_per_second", ToOneDecimal(Rate(tally.calls, tally))},
               {"rows_per_second", ToOneDecimal(Rate(tally.rows, tally))},
               {"statements_per_second", ToOneDecimal(Rate(statements, tally))},
               {"errors", Json::object()},
               {"latency_us", LatencyJson(tally.latency)}};
  for (const auto& [name, count] : tally.errors) json["errors"][name] = count;
  if (command.workload == Workload::kMix) {
    json["slow"] = {{"calls", tally.slow_latency.count()},
                    {"latency_us", LatencyJson(tally.slow_latency)}};
  }
  json["client_cpu_seconds"] = ToThreeDecimals(outcome.cpu_seconds);
  return json;
}

std::string BenchTable(const BenchCommand& command, const BenchOutcome& outcome) {
  const Tally& tally = outcome.tally;
  std::string table = Title(command, outcome);
  absl::StrAppendFormat(&table, "%-12s%12.3f s\n", "measured", Seconds(tally.elapsed()));
  table += CountLine("calls", tally.calls, tally);
  table += CountLine("statements", tally.calls * StatementsOf(command.workload), tally);
  table += CountLine("rows", tally.rows, tally);
  table += ErrorLines(tally);
  absl::StrAppend(&table, "latency, ms     ", LatencyText(tally.latency), "\n");
  if (command.workload == Workload::kMix) {
    absl::StrAppend(&table, "slow ones, ms   ", LatencyText(tally.slow_latency), "\n");
  }
  const std::uint64_t all = tally.calls + tally.error_count();
  absl::StrAppendFormat(
      &table, "client      %12.3f s of CPU%s\n", outcome.cpu_seconds,
      all == 0 ? ""
               : absl::StrFormat(", %.1f us for a call",
                                 outcome.cpu_seconds / static_cast<double>(all) * 1e6));
  return table;
}

std::string BenchWarning(const BenchCommand& command, const BenchOutcome& outcome) {
  const std::uint64_t expected = ExpectedRows(command, outcome.tally);
  if (!command.sql.empty() || outcome.tally.rows >= expected) return "";
  return absl::StrFormat(
      "%d rows of %d were not there: has --prepare been run with as many --keys?",
      expected - outcome.tally.rows, expected);
}

BenchProgress::BenchProgress(double seconds)
    : on_terminal_(isatty(STDERR_FILENO) != 0),
      seconds_(seconds),
      began_(std::chrono::steady_clock::now()) {}

BenchProgress::~BenchProgress() {
  if (on_terminal_) std::fprintf(stderr, "\r\x1b[K");
}

void BenchProgress::Update(std::uint64_t calls) {
  if (!on_terminal_) return;
  const double passed = Seconds(std::chrono::steady_clock::now() - began_);
  std::fprintf(stderr, "\r%.1f of %.1f s  %llu calls\x1b[K", passed, seconds_,
               static_cast<unsigned long long>(calls));
}

}  // namespace emsdb::client::cli
