#include "pool/sqlite/connection.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "pool/sql_lexer.h"
#include "pool/sqlite/refusals.h"
#include "pool/sqlite/values.h"
#include "pool/statement_facts.h"

namespace emsdb::sqlite {
namespace {

// Whether SQLite's count of changes belongs to this statement: after any other it is still the one
// of the last write. Behind WITH, what is no query is one of the three.
bool CountsChanges(sqlite3_stmt* prepared, std::string_view command) {
  constexpr std::array<std::string_view, 5> kWrites = {"INSERT", "REPLACE", "UPDATE", "DELETE",
                                                       "WITH"};
  return sqlite3_stmt_readonly(prepared) == 0 &&
         std::find(kWrites.begin(), kWrites.end(), command) != kWrites.end();
}

bool IsIoError(int result_code) { return (result_code & 0xFF) == SQLITE_IOERR; }

Access Stricter(Access a, Access b) {
  return a == Access::kReadOnly || b == Access::kReadOnly ? Access::kReadOnly : Access::kReadWrite;
}

}  // namespace

absl::Status SqliteConnection::Ready(Stage stage) {
  if (broken()) return ConnectionUnavailable("the connection is broken", stage);
  if (session_->interruption().Due()) return session_->interruption().Cause(stage);
  return absl::OkStatus();
}

absl::Status SqliteConnection::ReadyToBegin(const TransactionOptions& transaction) {
  if (absl::Status ready = Ready(Stage::kRunning); !ready.ok()) return ready;
  if (state_ != TransactionState::kIdle) {
    return absl::FailedPreconditionError("the connection is in a transaction already");
  }
  if (transaction.deferrable) {
    return InvalidField("options.deferrable", "SQLite has no deferrable transactions");
  }
  // SQLite's transactions are serializable, whatever was asked for.
  return absl::OkStatus();
}

TransactionState SqliteConnection::transaction_state() const {
  return broken() ? TransactionState::kUnknown : state_;
}

absl::Status SqliteConnection::Restrict(Access access) {
  if (access == Access::kReadWrite || role_ == SqliteRole::kReader) return absl::OkStatus();
  if (session_->Allow(Access::kReadOnly) != SQLITE_OK) {
    return session_->Failure(Phase::kPreparing, "");
  }
  return absl::OkStatus();
}

void SqliteConnection::Unrestrict(Access access) {
  if (access == Access::kReadWrite || role_ == SqliteRole::kReader) return;
  if (session_->Allow(Access::kReadWrite) != SQLITE_OK) broken_ = true;
}

absl::Status SqliteConnection::CheckAccess(sqlite3_stmt* prepared, Access access) const {
  if (sqlite3_stmt_readonly(prepared) != 0) return absl::OkStatus();
  if (access == Access::kReadOnly) return ReadOnlyRefused();
  return role_ == SqliteRole::kReader ? NeedsWriter() : absl::OkStatus();
}

absl::StatusOr<StatementHandle> SqliteConnection::Prepare(const Statement& statement,
                                                          Access access) {
  auto prepared = session_->Prepare(statement.sql);
  if (!prepared.ok()) return prepared;
  if (absl::Status status = Bind(prepared->get(), statement.parameters); !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckAccess(prepared->get(), access); !status.ok()) return status;
  return prepared;
}

absl::StatusOr<Completion> SqliteConnection::RunPrepared(sqlite3_stmt* prepared,
                                                         const std::string& sql, RowSink& sink) {
  Completion completion = {.command = FactsOf(sql)->leading_keyword};
  std::int64_t rows = 0;
  std::vector<Cell> cells;
  for (bool first = true;; first = false) {
    const int result = sqlite3_step(prepared);
    if (result != SQLITE_ROW && result != SQLITE_DONE) {
      return first ? session_->FirstFailure(sql) : session_->Failure(Phase::kRunning, sql);
    }
    // Not before the first step, which compiles anew if the schema has changed.
    if (first && sqlite3_column_count(prepared) > 0) {
      if (absl::Status status = sink.OnColumns(ColumnsOf(prepared)); !status.ok()) return status;
    }
    if (result == SQLITE_DONE) break;
    if (session_->interruption().Due()) return session_->interruption().Cause(Stage::kRunning);
    if (absl::Status status = ReadRow(prepared, ++rows, cells); !status.ok()) return status;
    if (absl::Status status = sink.OnRow(cells); !status.ok()) return status;
  }
  completion.rows_affected =
      CountsChanges(prepared, completion.command) ? sqlite3_changes64(session_->database()) : rows;
  return completion;
}

absl::StatusOr<Completion> SqliteConnection::RunByItself(const Statement& statement, Access access,
                                                         RowSink& sink) {
  auto prepared = Prepare(statement, access);
  if (!prepared.ok()) return prepared.status();
  if (sqlite3_stmt_readonly(prepared->get()) != 0) {
    return RunPrepared(prepared->get(), statement.sql, sink);
  }
  if (absl::Status status = BeginNow(Access::kReadWrite); !status.ok()) return status;
  auto completion = RunPrepared(prepared->get(), statement.sql, sink);
  prepared->reset();
  if (completion.ok()) {
    if (absl::Status late = Ready(Stage::kRunning); !late.ok()) completion = late;
  }
  if (!completion.ok()) {
    UndoNow(TransactionState::kIdle);
    return completion;
  }
  if (absl::Status status = CommitNow(); !status.ok()) return status;
  return completion;
}

// The text itself is never compiled: VACUUM alone is let through, and run in our own words.
absl::StatusOr<Completion> SqliteConnection::RunUnwrapped(const Statement& statement) {
  if (state_ != TransactionState::kIdle) {
    return absl::FailedPreconditionError("the connection is in a transaction");
  }
  SqlLexer lexer(statement.sql);
  if (lexer.NextWord() != "VACUUM" || !statement.parameters.empty()) {
    return InvalidField("outside_transaction", "only for VACUUM in SQLite");
  }
  Token rest = lexer.Next();
  while (rest.text == ";") rest = lexer.Next();
  if (rest.kind != TokenKind::kEnd) {
    return NotAllowed("VACUUM with anything behind it", "it would write another file");
  }
  if (role_ == SqliteRole::kReader) return NeedsWriter();
  if (session_->FileHasMoved()) {
    broken_ = true;
    return ConnectionUnavailable("the database's file was replaced or removed", Stage::kRunning);
  }
  if (absl::Status status = session_->Vacuum(); !status.ok()) return status;
  return Completion{.command = "VACUUM"};
}

absl::StatusOr<Completion> SqliteConnection::RunInTransaction(const Statement& statement,
                                                              RowSink& sink) {
  auto completion = [&]() -> absl::StatusOr<Completion> {
    auto prepared = Prepare(statement, transaction_access_);
    if (!prepared.ok()) return prepared.status();
    return RunPrepared(prepared->get(), statement.sql, sink);
  }();
  if (completion.ok()) return completion;
  FailTransaction();
  return EndingItsTransaction(completion.status());
}

absl::StatusOr<Completion> SqliteConnection::Execute(const Statement& statement,
                                                     const RunOptions& options,
                                                     const Bounds& bounds, RowSink& sink) {
  const Interruption::Within within(session_->interruption(), bounds);
  if (absl::Status ready = Ready(Stage::kRunning); !ready.ok()) return ready;
  if (options.wrapping == Wrapping::kNone) {
    if (options.access == Access::kReadOnly) return ReadOnlyRefused();
    return RunUnwrapped(statement);
  }
  if (absl::Status status = CheckStatement(statement); !status.ok()) return status;
  if (state_ == TransactionState::kFailed) return TransactionFailed();
  if (state_ == TransactionState::kOpen) return RunInTransaction(statement, sink);
  ForgetRowid();
  if (absl::Status status = Restrict(options.access); !status.ok()) return status;
  auto completion = RunByItself(statement, options.access, sink);
  Unrestrict(options.access);
  return completion;
}

absl::Status SqliteConnection::RunAll(std::span<const GuardedStatement> statements,
                                      BatchSink& sink) {
  for (std::size_t i = 0; i < statements.size(); ++i) {
    const int index = static_cast<int>(i);
    const Statement& statement = statements[i].statement;
    const auto prepared = Prepare(statement, transaction_access_);
    if (!prepared.ok()) return AtStatement(prepared.status(), index);
    const auto done = RunPrepared(prepared->get(), statement.sql, sink.Rows(i));
    if (!done.ok()) return AtStatement(done.status(), index);
    const auto& expected = statements[i].expect_rows;
    if (expected && *expected != done->rows_affected) {
      return RowsMismatch(index, *expected, done->rows_affected);
    }
    sink.Completed(i, *done);
  }
  return Ready(Stage::kRunning);
}

absl::Status SqliteConnection::ExecuteBatch(std::span<const GuardedStatement> statements,
                                            const TransactionOptions& transaction,
                                            const RunOptions& options, const Bounds& bounds,
                                            BatchSink& sink) {
  const Interruption::Within within(session_->interruption(), bounds);
  if (absl::Status ready = ReadyToBegin(transaction); !ready.ok()) return ready;
  for (std::size_t i = 0; i < statements.size(); ++i) {
    absl::Status status = CheckStatement(statements[i].statement);
    if (!status.ok()) return AtStatement(status, static_cast<int>(i));
  }
  absl::Status status = BeginNow(Stricter(transaction.access, options.access));
  if (!status.ok()) return status;
  status = RunAll(statements, sink);
  if (!status.ok()) {
    UndoNow(TransactionState::kIdle);
    return status;
  }
  return CommitNow();
}

absl::Status SqliteConnection::BeginNow(Access access) {
  if (access == Access::kReadWrite && role_ == SqliteRole::kReader) return NeedsWriter();
  // What is written to a file that was replaced would be answered and then lost.
  if (session_->FileHasMoved()) {
    broken_ = true;
    return ConnectionUnavailable("the database's file was replaced or removed", Stage::kRunning);
  }
  if (absl::Status status = Restrict(access); !status.ok()) return status;
  // Not deferred for a writer: it would have to wait for the lock later, when SQLite no longer can.
  const Control begin = access == Access::kReadOnly ? Control::kBeginRead : Control::kBeginWrite;
  if (session_->Run(begin) != SQLITE_OK) {
    absl::Status status = session_->Failure(Phase::kPreparing, "");
    Unrestrict(access);
    return status;
  }
  ForgetRowid();
  state_ = TransactionState::kOpen;
  savepoints_.clear();
  transaction_access_ = access;
  return absl::OkStatus();
}

absl::Status SqliteConnection::CommitNow() {
  int result = SQLITE_OK;
  {
    const Interruption::Suspended suspended(session_->interruption());
    result = session_->Run(Control::kCommit);
  }
  if (result == SQLITE_OK) {
    state_ = TransactionState::kIdle;
    Unrestrict(transaction_access_);
    return absl::OkStatus();
  }
  absl::Status status = session_->CommitFailure();
  UndoNow(TransactionState::kIdle);
  // The log may hold the whole commit though SQLite was told that it could not be made safe: after
  // a crash it may be found there.
  if (!IsIoError(result)) return status;
  broken_ = true;
  return OutcomeUnknown(std::string(status.message()), Stage::kCommitting);
}

void SqliteConnection::ForgetRowid() { sqlite3_set_last_insert_rowid(session_->database(), 0); }

void SqliteConnection::UndoNow(TransactionState afterwards) {
  const Interruption::Suspended suspended(session_->interruption());
  // SQLite may have rolled back by itself.
  if (session_->InTransaction()) session_->Run(Control::kRollBack);
  if (session_->InTransaction()) broken_ = true;
  Unrestrict(transaction_access_);
  savepoints_.clear();
  state_ = afterwards;
}

absl::Status SqliteConnection::Begin(const TransactionOptions& transaction,
                                     const RunOptions& /*options*/, const Bounds& bounds) {
  const Interruption::Within within(session_->interruption(), bounds);
  if (absl::Status ready = ReadyToBegin(transaction); !ready.ok()) return ready;
  return BeginNow(transaction.access);
}

// Its commits are never in doubt, but for a disk that fails: there is nothing to be told.
absl::Status SqliteConnection::Commit(const Bounds& bounds, CommitWitness* /*witness*/) {
  const Interruption::Within within(session_->interruption(), bounds);
  if (absl::Status ready = Ready(Stage::kCommitting); !ready.ok()) return ready;
  if (state_ == TransactionState::kIdle) {
    return absl::FailedPreconditionError("there is no transaction to commit");
  }
  if (state_ == TransactionState::kFailed) {
    UndoNow(TransactionState::kIdle);
    return CommitRolledBack();
  }
  absl::Status status = CommitNow();
  return status.ok() ? status : EndingItsTransaction(status);
}

// Not within its bounds: it is short, and ending it early would help nobody.
absl::Status SqliteConnection::RollBack(const Bounds& /*bounds*/) {
  if (!broken() && state_ != TransactionState::kIdle) UndoNow(TransactionState::kIdle);
  if (broken()) return ConnectionUnavailable("the connection is broken", Stage::kRunning);
  state_ = TransactionState::kIdle;
  return absl::OkStatus();
}

absl::Status SqliteConnection::Ping(const Bounds& bounds) {
  const Interruption::Within within(session_->interruption(), bounds);
  if (absl::Status ready = Ready(Stage::kConnecting); !ready.ok()) return ready;
  if (session_->FileHasMoved()) {
    broken_ = true;
    return ConnectionUnavailable("the database's file was replaced or removed", Stage::kConnecting);
  }
  if (session_->Run(Control::kPing) == SQLITE_OK) return absl::OkStatus();
  return session_->Failure(Phase::kPreparing, "");
}

bool SqliteConnection::LooksAlive() { return !broken() && !session_->FileHasMoved(); }

}  // namespace emsdb::sqlite
