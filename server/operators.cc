#include "server/operators.h"

#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "pool/errors.h"
#include "server/pool_status.h"

namespace emsdb {
namespace {

// "ipv4:127.0.0.1:5000" is "127.0.0.1"; "ipv6:[::1]:5000" is "::1", with its brackets written as
// %5B and %5D, too. Empty for a text that is neither.
std::string HostOf(std::string_view peer) {
  const std::size_t scheme = peer.find(':');
  const std::size_t port = peer.rfind(':');
  if (scheme == std::string_view::npos || port <= scheme) return "";
  std::string_view host = peer.substr(scheme + 1, port - scheme - 1);
  for (const std::string_view bracket : {"[", "%5B", "%5b"}) {
    if (host.starts_with(bracket)) host.remove_prefix(bracket.size());
  }
  for (const std::string_view bracket : {"]", "%5D", "%5d"}) {
    if (host.ends_with(bracket)) host.remove_suffix(bracket.size());
  }
  return std::string(host);
}

absl::Status Forbidden(const std::string& why) {
  return WithDetail(absl::PermissionDeniedError(why),
                    {.reason = "OPERATING_FORBIDDEN", .retry = Retry::kNo});
}

absl::Status Embedded() {
  return WithDetail(
      absl::FailedPreconditionError(
          "database: it is embedded (SQLite), and its pools have no size of their own"),
      {.reason = "POOL_HAS_NO_SIZE", .field = "database", .retry = Retry::kNo});
}

}  // namespace

bool IsThisMachine(const std::string& peer) {
  if (peer.starts_with("unix:") || peer.starts_with("unix-abstract:")) return true;
  const std::string host = HostOf(peer);
  if (peer.starts_with("ipv4:")) return host.starts_with("127.");
  if (!peer.starts_with("ipv6:")) return false;
  return host == "::1" || host.starts_with("::ffff:127.");
}

absl::Status CheckMayOperate(const Caller& caller, const std::string& peer) {
  if (caller.rights) {
    if (caller.rights->operating == Operating::kAllowed) return absl::OkStatus();
    return Forbidden(absl::StrFormat("caller %s has no right to operate", caller.name));
  }
  if (IsThisMachine(peer)) return absl::OkStatus();
  return Forbidden(
      "without EMSDB_TOKENS_FILE only the gateway's own machine may operate, by loopback or a Unix "
      "socket");
}

absl::Status Operate(Gateway& gateway, const char* rpc, const grpc::ServerContextBase& context,
                     const std::string& database, v1::PoolStatus& status,
                     absl::FunctionRef<absl::Status(Database& database)> act) {
  const OpenCalls::Entry entry = gateway.open_calls.Enter();
  if (!entry) return OpenCalls::ShuttingDown();
  const auto basics = Admit(rpc, context, gateway, v1::PRIORITY_UNSPECIFIED, kDefaultDeadline);
  if (!basics.ok()) return basics.status();
  absl::Status allowed = CheckMayOperate(basics->caller, context.peer());
  if (!allowed.ok()) return allowed;
  const auto found = FindDatabase(gateway, basics->caller, database);
  if (!found.ok()) return found.status();
  v1::PoolStatus before;
  Describe(gateway, **found, before);
  absl::Status acted = act(**found);
  if (!acted.ok()) return acted;
  Describe(gateway, **found, status);
  gateway.journal.Operated({rpc, basics->caller, context.peer(), before, status});
  return absl::OkStatus();
}

absl::Status Pause(Database& database) {
  for (Pool* pool : database.pools()) pool->Pause();
  return absl::OkStatus();
}

absl::Status Resume(Database& database) {
  for (Pool* pool : database.pools()) pool->Resume();
  return absl::OkStatus();
}

absl::Status Reconnect(Database& database) {
  for (Pool* pool : database.pools()) pool->Reconnect();
  return absl::OkStatus();
}

absl::Status Resize(Database& database, const v1::ResizePoolRequest& request) {
  if (database.settings().engine == Engine::kSqlite) return Embedded();
  Pool& pool = database.PoolFor(Access::kReadWrite);
  PoolLimits limits = pool.limits();
  if (request.has_size()) limits.size = request.size();
  if (request.has_max_overflow()) limits.overflow = request.max_overflow();
  const auto complaints = Complaints(limits);
  if (!complaints.empty()) {
    return InvalidField(request.has_size() ? "size" : "max_overflow",
                        absl::StrJoin(complaints, "; "));
  }
  pool.Resize(limits.size, limits.overflow);
  return absl::OkStatus();
}

}  // namespace emsdb
