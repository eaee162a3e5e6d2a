// Reports want every connection; dispatch must not notice.
#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_format.h"
#include "tests/end_to_end/chaos/load.h"
#include "tests/end_to_end/chaos/scenarios.h"
#include "tests/end_to_end/chaos/watch.h"
#include "tests/support/gateway_process.h"

namespace emsdb::chaos {
namespace {

constexpr int kDispatchers = 4;
constexpr std::int64_t kRows = 1000;
// What a change of the load needs to take hold is nobody's figure.
constexpr Duration kSettle = std::chrono::milliseconds(200);

struct Window {
  Instant from;
  Instant to;
};

Window Watch(Duration each) {
  std::this_thread::sleep_for(kSettle);
  const Instant from = Clock::Real().Now();
  std::this_thread::sleep_for(each);
  return {from, Clock::Real().Now()};
}

double Milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

struct Sums {
  std::vector<double> p50;
  std::vector<double> p99;

  void Add(const std::vector<Ended>& calls, const Window& window) {
    const auto times = Times(calls, window.from, window.to, [](const Ended&) { return true; });
    p50.push_back(Milliseconds(Quantile(times, 0.5)));
    p99.push_back(Milliseconds(Quantile(times, 0.99)));
  }

  std::string Text() const {
    return absl::StrFormat("%.2f ms, %.2f ms (%.2f to %.2f)", Median(p50), Median(p99),
                           *std::min_element(p99.begin(), p99.end()),
                           *std::max_element(p99.begin(), p99.end()));
  }
};

int Failures(const std::vector<Ended>& calls) {
  return static_cast<int>(std::count_if(calls.begin(), calls.end(), [](const Ended& call) {
    return call.answer.fate != Fate::kDone;
  }));
}

}  // namespace

void ReportsFlood(const PostgresServer& postgres, const FloodSize& size, Report& report) {
  postgres.Ask("DROP TABLE IF EXISTS chaos_read");
  postgres.Ask("CREATE TABLE chaos_read AS SELECT generate_series(0, 999)::bigint AS id");
  postgres.Ask("CREATE INDEX ON chaos_read (id)");
  GatewayProcess gateway(
      {{"DATABASE_URL", postgres.url()}, {"DB_POOL_SIZE", "5"}, {"DB_MAX_OVERFLOW", "5"}});
  Load dispatch({.address = gateway.address(),
                 .lanes = kDispatchers,
                 .deadline = std::chrono::seconds(10),
                 .make = [](std::int64_t id) {
                   return ToQuery("SELECT id FROM chaos_read WHERE id = $1", {id % kRows},
                                  v1::PRIORITY_DISPATCH);
                 }});
  Load reports({.address = gateway.address(),
                .lanes = size.reporters,
                .deadline = std::chrono::seconds(60),
                .make = [](std::int64_t) {
                  return ToQuery("SELECT pg_sleep(0.05)", {}, v1::PRIORITY_REPORTING);
                }});
  std::vector<Window> quiet;
  std::vector<Window> flooded;
  bool ended = true;
  dispatch.Start();
  for (int round = 0; round < size.rounds; ++round) {
    quiet.push_back(Watch(size.each));
    reports.Start();
    flooded.push_back(Watch(size.each));
    ended = reports.Stop(std::chrono::seconds(60)) && ended;
  }
  ended = dispatch.Stop(std::chrono::seconds(20)) && ended;

  Sums alone;
  Sums beside;
  for (int round = 0; round < size.rounds; ++round) {
    alone.Add(dispatch.ended(), quiet[round]);
    beside.Add(dispatch.ended(), flooded[round]);
  }
  report.Print("dispatch quiet: p50, p99 (least to most of the rounds)", alone.Text());
  report.Print("dispatch beside reports: p50, p99 (least to most)", beside.Text());
  report.Print("p99 beside reports / quiet, medians",
               absl::StrFormat("%.2f", Median(beside.p99) / Median(alone.p99)), "<= 2");
  report.Print("dispatch reads / reports answered",
               absl::StrFormat("%d / %d", dispatch.ended().size(), reports.ended().size()));
  report.Require("every call ends by itself", ended);
  report.Require(absl::StrFormat("no dispatch read fails (%d)", Failures(dispatch.ended())),
                 Failures(dispatch.ended()) == 0);
  report.Require(absl::StrFormat("no report fails (%d)", Failures(reports.ended())),
                 Failures(reports.ended()) == 0);
  report.Require("reports are answered too", !reports.ended().empty());
}

}  // namespace emsdb::chaos
