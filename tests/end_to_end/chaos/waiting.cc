// Calls in line: what they cost, in which order they are served, and how they are refused or leave.
#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_format.h"
#include "tests/end_to_end/chaos/crowd.h"
#include "tests/end_to_end/chaos/holder.h"
#include "tests/end_to_end/chaos/load.h"
#include "tests/end_to_end/chaos/scenarios.h"
#include "tests/end_to_end/chaos/silent_process.h"
#include "tests/end_to_end/chaos/watch.h"
#include "tests/support/gateway_process.h"

namespace emsdb::chaos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kPatience = seconds(300);
constexpr int kWaves = 100;
// gRPC's own threads for timers and callbacks come and go.
constexpr int kThreadsOfGrpc = 4;

GatewayProcess GatewayFor(const PostgresServer& postgres, int size, int max_waiters) {
  return GatewayProcess({{"DATABASE_URL", postgres.url()},
                         {"DB_POOL_SIZE", std::to_string(size)},
                         {"DB_MAX_OVERFLOW", "0"},
                         {"DB_POOL_TIMEOUT", "300"},
                         {"EMSDB_MAX_WAITERS", std::to_string(max_waiters)}});
}

// Serves a few calls first, so that what is made once is not counted as the crowd's.
void WarmUp(const std::string& address) {
  Crowd crowd(address, ToQuery("SELECT 1"), seconds(1));
  crowd.Send(200);
  crowd.CancelAll();
  crowd.AwaitEnd(kPatience);
}

// What a server grows by for each call that waits in it.
struct Growth {
  double bytes_per_call = 0;
  int threads_before = 0;
  int threads_after = 0;
};

// In waves, of which each waits in the server before the next is sent: else the handlers' threads
// would overtake each other, and the order of arrival be anybody's guess.
bool SendInWaves(const std::string& address, const std::string& database, int calls, Crowd& crowd) {
  const int wave = std::max(1, calls / kWaves);
  for (int sent = 0; sent < calls;) {
    const int next = std::min(wave, calls - sent);
    crowd.Send(next);
    sent += next;
    if (!Becomes(kPatience, [&] { return StatusOf(address, database).waiting() >= sent; })) {
      return false;
    }
  }
  return true;
}

Growth Fill(const std::string& address, const std::string& database, pid_t pid, int calls,
            Crowd& crowd, Report& report) {
  const ProcessFacts before = FactsOf(pid);
  report.Require(absl::StrFormat("%d calls wait at the same time", calls),
                 SendInWaves(address, database, calls, crowd));
  const ProcessFacts after = FactsOf(pid);
  const double grown =
      static_cast<double>(after.resident_bytes) - static_cast<double>(before.resident_bytes);
  return {grown / calls, before.threads, after.threads};
}

Growth FillSilent(int calls, Report& report) {
  const SilentProcess silent;
  WarmUp(silent.address());
  Crowd crowd(silent.address(), ToQuery("SELECT nextval('chaos_order')"), kPatience);
  const Growth growth = Fill(silent.address(), "", silent.pid(), calls, crowd, report);
  crowd.CancelAll();
  crowd.AwaitEnd(kPatience);
  return growth;
}

// The gateway's own questions stand in line too, so a call may be counted into the next wave: the
// comparison is with the wave after that one.
int ServedBeforeAnEarlierWave(const Crowd& crowd) {
  const auto& calls = crowd.calls();
  const std::size_t wave = std::max<std::size_t>(1, calls.size() / kWaves);
  const auto served = [&](std::size_t at) {
    return calls[at]->response.rows(0).values(0).int64_value();
  };
  int inversions = 0;
  std::int64_t latest = 0;  // of the waves that must be over
  for (std::size_t begin = 0; begin < calls.size(); begin += wave) {
    for (std::size_t at = begin; at < std::min(begin + wave, calls.size()); ++at) {
      if (served(at) < latest) ++inversions;
    }
    if (begin < wave) continue;
    for (std::size_t at = begin - wave; at < begin; ++at) latest = std::max(latest, served(at));
  }
  return inversions;
}

bool AllAtRest(const std::string& address) {
  return Becomes(seconds(20), [&] {
    const v1::PoolStatus status = StatusOf(address, "main");
    return status.waiting() == 0 && status.leased() == 0 && status.opening() == 0;
  });
}

}  // namespace

void ManyWait(const PostgresServer& postgres, int calls, Report& report) {
  const Growth silent = FillSilent(calls, report);
  postgres.Ask("CREATE SEQUENCE chaos_order");
  GatewayProcess gateway = GatewayFor(postgres, 1, calls + 100);
  WarmUp(gateway.address());
  Holder holder(gateway.address());
  Crowd crowd(gateway.address(), ToQuery("SELECT nextval('chaos_order')"), kPatience);
  const Growth growth = Fill(gateway.address(), "main", gateway.pid(), calls, crowd, report);
  report.Print("threads before and with the calls waiting",
               absl::StrFormat("%d, %d", growth.threads_before, growth.threads_after), "no growth");
  report.Require(absl::StrFormat("waiting costs no threads (%d before, %d with %d calls waiting)",
                                 growth.threads_before, growth.threads_after, calls),
                 growth.threads_after <= growth.threads_before + kThreadsOfGrpc);
  report.Print("memory for a waiting call: gateway",
               absl::StrFormat("%.0f bytes", growth.bytes_per_call));
  report.Print("memory for an unanswered call: gRPC alone",
               absl::StrFormat("%.0f bytes", silent.bytes_per_call));
  report.Print("memory for a waiting call beyond gRPC's",
               absl::StrFormat("%.0f bytes", growth.bytes_per_call - silent.bytes_per_call),
               "< 4096 bytes");

  const Instant free = Clock::Real().Now();
  holder.LetGo();
  const bool ended = crowd.AwaitEnd(kPatience);
  report.Print("all answered after the connection came free",
               InMilliseconds(Clock::Real().Now() - free));
  const int answered = ended ? crowd.Count("OK") : 0;
  report.Require(absl::StrFormat("every waiting call is answered (%d of %d)", answered, calls),
                 answered == calls);
  if (answered == calls) {
    const int inversions = ServedBeforeAnEarlierWave(crowd);
    report.Print("calls served before one that came earlier", std::to_string(inversions), "0");
    report.Require(absl::StrFormat("calls are served in order (%d were not)", inversions),
                   inversions == 0);
  }
  report.Require("nothing is left in line or in use", AllAtRest(gateway.address()));
  postgres.Ask("DROP SEQUENCE chaos_order");
}

void LineIsFull(const PostgresServer& postgres, int calls, int bound, Report& report) {
  GatewayProcess gateway = GatewayFor(postgres, 1, bound);
  Holder holder(gateway.address());
  Crowd crowd(gateway.address(), ToQuery("SELECT 1"), kPatience);
  // All but those who wait are refused while the connection stays busy; the gateway's own question
  // may take one of the places.
  const int refused_at_least = calls - bound;
  crowd.Send(calls);
  const bool at_once = Becomes(seconds(60), [&] { return crowd.over() >= refused_at_least; });
  report.Require(absl::StrFormat("whoever does not fit into the line is refused at once (%d of %d)",
                                 crowd.over(), refused_at_least),
                 at_once);
  holder.LetGo();
  report.Require("those in line are answered then", crowd.AwaitEnd(kPatience));
  const int full = crowd.Count("RESOURCE_EXHAUSTED LINE_FULL waiting");
  const int answered = crowd.Count("OK");
  std::vector<Duration> times;
  int with_delay = 0;
  for (const auto& call : crowd.calls()) {
    if (call->answer.reason != "LINE_FULL") continue;
    times.push_back(call->ended - call->sent);
    with_delay += call->answer.retry_after.has_value() ? 1 : 0;
  }
  std::sort(times.begin(), times.end());
  report.Print("refused with LINE_FULL", absl::StrFormat("%d of %d", full, calls));
  report.Print("time to a refusal, median and p99",
               absl::StrFormat("%s, %s", InMilliseconds(Quantile(times, 0.5)),
                               InMilliseconds(Quantile(times, 0.99))));
  report.Require(
      absl::StrFormat("each refusal says when to come again (%d of %d)", with_delay, full),
      with_delay == full);
  report.Require(absl::StrFormat("every call is answered or refused as LINE_FULL (%d, %d of %d)",
                                 answered, full, calls),
                 answered + full == calls);
  report.Require(
      absl::StrFormat("the line holds its bound of %d (%d were answered)", bound, answered),
      answered <= bound && answered >= bound - 1);
  report.Require("nothing is left in line or in use", AllAtRest(gateway.address()));
}

void EverybodyLeaves(const PostgresServer& postgres, int calls, Report& report) {
  GatewayProcess gateway = GatewayFor(postgres, 1, calls + 100);
  WarmUp(gateway.address());
  Holder holder(gateway.address());
  Crowd crowd(gateway.address(), ToQuery("SELECT 1"), kPatience);
  const std::size_t before = FactsOf(gateway.pid()).resident_bytes;
  crowd.Send(calls);
  const auto waiting = [&] { return StatusOf(gateway.address(), "main").waiting(); };
  report.Require(absl::StrFormat("%d calls wait", calls),
                 Becomes(kPatience, [&] { return waiting() >= calls; }));
  const std::size_t full = FactsOf(gateway.pid()).resident_bytes;
  const Instant left = Clock::Real().Now();
  crowd.CancelAll();
  // The gateway's own question may stay.
  const bool gone = Becomes(seconds(60), [&] { return waiting() <= 1; });
  report.Print("all have left the line after", InMilliseconds(Clock::Real().Now() - left));
  report.Require(absl::StrFormat("who leaves is in line no more (%d are)", waiting()), gone);
  report.Require("every call has ended", crowd.AwaitEnd(kPatience));
  holder.LetGo();
  report.Require("nothing is left in line or in use", AllAtRest(gateway.address()));
  const v1::PoolStatus status = StatusOf(gateway.address(), "");
  report.Require(absl::StrFormat("the server has as many connections as the pools (%d, %d)",
                                 postgres.Backends(), status.idle()),
                 Becomes(seconds(10), [&] { return postgres.Backends() == status.idle(); }));
  const auto mebibytes = [](std::size_t bytes) { return static_cast<double>(bytes) / (1 << 20); };
  report.Print("resident before, with them, without them",
               absl::StrFormat("%.1f, %.1f, %.1f MiB", mebibytes(before), mebibytes(full),
                               mebibytes(FactsOf(gateway.pid()).resident_bytes)));
  Crowd next(gateway.address(), ToQuery("SELECT 1"), seconds(30));
  next.Send(1);
  next.AwaitEnd(kPatience);
  report.Require("the next call is served", next.Count("OK") == 1);
}

void ColdBurst(const PostgresServer& postgres, int callers, Report& report) {
  constexpr int kSize = 10;
  GatewayProcess gateway = GatewayFor(postgres, kSize, callers + 100);
  Crowd crowd(gateway.address(), ToQuery("SELECT pg_sleep(0.002)"), seconds(60));
  const Instant began = Clock::Real().Now();
  crowd.Send(callers);
  const bool ended = crowd.AwaitEnd(kPatience);
  report.Print("all answered after", InMilliseconds(Clock::Real().Now() - began));
  const auto opened = StatusOf(gateway.address(), "main").opened_total();
  report.Print("connections opened", absl::StrFormat("%d", opened),
               absl::StrFormat("<= %d", kSize));
  report.Require("every caller is answered", ended && crowd.Count("OK") == callers);
  report.Require(absl::StrFormat("never more connections than the limit (%d opened)", opened),
                 opened <= kSize);
  report.Require("nothing is left in line or in use", AllAtRest(gateway.address()));
}

}  // namespace emsdb::chaos
