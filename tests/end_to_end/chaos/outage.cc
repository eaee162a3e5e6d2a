// The database goes away under load and comes back.
#include <grpcpp/client_context.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_format.h"
#include "emsdb/v1/database_service.grpc.pb.h"
#include "tests/end_to_end/chaos/load.h"
#include "tests/end_to_end/chaos/scenarios.h"
#include "tests/end_to_end/chaos/watch.h"
#include "tests/support/gateway_process.h"

namespace emsdb::chaos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kBefore = seconds(1);
// Beyond its deadline by so much, a call has hung. How late calls are is printed.
constexpr Duration kHung = seconds(5);
constexpr std::int64_t kFirstBatch = 1'000'000'000;
constexpr std::int64_t kRows = 1000;

struct Moments {
  Instant away;     // nothing answers any more
  Instant coming;   // it is being started again
  Instant accepts;  // it takes connections
};

struct Loads {
  Loads(const std::string& address, const OutageSize& size)
      : readers({.address = address,
                 .lanes = size.readers,
                 .deadline = size.deadline,
                 .make =
                     [](std::int64_t id) {
                       return ToQuery("SELECT id FROM chaos_read WHERE id = $1", {id % kRows});
                     }}),
        writers({.address = address,
                 .lanes = size.writers,
                 .deadline = size.deadline,
                 .make =
                     [](std::int64_t id) {
                       return ToQuery("INSERT INTO chaos_write VALUES ($1, 0)", {id});
                     }}),
        batches({.address = address,
                 .lanes = size.batches,
                 .deadline = size.deadline,
                 .make = &Loads::Batch,
                 .first_id = kFirstBatch}) {}

  static Request Batch(std::int64_t id) {
    v1::ExecuteBatchRequest request;
    for (const std::int64_t part : {1, 2}) {
      v1::BatchStatement& statement = *request.add_statements();
      *statement.mutable_statement() =
          ToStatement("INSERT INTO chaos_write VALUES ($1, $2)", {id, part});
      statement.set_expect_rows(1);
    }
    return request;
  }

  void Start() {
    for (Load* load : all()) load->Start();
  }
  bool Stop(Duration patience) {
    bool in_time = true;
    for (Load* load : all()) in_time = load->Stop(patience) && in_time;
    return in_time;
  }
  std::vector<Load*> all() { return {&readers, &writers, &batches}; }

  Load readers;
  Load writers;
  Load batches;
};

bool Reachable(v1::DatabaseService::Stub& stub) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + seconds(10));
  v1::ListDatabasesResponse response;
  if (!stub.ListDatabases(&context, {}, &response).ok()) return false;
  return std::all_of(response.databases().begin(), response.databases().end(),
                     [](const v1::Database& database) { return database.reachable(); });
}

Moments StopAndComeBack(PostgresServer& postgres, StopKind kind, const OutageSize& size,
                        v1::DatabaseService::Stub& health, Report& report) {
  Moments moments;
  if (kind == StopKind::kFastShutdown) postgres.StopFast();
  if (kind == StopKind::kKill) postgres.Kill();
  if (kind == StopKind::kFreeze) postgres.Freeze();
  moments.away = Clock::Real().Now();
  const bool noticed = Becomes(size.stopped, [&] { return !Reachable(health); });
  const Duration after = Clock::Real().Now() - moments.away;
  report.Print("ListDatabases says so after", noticed ? InMilliseconds(after) : "not in that time");
  std::this_thread::sleep_until(moments.away + size.stopped);
  moments.coming = Clock::Real().Now();
  moments.accepts = kind == StopKind::kFreeze ? postgres.Thaw() : postgres.Start();
  return moments;
}

// How often each write is in the table: by id, then by part.
using Written = std::map<std::int64_t, std::map<int, int>>;

Written ReadBack(const PostgresServer& postgres) {
  Written written;
  for (const auto& row :
       postgres.Ask("SELECT id, part, count(*) FROM chaos_write GROUP BY id, part")) {
    written[std::stoll(row[0])][std::stoi(row[1])] = std::stoi(row[2]);
  }
  return written;
}

struct Truth {
  int done = 0;
  int nothing_done = 0;
  int unknown = 0;
  int unknown_and_there = 0;
  int lost = 0;     // acknowledged, and not there
  int lied = 0;     // "nothing done", and there
  int doubled = 0;  // there more than once
  int half = 0;     // a batch of which one part is there
  int from_nobody = 0;
};

// Takes what it finds out of `written`.
void Compare(const std::vector<Ended>& calls, const std::vector<int>& parts, Written& written,
             Truth& truth) {
  for (const Ended& call : calls) {
    const auto found = written.extract(call.id);
    const bool there = !found.empty();
    if (there) {
      if (found.mapped().size() != parts.size()) ++truth.half;
      for (const auto& [part, count] : found.mapped()) truth.doubled += count > 1 ? 1 : 0;
    }
    switch (call.answer.fate) {
      case Fate::kDone:
        ++truth.done;
        truth.lost += there ? 0 : 1;
        break;
      case Fate::kNothingDone:
        ++truth.nothing_done;
        truth.lied += there ? 1 : 0;
        break;
      case Fate::kUnknown:
        ++truth.unknown;
        truth.unknown_and_there += there ? 1 : 0;
        break;
    }
  }
}

void CheckTruth(const PostgresServer& postgres, Loads& loads, Report& report) {
  Written written = ReadBack(postgres);
  Truth truth;
  Compare(loads.writers.ended(), {0}, written, truth);
  Compare(loads.batches.ended(), {1, 2}, written, truth);
  truth.from_nobody = static_cast<int>(written.size());
  report.Print("writes acknowledged / nothing done / unknown",
               absl::StrFormat("%d / %d / %d", truth.done, truth.nothing_done, truth.unknown));
  report.Print("of the unknown, done after all", std::to_string(truth.unknown_and_there));
  const auto none = [&](const char* what, int count) {
    report.Require(absl::StrFormat("no %s (%d)", what, count), count == 0);
  };
  none("acknowledged write is missing", truth.lost);
  none("write of which the gateway said that nothing was done is there", truth.lied);
  none("write is there twice", truth.doubled);
  none("batch is there by halves", truth.half);
  none("row is there that nobody wrote", truth.from_nobody);
}

std::vector<Ended> AllOf(Loads& loads) {
  std::vector<Ended> all;
  for (Load* load : loads.all()) {
    all.insert(all.end(), load->ended().begin(), load->ended().end());
  }
  return all;
}

void CheckTimes(const std::vector<Ended>& calls, const Moments& moments, const OutageSize& size,
                Report& report) {
  Duration latest{};
  Instant first = kNever;
  Instant last_failure = moments.accepts;
  int false_success = 0;
  std::map<std::string, int> kinds;
  for (const Ended& call : calls) {
    const bool ok = call.answer.fate == Fate::kDone;
    latest = std::max(latest, call.ended - call.began - size.deadline);
    if (ok && call.ended >= moments.accepts) first = std::min(first, call.ended);
    if (!ok && call.ended >= moments.accepts) last_failure = std::max(last_failure, call.ended);
    if (ok && call.began >= moments.away && call.ended <= moments.coming) ++false_success;
    if (!ok) ++kinds[KindOf(call.answer)];
  }
  const auto failed = [](const Ended& call) { return call.answer.fate != Fate::kDone; };
  const auto times = Times(calls, moments.away, moments.coming, failed);
  const Duration half = size.stopped / 2;
  const auto later = Times(calls, moments.away + half, moments.coming, failed);
  report.Print("calls while it was away", std::to_string(times.size()));
  report.Print(
      "time to fail: median, p99, worst",
      absl::StrFormat("%s, %s, %s", InMilliseconds(Quantile(times, 0.5)),
                      InMilliseconds(Quantile(times, 0.99)), InMilliseconds(Quantile(times, 1))));
  report.Print(
      "the same in the second half",
      absl::StrFormat("%s, %s, %s", InMilliseconds(Quantile(later, 0.5)),
                      InMilliseconds(Quantile(later, 0.99)), InMilliseconds(Quantile(later, 1))));
  report.Print("latest end beyond a deadline", InMilliseconds(latest), "a small grace");
  report.Print("first success after it accepts",
               first == kNever ? "never" : InMilliseconds(first - moments.accepts), "< 1000 ms");
  report.Print("last failure after it accepts", InMilliseconds(last_failure - moments.accepts));
  for (const auto& [kind, count] : kinds) {
    report.Print(absl::StrFormat("  %s", kind), std::to_string(count));
  }
  report.Require(
      absl::StrFormat("no call ends long after its deadline (%s)", InMilliseconds(latest)),
      latest < kHung);
  report.Require(absl::StrFormat("nothing succeeds without a database (%d)", false_success),
                 false_success == 0);
  report.Require("calls succeed again", first != kNever);
}

void CheckRest(const PostgresServer& postgres, const std::string& address, Report& report) {
  v1::PoolStatus status;
  int backends = -1;
  // A server that stood still has yet to notice who left.
  const bool rest = Becomes(seconds(20), [&] {
    status = StatusOf(address, "");
    backends = postgres.Backends();
    return status.leased() + status.opening() + status.waiting() == 0 && backends == status.idle();
  });
  report.Require(
      absl::StrFormat("no connection is leaked (leased %d, opening %d, waiting %d; idle %d, and "
                      "the server has %d)",
                      status.leased(), status.opening(), status.waiting(), status.idle(), backends),
      rest);
}

}  // namespace

std::string_view StopKindName(StopKind kind) {
  switch (kind) {
    case StopKind::kFastShutdown:
      return "fast shutdown";
    case StopKind::kKill:
      return "SIGKILL";
    case StopKind::kFreeze:
      return "SIGSTOP";
  }
  return "";
}

void DatabaseStops(PostgresServer& postgres, StopKind kind, const OutageSize& size,
                   Report& report) {
  postgres.Ask("DROP TABLE IF EXISTS chaos_read, chaos_write");
  postgres.Ask("CREATE TABLE chaos_read AS SELECT generate_series(0, 999)::bigint AS id");
  postgres.Ask("CREATE INDEX ON chaos_read (id)");
  // Nothing in it would keep a write from being done twice.
  postgres.Ask("CREATE TABLE chaos_write (id bigint, part int)");
  GatewayProcess gateway({{"DATABASE_URL", postgres.url()}});
  const auto health = v1::DatabaseService::NewStub(NewChannel(gateway.address()));
  Loads loads(gateway.address(), size);
  {
    Watcher watcher(gateway.address(), gateway.pid());
    loads.Start();
    std::this_thread::sleep_for(kBefore);
    const Moments moments = StopAndComeBack(postgres, kind, size, *health, report);
    report.Require("ListDatabases says reachable again",
                   Becomes(seconds(20), [&] { return Reachable(*health); }));
    report.Print("ListDatabases says so after it accepts",
                 InMilliseconds(Clock::Real().Now() - moments.accepts));
    std::this_thread::sleep_for(size.afterwards);
    report.Require("every call ends by itself", loads.Stop(size.deadline + kHung));
    CheckTimes(AllOf(loads), moments, size, report);
    report.Print("most threads of the gateway", std::to_string(watcher.most_threads()));
    report.Require(absl::StrFormat("no pool exceeds its limit (%d times in %d looks)",
                                   watcher.over_limit(), watcher.looks()),
                   watcher.over_limit() == 0);
  }
  CheckRest(postgres, gateway.address(), report);
  CheckTruth(postgres, loads, report);
  report.Require("the gateway ends well", gateway.Terminate() == 0);
}

}  // namespace emsdb::chaos
