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

}  // namespace

ExitStatus RunQuery(const QueryCommand& command, const std::string& sql, Session& session) {
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
