// An open database with its settings and safeguards: what a connection works on.
#ifndef EMSDB_POOL_SQLITE_SESSION_H_
#define EMSDB_POOL_SQLITE_SESSION_H_

#include <sqlite3.h>

#include <array>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "pool/connection.h"
#include "pool/sqlite/authorizer.h"
#include "pool/sqlite/connector.h"
#include "pool/sqlite/interruption.h"
#include "pool/sqlite/kept_statements.h"
#include "pool/sqlite/result_code.h"

namespace emsdb::sqlite {

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using DatabaseHandle = std::unique_ptr<sqlite3, CloseDatabase>;

// The driver's own statements, compiled at their first use.
enum class Control { kBeginRead, kBeginWrite, kCommit, kRollBack, kPing };

// Used by the connection's thread only.
class Session {
 public:
  // Opens and sets up within `bounds`. A failure says what is wrong with the file.
  static absl::StatusOr<std::unique_ptr<Session>> Open(const SqliteOptions& options, Clock& clock,
                                                       const Bounds& bounds);

  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  sqlite3* database() { return database_.get(); }
  Interruption& interruption() { return interruption_; }

  // Exactly one statement, compiled now or kept since.
  absl::StatusOr<StatementHandle> Prepare(const std::string& sql);

  // SQLITE_OK, or the extended result code.
  int Run(Control control);

  // A statement of the driver's own that is not worth keeping. SQLITE_OK, or the result code.
  int Run(const std::string& text);

  // Refuses writes by whatever way, or allows them again. SQLITE_OK, or the result code.
  int Allow(Access access);

  // Runs VACUUM, outside of any transaction.
  absl::Status Vacuum();

  // What SQLite says of the failure just now.
  SqlError LastError() const;
  // The same as a status; or why the interruption ended the statement, or the authorizer refused
  // it.
  absl::Status Failure(Phase phase, std::string_view sql);
  // The same of a statement's first step. Where that has compiled anew what was kept, the error is
  // one of compiling.
  absl::Status FirstFailure(const std::string& sql);
  // The same for a COMMIT.
  absl::Status CommitFailure();
  // Whether a failure was such that the connection must not be used any more.
  bool damaged() const { return damaged_; }

  // Whether SQLite itself is in a transaction; it may have rolled one back on its own.
  bool InTransaction() const { return sqlite3_get_autocommit(database_.get()) == 0; }

  // Whether the file at the path is no more the one that is open.
  bool FileHasMoved();

 private:
  Session(const SqliteOptions& options, const Clock& clock)
      : options_(options), interruption_(clock, options.busy_timeout) {}

  // Keeps nothing, and looks for nothing that is kept.
  absl::StatusOr<StatementHandle> Compile(const std::string& sql, unsigned flags);

  absl::Status OpenFile();
  absl::Status Harden();
  absl::Status UseWriteAheadLog();
  absl::Status Pragma(const char* sql, std::string* answer = nullptr);
  absl::Status OpenFailure() const;

  const SqliteOptions options_;
  bool damaged_ = false;
  Authorizer authorizer_;
  Interruption interruption_;
  DatabaseHandle database_;                  // destroyed before what it calls back
  std::array<StatementHandle, 5> controls_;  // destroyed before the database
  KeptStatements kept_;                      // as well
};

}  // namespace emsdb::sqlite

#endif  // EMSDB_POOL_SQLITE_SESSION_H_
