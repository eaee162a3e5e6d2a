#include "server/admission.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "pool/errors.h"
#include "server/convert.h"

namespace emsdb {
absl::StatusOr<Priority> GrantedPriority(const Caller& caller, v1::Priority requested) {
  std::optional<Priority> wanted = caller.usual_priority;
  if (requested != v1::PRIORITY_UNSPECIFIED) {
    const auto named = ToPriority(requested);
    if (!named.ok()) return named.status();
    wanted = *named;
  }
  if (caller.rights) return caller.rights->Granted(wanted);
  return wanted.value_or(Priority::kOperations);
}

absl::Status CheckMayWrite(const Caller& caller) {
  if (!caller.rights || caller.rights->access == Access::kReadWrite) return absl::OkStatus();
  return WithDetail(
      absl::PermissionDeniedError(absl::StrFormat("caller %s may only read", caller.name)),
      {.reason = "READ_ONLY_CALLER", .retry = Retry::kNo});
}

Instant DeadlineOf(const grpc::ServerContextBase& context, Clock& clock, Duration unset) {
  using std::chrono::system_clock;
  const Instant now = clock.Now();
  const system_clock::time_point deadline = context.deadline();
  if (deadline == system_clock::time_point::max()) return now + unset;
  const system_clock::time_point wall = system_clock::now();
  // gRPC hands out times beyond what a duration in nanoseconds can hold for "very far".
  if (deadline > wall + kLongestDeadline) return now + kLongestDeadline;
  return now + std::chrono::duration_cast<Duration>(deadline - wall);
}

absl::StatusOr<CallBasics> Admit(const char* rpc, const grpc::ServerContextBase& context,
                                 Gateway& gateway, v1::Priority priority, Duration unset_deadline) {
  CallBasics basics{.rpc = rpc, .database = {}, .caller = {}, .options = {}};
  auto caller = gateway.authority.Identify(context);
  if (!caller.ok()) return std::move(caller).status();
  const auto granted = GrantedPriority(*caller, priority);
  if (!granted.ok()) return granted.status();
  basics.caller = *std::move(caller);
  basics.options.caller = basics.caller.name;
  basics.options.priority = *granted;
  basics.options.deadline = DeadlineOf(context, gateway.pools.clock(), unset_deadline);
  return basics;
}

absl::Status CheckMayUse(const Caller& caller, const std::string& database) {
  if (!caller.rights || caller.rights->MayUse(database)) return absl::OkStatus();
  return WithDetail(absl::PermissionDeniedError(
                        absl::StrFormat("database: caller %s may use %s only", caller.name,
                                        absl::StrJoin(*caller.rights->databases, ", "))),
                    {.reason = "DATABASE_FORBIDDEN", .field = "database", .retry = Retry::kNo});
}

absl::StatusOr<Database*> FindDatabase(Gateway& gateway, const Caller& caller,
                                       const std::string& name) {
  absl::Status allowed = CheckMayUse(caller, name.empty() ? "main" : name);
  if (!allowed.ok()) return allowed;
  return gateway.pools.Find(name);
}

std::vector<Database*> DatabasesOf(Gateway& gateway, const Caller& caller) {
  std::vector<Database*> databases = gateway.pools.databases();
  std::erase_if(databases, [&](const Database* database) {
    return !CheckMayUse(caller, database->settings().name).ok();
  });
  return databases;
}

}  // namespace emsdb
