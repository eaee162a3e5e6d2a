#include "pool/postgres/link.h"

#include <poll.h>

#include <algorithm>
#include <exception>
#include <pqxx/basic_connection>
#include <pqxx/connectionpolicy>
#include <pqxx/except>
#include <string>
#include <utility>
#include <vector>

#include "pool/errors.h"
#include "pool/postgres/connect_failure.h"
#include "pool/postgres/resolve.h"
#include "pool/postgres/wire.h"

namespace emsdb {
namespace {

// What the policy below is to do, and what became of it. libpqxx makes the policy itself and gives
// it a text only, so this reaches it through the thread that opens.
struct Opening {
  const Conninfo& conninfo;
  const Clock& clock;
  Instant deadline;
  const StopSignal* stop;
  PGconn* handle = nullptr;
  absl::Status status = absl::OkStatus();
};
thread_local Opening* current_opening = nullptr;

class OpeningScope {
 public:
  explicit OpeningScope(Opening& opening) { current_opening = &opening; }
  ~OpeningScope() { current_opening = nullptr; }
  OpeningScope(const OpeningScope&) = delete;
  OpeningScope& operator=(const OpeningScope&) = delete;
};

absl::Status Failed(const Opening& opening) {
  return ConnectFailed(opening.conninfo.Redact(PQerrorMessage(opening.handle)));
}

absl::Status WaitForServer(Opening& opening) {
  PostgresPollingStatusType want = PGRES_POLLING_WRITING;
  while (want != PGRES_POLLING_OK) {
    const int socket = PQsocket(opening.handle);
    if (want == PGRES_POLLING_FAILED || socket < 0) {
      return Failed(opening);
    }
    const short events = want == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    const int stop_fd = opening.stop == nullptr ? -1 : opening.stop->fd();
    switch (PollUntil(opening.clock, opening.deadline, socket, events, stop_fd)) {
      case Woken::kDeadline:
        return DeadlineExceeded(Stage::kConnecting);
      case Woken::kOther:
        return Stopped(opening.stop->raised(), Stage::kConnecting);
      case Woken::kReady:
        want = PQconnectPoll(opening.handle);
    }
  }
  return absl::OkStatus();
}

absl::Status Connect(Opening& opening) {
  opening.handle =
      PQconnectStartParams(opening.conninfo.Keywords().data(), opening.conninfo.Values().data(), 0);
  if (opening.handle == nullptr) return absl::ResourceExhaustedError("out of memory");
  PQsetNoticeReceiver(
      opening.handle, [](void*, const PGresult*) {}, nullptr);
  PQsetErrorVerbosity(opening.handle, PQERRORS_VERBOSE);
  if (PQstatus(opening.handle) == CONNECTION_BAD) {
    return Failed(opening);
  }
  return WaitForServer(opening);
}

// Opens under a deadline, once. libpqxx calls it again wherever it believes that a connection
// could be brought back: by then there is no opening under way, and it refuses.
class DeadlinePolicy : public pqxx::connectionpolicy {
 public:
  using pqxx::connectionpolicy::connectionpolicy;

  handle do_startconnect(handle orig) override {
    if (orig != nullptr) return orig;
    Opening* const opening = current_opening;
    if (opening == nullptr || opening->handle != nullptr) throw pqxx::broken_connection("closed");
    opening->status = Connect(*opening);
    if (!opening->status.ok()) {
      PQfinish(opening->handle);
      throw pqxx::broken_connection("not opened");
    }
    return opening->handle;
  }

  handle do_completeconnect(handle orig) override { return orig; }
};

}  // namespace

class Link::Session : public pqxx::basic_connection_base<DeadlinePolicy> {
 public:
  Session() {
    // Without this libpqxx opens a lost connection anew behind one's back, and what was a
    // transaction goes on without one. Deprecated, since later versions never do it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    inhibit_reactivation(true);
#pragma GCC diagnostic pop
  }
};

absl::StatusOr<std::unique_ptr<Link>> Link::Open(const Conninfo& conninfo, const Clock& clock,
                                                 const Bounds& bounds) {
  const std::vector<Conninfo> hosts = conninfo.EachHost();
  absl::Status last;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const Instant now = clock.Now();
    if (bounds.deadline <= now) return DeadlineExceeded(Stage::kConnecting);
    // Each host has an equal share of the time that is left, or what the URI gives it.
    Instant deadline = bounds.deadline;
    if (bounds.deadline != kNever) {
      deadline = now + (bounds.deadline - now) / static_cast<int>(hosts.size() - i);
    }
    if (const auto limit = conninfo.connect_timeout()) {
      deadline = std::min(bounds.deadline, After(now, *limit));
    }
    auto link = OpenOne(hosts[i], clock, {.deadline = deadline, .stop = bounds.stop});
    if (link.ok()) return link;
    last = link.status();
    if (bounds.stop != nullptr && bounds.stop->raised() != StopReason::kNone) break;
  }
  return last;
}

absl::StatusOr<std::unique_ptr<Link>> Link::OpenOne(const Conninfo& conninfo, const Clock& clock,
                                                    const Bounds& bounds) {
  if (const auto name = conninfo.host_name()) {
    const auto addresses = Resolve(*name, clock, bounds);
    if (!addresses.ok()) return addresses.status();
    return OpenOne(conninfo.WithAddresses(*addresses), clock, bounds);
  }
  Opening opening{conninfo, clock, bounds.deadline, bounds.stop};
  const OpeningScope scope(opening);
  try {
    auto session = std::make_unique<Session>();
    return std::unique_ptr<Link>(new Link(std::move(session), opening.handle));
  } catch (const std::exception& e) {
    if (!opening.status.ok()) return opening.status;
    return ConnectFailed(conninfo.Redact(e.what()));
  }
}

Link::Link(std::unique_ptr<Session> session, PGconn* handle)
    : session_(std::move(session)), handle_(handle) {}

Link::~Link() = default;

}  // namespace emsdb
