#include "client/cli/bench_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace emsdb::client::cli {
namespace {

constexpr int kUsualInFlight = 32;
// In the open loop, where a server that does not keep up would else have any number. A call takes
// some 10 KiB here.
constexpr int kMostInFlight = 10'000;
constexpr std::int64_t kMostKeys = std::int64_t{1} << 32;
constexpr int kMostDeadlineMs = 3'600'000;
constexpr int kUsualDeadlineMs[] = {1000, 5000};
constexpr int kStreamDeadlineMs = 300'000;  // as of rows in bulk: nobody hurries a long list

constexpr std::array<std::pair<std::string_view, Workload>, 7> kWorkloads{
    {{"read", Workload::kRead},
     {"write", Workload::kWrite},
     {"batch", Workload::kBatch},
     {"transaction", Workload::kTransaction},
     {"stream", Workload::kStream},
     {"mix", Workload::kMix},
     {"idle", Workload::kIdle}}};

constexpr char kFooter[] = R"(
Workloads, on the table that --prepare makes, whose keys are chosen at random:
  read         one row by its key
  write        one row by its key, a transaction by itself
  batch        five reads as one ExecuteBatch
  transaction  a leased one of three calls: read, update, update with the commit; counted as one
  stream       StreamQuery of --rows rows that the database makes up
  mix          read, and for --slow-share of the calls one that sleeps (PostgreSQL)
  idle         --connections connections of one answered call each, held for --seconds

A call counts if it begins, or with --rate is due, in the measured time. What fails is counted under
its code and reason, and not among the calls. Ctrl-C ends the measurement early and prints what
there is. Exit status 0 if anything succeeded; else that of the first error.)";

// CLI11's own range lets NaN through.
CLI::Validator Between(double least, double most) {
  return {[least, most](const std::string& given) -> std::string {
            double value = 0;
            if (absl::SimpleAtod(given, &value) && value >= least && value <= most) return "";
            return absl::StrFormat("must be a number from %g to %g", least, most);
          },
          absl::StrFormat("%g to %g", least, most)};
}

template <typename Number>
void AddCount(CLI::App& command, const char* name, Number& into, std::int64_t most,
              const char* help) {
  command.add_option(name, into, help)
      ->check(CLI::Range(std::int64_t{1}, most))
      ->capture_default_str();
}

void AddChoice(CLI::App& command, Workload& workload) {
  const auto choose = [&workload](const std::string& given) {
    const auto found = std::find_if(kWorkloads.begin(), kWorkloads.end(),
                                    [&given](const auto& known) { return known.first == given; });
    if (found == kWorkloads.end()) {
      throw CLI::ValidationError("--workload",
                                 "must be read, write, batch, transaction, stream, mix or idle");
    }
    workload = found->second;
  };
  command.add_option_function<std::string>("--workload", choose, "What the calls do; see below")
      ->option_text("read|write|batch|transaction|stream|mix|idle");
}

void AddFormats(CLI::App& command, Format& format) {
  const auto choose = [&format](const std::string& given) {
    if (given != "table" && given != "json") {
      throw CLI::ValidationError("--format", "must be one of table|json");
    }
    format = given == "json" ? Format::kJson : Format::kTable;
  };
  command.add_option_function<std::string>("--format", choose, "How to write the result")
      ->option_text("table|json");
}

void AddTimes(CLI::App& command, BenchCommand& bench) {
  command.add_option("--seconds", bench.seconds, "How long is measured")
      ->check(Between(0.01, 86400))
      ->capture_default_str();
  command
      .add_option("--warm-up", bench.warm_up_seconds, "Seconds before that, which are not counted")
      ->check(Between(0, 3600))
      ->capture_default_str();
  command
      .add_option("--deadline-min-ms", bench.deadline_min_ms,
                  "Each call's deadline is at least this (1000; of streams 300000)")
      ->check(CLI::Range(1, kMostDeadlineMs));
  command
      .add_option("--deadline-max-ms", bench.deadline_max_ms,
                  "and at most this (5000; of streams 300000), evenly spread")
      ->check(CLI::Range(1, kMostDeadlineMs));
}

void AddLoad(CLI::App& command, BenchCommand& bench) {
  command
      .add_option("--in-flight", bench.in_flight,
                  "Closed loop: calls always under way (32). With --rate: at most (10000)")
      ->check(CLI::Range(1, 1'000'000));
  command
      .add_option("--rate", bench.rate,
                  "Open loop: calls a second on a fixed schedule, each timed from when it is due")
      ->check(Between(0.001, 10'000'000));
  AddCount(command, "--channels", bench.channels, 10'000, "Connections to the gateway");
  AddCount(command, "--threads", bench.threads, 256, "Threads that make the calls");
  AddCount(command, "--keys", bench.keys, kMostKeys, "Rows of the table, chosen evenly");
  command.add_option("--seed", bench.seed, "Of the choice of keys")->capture_default_str();
}

void AddWork(CLI::App& command, BenchCommand& bench) {
  AddChoice(command, bench.workload);
  command.add_option("--slow-share", bench.slow_share, "mix: the share of calls that sleep")
      ->check(Between(0, 1))
      ->capture_default_str();
  command.add_option("--slow-ms", bench.slow_ms, "mix: for how long")
      ->check(Between(0, 60000))
      ->capture_default_str();
  AddCount(command, "--rows", bench.rows, std::int64_t{1} << 40, "stream: rows asked for");
  AddCount(command, "--connections", bench.connections, 1'000'000, "idle: connections opened");
  command.add_option("--sql", bench.sql,
                     "A statement in place of the workload's own; $1, if it has one, is the key");
}

Duration Milliseconds(int milliseconds) { return std::chrono::milliseconds(milliseconds); }

}  // namespace

std::string WorkloadName(Workload workload) {
  const auto found = std::find_if(kWorkloads.begin(), kWorkloads.end(),
                                  [&](const auto& known) { return known.second == workload; });
  return std::string(found->first);
}

int InFlight(const BenchCommand& command) {
  return command.in_flight.value_or(command.rate ? kMostInFlight : kUsualInFlight);
}

DeadlineRange Deadlines(const BenchCommand& command) {
  const bool stream = command.workload == Workload::kStream;
  int min = command.deadline_min_ms.value_or(stream ? kStreamDeadlineMs : kUsualDeadlineMs[0]);
  int max = command.deadline_max_ms.value_or(stream ? kStreamDeadlineMs : kUsualDeadlineMs[1]);
  // One of them given alone takes the other along.
  if (!command.deadline_max_ms) max = std::max(max, min);
  if (!command.deadline_min_ms) min = std::min(min, max);
  return {Milliseconds(min), Milliseconds(max)};
}

std::string CheckBench(const BenchCommand& command) {
  const DeadlineRange deadlines = Deadlines(command);
  if (deadlines.min > deadlines.max) {
    return "--deadline-min-ms: must not be greater than --deadline-max-ms";
  }
  if (command.rate && command.workload == Workload::kIdle) {
    return "--rate: idle connections have none";
  }
  if (!command.sql.empty() && command.workload == Workload::kTransaction) {
    return "--sql: a transaction has three statements of its own";
  }
  if (command.threads > InFlight(command)) {
    return "--threads: must not be greater than --in-flight";
  }
  return "";
}

void AddBench(CLI::App& app, BenchCommand& into) {
  CLI::App& command = *app.add_subcommand("bench", "Make load and measure how fast it is answered");
  command.fallthrough();
  command.footer(kFooter);
  command.add_option("--db,--database", into.database, "The logical database")
      ->capture_default_str();
  AddWork(command, into);
  AddLoad(command, into);
  AddTimes(command, into);
  AddFormats(command, into.format);
  command.add_flag_callback(
      "--prepare", [&into] { into.task = BenchCommand::Task::kPrepare; },
      "Makes the table bench_rows anew, with --keys rows, and measures nothing");
  command.parse_complete_callback([&into] {
    const std::string wrong = CheckBench(into);
    if (!wrong.empty()) throw CLI::ValidationError(wrong);
  });
}

}  // namespace emsdb::client::cli
