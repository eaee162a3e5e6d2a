#include "pool/postgres/connector.h"

#include <utility>

#include "pool/errors.h"
#include "pool/postgres/connect_failure.h"
#include "pool/postgres/connection.h"
#include "pool/postgres/conninfo.h"
#include "pool/postgres/link.h"

namespace emsdb {

absl::StatusOr<std::unique_ptr<PostgresConnector>> PostgresConnector::Create(
    const PostgresSettings& settings, const Clock& clock) {
  auto conninfo = Conninfo::Parse(settings.uri);
  if (!conninfo.ok()) return conninfo.status();
  auto shared = std::make_shared<PostgresShared>(clock);
  shared->application_name = conninfo->application_name();
  shared->cancel_grace = settings.cancel_grace;
  shared->session_reset = settings.session_reset;
  shared->statement_cache = settings.statement_cache;
  shared->server_detail = settings.server_detail;
  return std::unique_ptr<PostgresConnector>(
      new PostgresConnector(std::make_unique<Conninfo>(*std::move(conninfo)), std::move(shared)));
}

PostgresConnector::PostgresConnector(std::unique_ptr<Conninfo> conninfo,
                                     std::shared_ptr<PostgresShared> shared)
    : conninfo_(std::move(conninfo)), shared_(std::move(shared)) {}

PostgresConnector::~PostgresConnector() = default;

absl::StatusOr<std::unique_ptr<Connection>> PostgresConnector::Open(const Bounds& bounds) {
  auto link = Link::Open(*conninfo_, shared_->clock, bounds);
  if (!link.ok()) return link.status();
  auto connection = std::make_unique<PostgresConnection>(*std::move(link), shared_);
  if (absl::Status ready = connection->Prepare(bounds); !ready.ok()) {
    // The server's own words are for operators, as they are where it refuses the login.
    const std::string sqlstate = DetailOf(ready).sqlstate;
    if (!sqlstate.empty()) return ConnectRefused(sqlstate, std::string(ready.message()));
    return AtStage(std::move(ready), Stage::kConnecting);
  }
  return std::unique_ptr<Connection>(std::move(connection));
}

}  // namespace emsdb
