#include "server/journal.h"

#include <utility>

#include "pool/errors.h"

namespace emsdb {
namespace {

double Milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// What operators change of a pool.
Fields Changeable(const v1::PoolStatus& pool) {
  return {{"state", v1::PoolState_Name(pool.state())},
          {"size", pool.size()},
          {"max_overflow", pool.max_overflow()},
          {"connections", pool.idle() + pool.leased() + pool.opening()}};
}

}  // namespace

void Journal::Operated(const OperatorUse& use) {
  metrics_.Operated(use.after.database(), use.rpc);
  log_.Info("operator", {{"rpc", use.rpc},
                         {"database", use.after.database()},
                         {"caller", use.caller.name},
                         {"caller_proven", use.caller.proof != Caller::Proof::kNone},
                         {"peer", use.peer},
                         {"before", Changeable(use.before)},
                         {"after", Changeable(use.after)}});
}

void Journal::Refused(const char* rpc, const Caller& caller, const absl::Status& status) {
  metrics_.CallRefused(rpc, status.code());
  const CallTimes no_time;
  const std::string none;
  Tell({rpc, none, caller, none, no_time}, status);
}

void Journal::Finished(const FinishedCall& call, const absl::Status& status) {
  const Duration total = call.times.waiting + call.times.running;
  metrics_.CallFinished(call.database, call.rpc, status.code(), total);
  if (!status.ok() && DetailOf(status).reason == "COMMIT_IN_DOUBT") {
    CommitInDoubt(call.database, "unknown");
  }
  if (!status.ok() || total >= kSlow) Tell(call, status);
}

void Journal::Tell(const FinishedCall& call, const absl::Status& status) {
  const ErrorDetail detail = DetailOf(status);
  Fields line;
  line["id"] = next_id_.fetch_add(1, std::memory_order_relaxed);
  line["rpc"] = call.rpc;
  line["database"] = call.database;
  line["caller"] = call.caller.name;
  line["caller_proven"] = call.caller.proof != Caller::Proof::kNone;
  if (!call.statement.empty()) line["statement"] = call.statement;
  line["code"] = absl::StatusCodeToString(status.code());
  const auto put = [&](const char* key, std::string_view value) {
    if (!value.empty()) line[key] = std::string(value);
  };
  put("reason", detail.reason);
  put("sqlstate", detail.sqlstate);
  put("stage", StageName(detail.stage));
  put("commit_token", detail.commit_token);
  // What the database says may quote a value: `invalid input syntax for type date: "..."`.
  const bool quotes_values = detail.reason == "SQL_ERROR" || !detail.sqlstate.empty();
  const bool shown = bind_values_ == BindValues::kShown;
  if (!quotes_values || shown) put("message", std::string(status.message()));
  put("cause", detail.for_operators);
  if (shown) put("detail", detail.server_detail);
  if (shown && call.values) {
    if (Fields values = call.values(); !values.empty()) line["values"] = std::move(values);
  }
  line["waiting_ms"] = Milliseconds(call.times.waiting);
  line["running_ms"] = Milliseconds(call.times.running);
  put("traceparent", call.caller.trace_parent);
  status.ok() ? log_.Info("slow call", line) : log_.Warn("failed call", line);
}

}  // namespace emsdb
