#include "pool/postgres/step.h"

#include <charconv>
#include <string_view>
#include <utility>

#include "pool/errors.h"
#include "pool/postgres/server_error.h"
#include "pool/postgres/sqlstate.h"

namespace emsdb {
namespace {

Completion CompletionOf(PGresult* result) {
  Completion completion{.command = CommandOf(PQcmdStatus(result))};
  const std::string_view rows = PQcmdTuples(result);
  std::from_chars(rows.data(), rows.data() + rows.size(), completion.rows_affected);
  return completion;
}

// The first thing that goes wrong is what the step is remembered by.
void Remember(StepEnd& end, StepEnd::How how, absl::Status status) {
  if (!end.status.ok()) return;
  end.how = how;
  end.status = std::move(status);
}

// Rows that come after a cancel was asked for are not waited upon any more: a sink that blocks
// could hold the connection for ever. A result that lacks them must not pass for a whole one,
// though.
void TakeRows(Exchange& exchange, RowForwarder* rows, const PGresult* result, Stage stage,
              StepEnd& end) {
  if (rows == nullptr || !end.status.ok()) return;
  if (exchange.asked() != Exchange::Asked::kNobody && PQntuples(result) > 0) {
    Remember(end, StepEnd::How::kRefused, exchange.WhyAsked(stage));
    return;
  }
  if (absl::Status taken = rows->TakeRows(result); !taken.ok()) {
    Remember(end, StepEnd::How::kRefused, std::move(taken));
    exchange.CancelForSink();
  }
}

// T46. The SQLSTATE 0A000 is that of many other things: the place in the server tells them apart.
// What was understood when it was prepared and is not any more (class 42 from the parser) has not
// run. An error in a value may come of a parameter's type, which is not what it was, or of
// the statement's work. An error with a context comes from within a function, which has run.
StepEnd::Outdated OutdatedBy(const PGresult* result) {
  const std::string sqlstate = SqlstateOf(result);
  const char* function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
  const bool in_function = PQresultErrorField(result, PG_DIAG_CONTEXT) != nullptr;
  const char* file = PQresultErrorField(result, PG_DIAG_SOURCE_FILE);
  const bool in_parser = file != nullptr && (std::string_view(file).starts_with("parse_") ||
                                             std::string_view(file) == "analyze.c");
  if (sqlstate == "0A000" && function != nullptr &&
      std::string_view(function) == "RevalidateCachedQuery") {
    return StepEnd::Outdated::kYes;
  }
  if (sqlstate == kUnknownPreparedStatement && !in_function) return StepEnd::Outdated::kNotThere;
  if (sqlstate.starts_with("42") && sqlstate != "42501" && !in_function) {
    return in_parser ? StepEnd::Outdated::kYes : StepEnd::Outdated::kPerhaps;
  }
  return sqlstate.starts_with("22") ? StepEnd::Outdated::kPerhaps : StepEnd::Outdated::kNo;
}

// One result that is not the end. False: nothing sensible can follow.
bool TakeResult(Exchange& exchange, RowForwarder* rows, PGresult* result, Stage stage,
                StepEnd& end) {
  switch (PQresultStatus(result)) {
    case PGRES_SINGLE_TUPLE:
      TakeRows(exchange, rows, result, stage, end);
      return true;
    case PGRES_TUPLES_OK:
      TakeRows(exchange, rows, result, stage, end);
      [[fallthrough]];
    case PGRES_COMMAND_OK:
      end.completion = CompletionOf(result);
      if (end.status.ok()) end.how = StepEnd::How::kDone;
      return true;
    case PGRES_EMPTY_QUERY:
      Remember(end, StepEnd::How::kRefused,
               InvalidField("statement.sql", "has no statement in it"));
      return true;
    case PGRES_PIPELINE_ABORTED:
      if (end.status.ok()) end.how = StepEnd::How::kSkipped;
      return true;
    case PGRES_FATAL_ERROR:
      if (SqlstateOf(result).empty()) {  // libpq's own
        exchange.LinkIsLost();
        return false;
      }
      if (IsFatal(result)) {
        exchange.NoteFarewell(SqlstateOf(result));
        end.fatal = true;
      }
      end.undone = true;
      if (end.status.ok()) end.outdated = OutdatedBy(result);
      Remember(end, StepEnd::How::kFailed, StatusOf(result, stage, exchange.wire().detail()));
      return true;
    default:
      // COPY, or what no statement of ours may lead to.
      Remember(end, StepEnd::How::kRefused,
               InvalidField("statement.sql", "COPY cannot be run as a statement"));
      return false;
  }
}

}  // namespace

absl::Status RowForwarder::TakeColumns(const PGresult* result) {
  started_ = true;
  decoder_.Start(result);
  columns_.reserve(PQnfields(result));
  for (int i = 0; i < PQnfields(result); ++i) {
    const Oid type = PQftype(result, i);
    columns_.push_back({.name = PQfname(result, i), .type = types_.Find(type), .type_oid = type});
    if (columns_.back().type.empty()) unknown_types_.push_back(type);
  }
  return columns_.empty() ? absl::OkStatus() : sink_.OnColumns(columns_);
}

absl::Status RowForwarder::TakeRows(const PGresult* result) {
  if (!started_) {
    if (absl::Status taken = TakeColumns(result); !taken.ok()) return taken;
  }
  for (int row = 0; row < PQntuples(result); ++row) {
    auto cells = decoder_.Decode(result, row);
    if (!cells.ok()) return cells.status();
    if (absl::Status taken = sink_.OnRow(*cells); !taken.ok()) return taken;
  }
  return absl::OkStatus();
}

void RowForwarder::NameColumns() {
  for (Column& column : columns_) column.type = types_.Find(column.type_oid);
  sink_.OnColumnsNamed(columns_);
}

StepEnd ReadStep(Exchange& exchange, RowForwarder* rows, Stage stage) {
  StepEnd end;
  // Row by row: libpq would hold the whole result otherwise.
  if (rows != nullptr && exchange.answered()) PQsetSingleRowMode(exchange.wire().handle());
  Result result;
  while (exchange.Next(result)) {
    if (result == nullptr) return end;
    if (!TakeResult(exchange, rows, result.get(), stage, end)) break;
  }
  if (end.status.ok()) end.how = StepEnd::How::kLost;
  return end;
}

StepEnd ReadSync(Exchange& exchange, Stage stage) {
  StepEnd end;
  Result result;
  int nothing = 0;  // ends of commands that were not there; many would be for ever
  while (nothing < 3 && exchange.Next(result)) {
    if (result == nullptr) {
      ++nothing;
    } else if (PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC) {
      if (end.status.ok()) end.how = StepEnd::How::kDone;
      return end;
    } else if (!TakeResult(exchange, nullptr, result.get(), stage, end)) {
      break;
    }
  }
  end.how = StepEnd::How::kLost;
  return end;
}

std::string CommandOf(std::string_view tag) {
  tag = tag.substr(0, tag.find_first_of("0123456789"));
  while (tag.ends_with(' ')) tag.remove_suffix(1);
  return std::string(tag);
}

}  // namespace emsdb
