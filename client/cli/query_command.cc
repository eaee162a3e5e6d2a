#include <iostream>
#include <utility>

#include "client/cli/result_writer.h"
#include "client/cli/session.h"

namespace emsdb::client::cli {
namespace {

// Ends early, with OK, when the output fails: FinishOutput tells about that.
absl::Status WriteRows(RowStream& stream, ResultWriter& writer, Output& output) {
  writer.Begin(stream.columns());
  Row row;
  while (output.status().ok()) {
    const absl::StatusOr<bool> more = stream.Next(row);
    if (!more.ok()) return more.status();
    if (!*more) {
      writer.End(*stream.completion());
      break;
    }
    writer.AddRow(row);
  }
  return absl::OkStatus();
}

// All rows at once: a stream has neither a token, nor does it leave transactions out.
ExitStatus RunUnary(const QueryCommand& command, const std::string& sql, Session& session) {
  const auto result = session.client.Query(command.database, sql, command.parameters,
                                           {.access = command.access,
                                            .resolving = command.resolving,
                                            .wrapping = command.wrapping,
                                            .call = session.call});
  if (!result.ok()) return Report(result.status(), {.sql = sql});
  const std::unique_ptr<ResultWriter> writer = MakeWriter(command.format, session.output);
  writer->Begin(result->columns);
  for (const Row& row : result->rows) writer->AddRow(row);
  writer->End({.row_count = static_cast<std::int64_t>(result->rows.size()),
               .rows_affected = result->rows_affected,
               .command = result->command});
  return FinishOutput(session.output, CallState::kDone);
}

}  // namespace

ExitStatus RunQuery(const QueryCommand& command, const std::string& sql, Session& session) {
  if (command.resolving == Resolving::kOn || command.wrapping == Wrapping::kNone) {
    return RunUnary(command, sql, session);
  }
  absl::StatusOr<RowStream> stream = session.client.StreamQuery(
      command.database, sql, command.parameters, {.access = command.access, .call = session.call});
  if (!stream.ok()) return Report(stream.status(), {.sql = sql});
  const std::unique_ptr<ResultWriter> writer = MakeWriter(command.format, session.output);
  const absl::Status status = WriteRows(*stream, *writer, session.output);
  const ExitStatus written = FinishOutput(
      session.output, stream->completion().has_value() ? CallState::kDone : CallState::kBrokenOff);
  if (status.ok()) return written;
  if (!stream->columns().empty()) std::cerr << "emsdb: the rows above are not to be used\n";
  return Report(status, {.sql = sql});
}

}  // namespace emsdb::client::cli
