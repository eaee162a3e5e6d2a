// Connections to one PostgreSQL database.
#ifndef EMSDB_POOL_POSTGRES_CONNECTOR_H_
#define EMSDB_POOL_POSTGRES_CONNECTOR_H_

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "pool/clock.h"
#include "pool/connection.h"
#include "pool/errors.h"

namespace emsdb {

struct PostgresSettings {
  std::string uri;  // postgresql://..., with the password: never shown
  // How long after its deadline a statement may still answer to its cancel, before the connection
  // is given up.
  Duration cancel_grace = std::chrono::milliseconds(500);
  SessionReset session_reset = SessionReset::kWhenChanged;
  // The most statements that are kept prepared in each session; 0: none. None either where the
  // session is reset before every use, which drops them.
  std::size_t statement_cache = 100;
  ServerDetail server_detail = ServerDetail::kLeftOut;
};

struct PostgresShared;
class Conninfo;

// Safe for several threads. Connections may outlive it.
class PostgresConnector final : public Connector {
 public:
  // INVALID_ARGUMENT if the URI is none; the message shows nothing of it. `clock` must outlive the
  // connector and its connections.
  static absl::StatusOr<std::unique_ptr<PostgresConnector>> Create(const PostgresSettings& settings,
                                                                   const Clock& clock);
  ~PostgresConnector() override;

  absl::StatusOr<std::unique_ptr<Connection>> Open(const Bounds& bounds) override;

 private:
  PostgresConnector(std::unique_ptr<Conninfo> conninfo, std::shared_ptr<PostgresShared> shared);

  std::unique_ptr<Conninfo> conninfo_;
  std::shared_ptr<PostgresShared> shared_;
};

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_CONNECTOR_H_
