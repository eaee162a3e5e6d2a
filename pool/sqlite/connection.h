// Runs statements on an open SQLite database by the contract of pool/connection.h.
#ifndef EMSDB_POOL_SQLITE_CONNECTION_H_
#define EMSDB_POOL_SQLITE_CONNECTION_H_

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pool/connection.h"
#include "pool/sqlite/connector.h"
#include "pool/sqlite/session.h"

namespace emsdb::sqlite {

// A write is wrapped in BEGIN IMMEDIATE and COMMIT also where the caller has no transaction: SQLite
// alone would keep the rows of an INSERT ... RETURNING whose reader refuses one, and what an
// INSERT OR FAIL did before it failed. After an error inside a transaction without savepoints it is
// rolled back at once, which frees the file's lock, and the state is kFailed until the caller rolls
// back.
//
// Deadlines and stops are seen between rows and by callbacks from within a statement, never by
// sqlite3_interrupt, which could hit the next one. Used by one thread at a time.
class SqliteConnection final : public Connection {
 public:
  // `claim` is let go of after the database was closed; may be null.
  SqliteConnection(std::unique_ptr<Session> session, SqliteRole role, std::shared_ptr<void> claim)
      : claim_(std::move(claim)), session_(std::move(session)), role_(role) {}

  absl::StatusOr<Completion> Execute(const Statement& statement, const RunOptions& options,
                                     const Bounds& bounds, RowSink& sink) override;
  void ExecuteGroup(std::span<GroupedRead* const> reads, const Bounds& bounds) override;
  absl::Status ExecuteBatch(std::span<const GuardedStatement> statements,
                            const TransactionOptions& transaction, const RunOptions& options,
                            const Bounds& bounds, BatchSink& sink) override;
  absl::StatusOr<std::int64_t> CopyIn(const CopyTarget& target, const RunOptions& options,
                                      const Bounds& bounds, RowSource& source) override;
  absl::Status Begin(const TransactionOptions& transaction, const RunOptions& options,
                     const Bounds& bounds) override;
  using Connection::Commit;
  absl::Status Commit(const Bounds& bounds, CommitWitness* witness) override;
  absl::Status Savepoint(const SavepointAction& action, const Bounds& bounds) override;
  absl::Status RollBack(const Bounds& bounds) override;
  absl::Status Ping(const Bounds& bounds) override;
  bool LooksAlive() override;

  TransactionState transaction_state() const override;
  bool broken() const override { return broken_ || session_->damaged(); }
  bool given_up() const override { return false; }  // nothing of it is beyond its reach
  // What could be left behind (PRAGMA, ATTACH, temporary tables) is refused, or forgotten before
  // the next use (last_insert_rowid).
  bool session_changed() const override { return false; }

 private:
  // What keeps anything from being run; to be asked within the call's bounds.
  absl::Status Ready(Stage stage);
  absl::Status ReadyToBegin(const TransactionOptions& transaction);

  // Compiles and binds, and refuses what the connection or `access` forbids; runs nothing.
  absl::StatusOr<StatementHandle> Prepare(const Statement& statement, Access access);
  absl::Status CheckAccess(sqlite3_stmt* prepared, Access access) const;

  absl::StatusOr<Completion> RunPrepared(sqlite3_stmt* prepared, const std::string& sql,
                                         RowSink& sink);
  absl::StatusOr<Completion> RunByItself(const Statement& statement, Access access, RowSink& sink);
  absl::StatusOr<Completion> RunUnwrapped(const Statement& statement);
  absl::StatusOr<Completion> RunInTransaction(const Statement& statement, RowSink& sink);
  // Of a group; a failure says what is to become of it.
  absl::StatusOr<Completion> RunMember(GroupedRead& read, Instant since, const Bounds& group);
  absl::StatusOr<Completion> Read(GroupedRead& read);
  absl::Status InGroup(const absl::Status& failure);
  absl::Status RunAll(std::span<const GuardedStatement> statements, BatchSink& sink);

  // In the open transaction; how many rows were written.
  absl::StatusOr<std::int64_t> InsertRows(const CopyTarget& target, RowSource& source);

  // These move the database and `state_` together.
  absl::Status BeginNow(Access access);
  absl::Status CommitNow();
  void UndoNow(TransactionState afterwards);
  // A statement has failed: only rolling back is left, wholly or to a savepoint.
  void FailTransaction();

  // Where a use begins: last_insert_rowid() answers with this use's own number, or 0.
  void ForgetRowid();

  // Access is a state of the database: set before a read-only span, and set back behind it.
  absl::Status Restrict(Access access);
  void Unrestrict(Access access);

  const std::shared_ptr<void> claim_;  // destroyed last
  const std::unique_ptr<Session> session_;
  const SqliteRole role_;
  TransactionState state_ = TransactionState::kIdle;
  Access transaction_access_ = Access::kReadWrite;
  // As the callers name them, the oldest first. SQLite, which compares names without regard to
  // case, knows them by their numbers.
  std::vector<std::string> savepoints_;
  bool broken_ = false;
};

}  // namespace emsdb::sqlite

#endif  // EMSDB_POOL_SQLITE_CONNECTION_H_
