// Logical database -> its pools. Four names or more, each with a pool of its own, also where two
// share a URL. PostgreSQL has one pool a database. An SQLite file has a pool of readers for each
// database in it, and one writer, a pool of one connection, for all of them: SQLite lets one write
// at a time, and a line in front of it is fairer and faster than polling for its lock.
#ifndef EMSDB_POOL_POOL_MANAGER_H_
#define EMSDB_POOL_POOL_MANAGER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "pool/database_settings.h"
#include "pool/later.h"
#include "pool/pool.h"
#include "pool/transactions.h"

namespace emsdb {

// What connections of a pool are for.
enum class Role { kReadWrite, kReader };

using ConnectorFactory =
    std::function<std::unique_ptr<Connector>(const DatabaseSettings& settings, Role role)>;
using ObserverFactory = std::function<PoolObserver&(const std::string& database)>;

class Database {
 public:
  Database(DatabaseSettings settings, std::shared_ptr<Pool> readers, std::shared_ptr<Pool> writer)
      : settings_(std::move(settings)), readers_(std::move(readers)), writer_(std::move(writer)) {}

  const DatabaseSettings& settings() const { return settings_; }

  // The pool for a transaction, or for a statement that was not looked at.
  Pool& PoolFor(Access access) { return access == Access::kReadOnly ? *readers_ : *writer_; }

  // The pool where this statement most likely can run, and the one to go on to if it cannot.
  struct Route {
    Pool& pool;
    Pool* writer;  // null: there is no other
  };
  Route RouteFor(Access access, std::string_view sql);

  // Each of its pools once.
  std::vector<Pool*> pools() {
    if (writer_ == readers_) return {readers_.get()};
    return {readers_.get(), writer_.get()};
  }

  // The pool of the most connections, and the writer where that is another.
  const Pool& pool() const { return *readers_; }
  const Pool* writer() const { return writer_ == readers_ ? nullptr : writer_.get(); }

 private:
  const DatabaseSettings settings_;
  const std::shared_ptr<Pool> readers_;
  const std::shared_ptr<Pool> writer_;  // the same one on PostgreSQL and in memory
};

// Safe for use by any number of threads.
class PoolManager {
 public:
  PoolManager(const std::vector<DatabaseSettings>& databases, const ConnectorFactory& connectors,
              Clock& clock, const ObserverFactory& observers);
  ~PoolManager();

  // NOT_FOUND names what there is. "" is "main".
  absl::StatusOr<Database*> Find(const std::string& name);

  // In the order of their names.
  std::vector<Database*> databases();

  Transactions& transactions() { return *transactions_; }
  Later& later() { return later_; }
  Clock& clock() { return clock_; }

  // Ends idle transactions at once, lets what runs or waits finish until `deadline`, then stops it;
  // closes everything. True if nothing had to be stopped.
  bool Drain(Instant deadline);

 private:
  std::shared_ptr<Pool> MakePool(const DatabaseSettings& settings, const PoolLimits& limits,
                                 Role role, const ConnectorFactory& connectors,
                                 PoolObserver& observer);
  void AddSqlite(const DatabaseSettings& settings, const ConnectorFactory& connectors,
                 PoolObserver& observer);

  Clock& clock_;
  UpkeepThread upkeep_;
  Later later_{upkeep_};
  std::vector<std::shared_ptr<Pool>> pools_;
  std::map<std::string, std::shared_ptr<Pool>> sqlite_writers_;  // by path
  std::map<std::string, std::unique_ptr<Database>> databases_;
  std::unique_ptr<Transactions> transactions_;
};

}  // namespace emsdb

#endif  // EMSDB_POOL_POOL_MANAGER_H_
