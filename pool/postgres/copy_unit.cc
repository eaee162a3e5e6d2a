#include "pool/postgres/copy_unit.h"

#include <charconv>
#include <optional>
#include <string_view>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "pool/postgres/copy_text.h"
#include "pool/postgres/server_error.h"

namespace emsdb {
namespace {

// So much is gathered before it is sent: a poll and a send for each row would cost more than it.
constexpr std::size_t kGathered = 32U << 10;

absl::Status RefusedCell(const RowSource& source, const CopyRefusal& refusal, std::int64_t row) {
  return AtRow(InvalidField(absl::StrFormat("%s.values[%d]", source.RowField(), refusal.cell),
                            refusal.problem),
               row);
}

}  // namespace

absl::Status CopyUnit::Run() {
  absl::Status source;
  if (AwaitStart()) {
    PGconn* const handle = exchange_.wire().handle();
    source = SendRows();
    if (!source.ok()) exchange_.CancelForSink();
    // A failure is found by reading.
    PQputCopyEnd(handle, all_sent_ ? nullptr : "the rows were broken off");
  }
  ReadEnd();
  if (!source.ok()) return source;
  if (!refused_.ok()) return refused_;
  if (!exchange_.answered()) return absl::UnknownError("no answer");  // the exchange knows why
  if (all_sent_ && completed_) return absl::OkStatus();
  return absl::InternalError("the server ended a copy half way");
}

// Reads up to the invitation to send rows. False: there is none.
bool CopyUnit::AwaitStart() {
  Result result;
  while (exchange_.Next(result) && result != nullptr) {
    switch (PQresultStatus(result.get())) {
      case PGRES_COPY_IN:
        return true;
      case PGRES_FATAL_ERROR:
        if (refused_.ok()) refused_ = StatusOf(result.get());
        if (SqlstateOf(result.get()).empty()) exchange_.LinkIsLost();
        if (IsFatal(result.get())) exchange_.NoteFarewell(SqlstateOf(result.get()));
        break;
      default:
        break;  // of the setting before it
    }
  }
  return false;
}

// OK without all_sent_: the server wants no more, or the exchange is over.
absl::Status CopyUnit::SendRows() {
  for (;;) {
    std::span<const Cell> cells;
    const auto supply = source_.Next(cells);
    if (!supply.ok()) return supply.status();
    switch (*supply) {
      case RowSource::Supply::kRow:
        ++rows_given_;
        // In COPY's text a row without cells is one of an empty text.
        if (cells.empty()) {
          return AtRow(InvalidField(source_.RowField(), "the row has no cells"), rows_given_);
        }
        if (const auto refusal = AppendCopyLine(cells, lines_)) {
          return RefusedCell(source_, *refusal, rows_given_);
        }
        if (lines_.size() < kGathered) continue;
        if (!Send()) return absl::OkStatus();
        break;
      case RowSource::Supply::kNothingYet:
        // What there is goes out, and what the server has said is looked at.
        if (!Send()) return absl::OkStatus();
        break;
      case RowSource::Supply::kEnd:
        all_sent_ = Send();
        return absl::OkStatus();
    }
  }
}

bool CopyUnit::Send() {
  std::string_view rest = lines_;
  while (exchange_.AwaitRoom() == Exchange::Sending::kRoom) {
    if (rest.empty()) {
      lines_.clear();
      return true;
    }
    rest.remove_prefix(exchange_.wire().SendCopyPiece(rest));
  }
  return false;
}

absl::Status CopyUnit::StatusOf(const PGresult* result) const {
  return emsdb::StatusOf(result, Stage::kRunning, exchange_.wire().detail());
}

void CopyUnit::ReadEnd() {
  Result result;
  while (exchange_.Next(result) && result != nullptr) {
    const PGresult* const end = result.get();
    if (PQresultStatus(end) == PGRES_COMMAND_OK) {
      const std::string_view rows = PQcmdTuples(result.get());
      std::from_chars(rows.data(), rows.data() + rows.size(), rows_written_);
      completed_ = true;
    } else if (PQresultStatus(end) == PGRES_FATAL_ERROR && SqlstateOf(end).empty()) {
      exchange_.LinkIsLost();
      return;
    } else if (PQresultStatus(end) == PGRES_FATAL_ERROR && refused_.ok()) {
      if (IsFatal(end)) exchange_.NoteFarewell(SqlstateOf(end));
      const char* context = PQresultErrorField(end, PG_DIAG_CONTEXT);
      const std::int64_t row = CopyLineOf(context == nullptr ? "" : context, table_);
      refused_ = AtRow(StatusOf(end), row <= rows_given_ ? row : 0);
    }
  }
}

}  // namespace emsdb
