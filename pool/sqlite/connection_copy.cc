// Rows in bulk: one prepared INSERT, run for each row in one transaction.
#include <string>

#include "absl/strings/str_format.h"
#include "pool/copy_target.h"
#include "pool/errors.h"
#include "pool/names.h"
#include "pool/sqlite/connection.h"
#include "pool/sqlite/values.h"

namespace emsdb::sqlite {
namespace {

std::string InsertInto(const CopyTarget& target, std::size_t cells) {
  std::string sql = "INSERT INTO " + QuotedTable(target) + QuotedColumns(target);
  for (std::size_t i = 0; i < cells; ++i) sql += i == 0 ? " VALUES (?" : ", ?";
  return sql + ')';
}

// An error of a statement that the caller has not sent.
absl::Status OwnStatement(const absl::Status& status) {
  ErrorDetail detail = DetailOf(status);
  if (!detail.field.empty()) detail.field = "start";
  detail.position = 0;
  return WithDetail(status, detail);
}

// SQLite would take the row before's cell for one that is missing.
absl::Status CheckCount(std::size_t cells, sqlite3_stmt* insert, std::string_view field) {
  const int wanted = sqlite3_bind_parameter_count(insert);
  if (cells == static_cast<std::size_t>(wanted) && wanted > 0) return absl::OkStatus();
  return InvalidField(field, absl::StrFormat("the row has %d cells, %d are wanted", cells, wanted));
}

}  // namespace

absl::StatusOr<std::int64_t> SqliteConnection::CopyIn(const CopyTarget& target,
                                                      const RunOptions& options,
                                                      const Bounds& bounds, RowSource& source) {
  const Interruption::Within within(session_->interruption(), bounds);
  if (absl::Status names = CheckCopyTarget(target, kAnyLength); !names.ok()) return names;
  if (absl::Status ready = ReadyToBegin({}); !ready.ok()) return ready;
  if (absl::Status begun = BeginNow(options.access); !begun.ok()) return begun;
  auto rows = InsertRows(target, source);
  if (rows.ok()) {
    if (absl::Status late = Ready(Stage::kRunning); !late.ok()) rows = late;
  }
  if (!rows.ok()) {
    UndoNow(TransactionState::kIdle);
    return rows;
  }
  if (absl::Status committed = CommitNow(); !committed.ok()) return committed;
  return rows;
}

absl::StatusOr<std::int64_t> SqliteConnection::InsertRows(const CopyTarget& target,
                                                          RowSource& source) {
  // Looks for the table and the columns before the first row comes.
  const std::size_t columns = target.columns.size();
  const std::string probe =
      columns == 0 ? absl::StrFormat("INSERT INTO %s DEFAULT VALUES", QuotedTable(target))
                   : InsertInto(target, columns);
  auto insert = session_->Prepare(probe);
  if (!insert.ok()) return OwnStatement(insert.status());
  if (absl::Status allowed = CheckAccess(insert->get(), transaction_access_); !allowed.ok()) {
    return allowed;
  }
  std::string sql = probe;
  for (std::int64_t row = 0;;) {
    std::span<const Cell> cells;
    const auto supply = source.Next(cells);
    if (!supply.ok()) return supply.status();
    if (session_->interruption().Due()) return session_->interruption().Cause(Stage::kRunning);
    if (*supply == RowSource::Supply::kEnd) return row;
    if (*supply == RowSource::Supply::kNothingYet) continue;
    if (++row == 1 && columns == 0 && !cells.empty()) {
      sql = InsertInto(target, cells.size());
      insert = session_->Prepare(sql);
      if (!insert.ok()) return AtRow(OwnStatement(insert.status()), row);
    }
    absl::Status bound = CheckCount(cells.size(), insert->get(), source.RowField());
    if (bound.ok()) bound = BindRow(insert->get(), cells, source.RowField());
    if (!bound.ok()) return AtRow(bound, row);
    if (sqlite3_step(insert->get()) != SQLITE_DONE) {
      return AtRow(session_->Failure(Phase::kRunning, sql), row);
    }
    sqlite3_reset(insert->get());
  }
}

}  // namespace emsdb::sqlite
