// How SQLite databases are opened. What runs on them is in connection.h.
#ifndef EMSDB_POOL_SQLITE_CONNECTOR_H_
#define EMSDB_POOL_SQLITE_CONNECTOR_H_

#include <atomic>
#include <memory>
#include <string>

#include "pool/connection.h"

namespace emsdb {

// What a connection is for. A file has one writer, since SQLite lets one write at a time and a line
// in the gateway is faster and fairer than SQLite's own waiting; and several readers beside it.
enum class SqliteRole {
  kReader,  // answers NeedsWriter() to whatever writes
  kWriter,  // may read too
  kBoth     // the one connection of an in-memory database
};

struct SqliteOptions {
  std::string path;  // of the file, which is created if it is not there; or ":memory:"
  SqliteRole role = SqliteRole::kBoth;
  // How long to wait for another process that holds the file's lock, if the deadline allows it.
  Duration busy_timeout = std::chrono::seconds(5);
};

// Opens connections to one file, or the one connection to a database in memory: there, a second
// one would be another, empty database, and is refused while the first is open. Whoever pools it
// must not recycle it: the data end with the connection.
//
// A file is put into write-ahead log mode, with synchronous=FULL: a write that was answered with
// OK survives a loss of power, at the cost of one fsync for each commit. The file must not be on a
// network disk, where the log's shared memory does not work. A reader that holds a long read keeps
// the log from being shortened: bound reads by a deadline.
//
// Off, beyond SQLite's own defaults: ATTACH, extensions, changes to the schema table, functions
// with side effects in a schema, "double quoted" text as a value. Foreign keys are enforced.
//
// Safe for use by several threads. `clock` must outlive every connection.
class SqliteConnector final : public Connector {
 public:
  SqliteConnector(SqliteOptions options, Clock& clock);

  absl::StatusOr<std::unique_ptr<Connection>> Open(const Bounds& bounds) override;

 private:
  const SqliteOptions options_;
  Clock& clock_;
  // Whether the database in memory is open; shared with its connection, which may live longer.
  const std::shared_ptr<std::atomic<bool>> memory_in_use_;
};

}  // namespace emsdb

#endif  // EMSDB_POOL_SQLITE_CONNECTOR_H_
