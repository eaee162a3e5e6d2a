#include "pool/sqlite/connector.h"

#include <utility>

#include "pool/errors.h"
#include "pool/sqlite/connection.h"
#include "pool/sqlite/session.h"

namespace emsdb {
namespace {

// Ends when the last copy does.
std::shared_ptr<void> Claim(const std::shared_ptr<std::atomic<bool>>& in_use) {
  if (in_use->exchange(true)) return nullptr;
  return {nullptr, [in_use](void*) { in_use->store(false); }};
}

}  // namespace

SqliteConnector::SqliteConnector(SqliteOptions options, Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      memory_in_use_(std::make_shared<std::atomic<bool>>(false)) {}

absl::StatusOr<std::unique_ptr<Connection>> SqliteConnector::Open(const Bounds& bounds) {
  if (options_.path.empty()) return absl::InvalidArgumentError("an SQLite database needs a path");
  std::shared_ptr<void> claim;
  if (options_.path == ":memory:") {
    if (options_.role != SqliteRole::kBoth) {
      return absl::InvalidArgumentError(
          "an SQLite database in memory has one connection, which both reads and writes");
    }
    claim = Claim(memory_in_use_);
    if (claim.use_count() == 0) {
      return absl::FailedPreconditionError(
          "an SQLite database in memory has one connection, which is open already");
    }
  }
  auto session = sqlite::Session::Open(options_, clock_, bounds);
  if (!session.ok()) return session.status();
  return std::make_unique<sqlite::SqliteConnection>(*std::move(session), options_.role,
                                                    std::move(claim));
}

}  // namespace emsdb
