// The scenarios of tests/end_to_end/chaos with full numbers: one table. Figures never decide; the
// exit status is 1 where a promise was broken.
#include <sys/sysinfo.h>

#include <chrono>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "tests/end_to_end/chaos/scenarios.h"

namespace emsdb::chaos {
namespace {

constexpr int kCalls = 20000;

struct Scenario {
  std::string name;
  std::function<void(PostgresServer&, Report&)> run;
};

std::vector<Scenario> Scenarios() {
  std::vector<Scenario> scenarios = {
      {"20,000 calls wait for one busy connection",
       [](PostgresServer& postgres, Report& report) { ManyWait(postgres, kCalls, report); }},
      {"20,000 calls for a line of 100",
       [](PostgresServer& postgres, Report& report) { LineIsFull(postgres, kCalls, 100, report); }},
      {"20,000 waiters leave at once",
       [](PostgresServer& postgres, Report& report) { EverybodyLeaves(postgres, kCalls, report); }},
      {"1,000 callers at once on a cold pool of 10",
       [](PostgresServer& postgres, Report& report) { ColdBurst(postgres, 1000, report); }},
  };
  for (const StopKind kind : kStopKinds) {
    scenarios.push_back({absl::StrFormat("PostgreSQL away for 10 s: %s", StopKindName(kind)),
                         [kind](PostgresServer& postgres, Report& report) {
                           DatabaseStops(postgres, kind, {}, report);
                         }});
  }
  scenarios.push_back(
      {"200 reporters on a pool of 5 + 5, dispatch beside them",
       [](PostgresServer& postgres, Report& report) { ReportsFlood(postgres, {}, report); }});
  return scenarios;
}

// How busy the machine was: others' work is in every figure.
std::string LoadAverage() {
  double averages[1] = {};
  if (getloadavg(averages, 1) != 1) return "unknown";
  return absl::StrFormat("%.1f on %d processors", averages[0], get_nprocs());
}

bool Run(const Scenario& scenario) {
  const std::string load = LoadAverage();
  Report report;
  try {
    PostgresServer postgres;
    scenario.run(postgres, report);
  } catch (const std::exception& failure) {
    report.Require(absl::StrFormat("the scenario runs to its end: %s", failure.what()), false);
  }
  std::cout << absl::StrFormat("\n%s (load average before: %s)\n", scenario.name, load);
  for (const Figure& figure : report.figures()) {
    std::cout << absl::StrFormat("  %-52s %-34s %s\n", figure.name, figure.value, figure.goal);
  }
  for (const std::string& broken : report.broken()) std::cout << "  BROKEN: " << broken << "\n";
  std::cout << absl::StrFormat("  %-52s %d of %d\n", "promises kept",
                               report.promises() - static_cast<int>(report.broken().size()),
                               report.promises())
            << std::flush;
  return report.broken().empty();
}

// Those whose names contain `part`.
int RunAll(const std::string& part) {
  bool kept = true;
  for (const Scenario& scenario : Scenarios()) {
    if (scenario.name.find(part) != std::string::npos) kept = Run(scenario) && kept;
  }
  return kept ? 0 : 1;
}

}  // namespace
}  // namespace emsdb::chaos

int main(int argc, char** argv) { return emsdb::chaos::RunAll(argc > 1 ? argv[1] : ""); }
