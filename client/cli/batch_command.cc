#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/batch_file.h"
#include "client/cli/result_writer.h"
#include "client/cli/session.h"
#include "client/error_info.h"

namespace emsdb::client::cli {
namespace {

void WriteResult(const Result& result, ResultWriter& writer) {
  writer.Begin(result.columns);
  for (const Row& row : result.rows) writer.AddRow(row);
  writer.End({.row_count = static_cast<std::int64_t>(result.rows.size()),
              .rows_affected = result.rows_affected,
              .command = result.command});
}

void WriteResults(const std::vector<Result>& results, Format format, Output& output) {
  if (format == Format::kJson) output.Write("[");
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (format == Format::kJson && i > 0) output.Write(",");
    WriteResult(results[i], *MakeWriter(format, output));
  }
  if (format == Format::kJson) output.Write("]\n");
}

// Which statement failed, and where it stands.
ExitStatus ReportFailure(const absl::Status& status,
                         const std::vector<NumberedStatement>& statements) {
  const ErrorInfo info = ErrorInfoOf(status);
  const std::optional<int> index = info.statement();
  if (!index.has_value() || *index < 0 || static_cast<std::size_t>(*index) >= statements.size()) {
    return Report(status);
  }
  const NumberedStatement& failed = statements[static_cast<std::size_t>(*index)];
  std::cerr << "emsdb: statement " << *index + 1 << " of " << statements.size();
  if (failed.line > 0) std::cerr << ", line " << failed.line;
  const bool in_doubt = info.outcome_unknown() || absl::IsUnknown(status);
  std::cerr << (in_doubt ? ", failed\n" : ", failed; nothing of the batch took effect\n");
  return Report(status, {.sql = failed.statement.sql, .first_line = std::max(1, failed.line)});
}

}  // namespace

ExitStatus RunBatch(const BatchCommand& command, const std::string& text, Session& session) {
  const absl::StatusOr<std::vector<NumberedStatement>> statements = ReadBatch(text);
  if (!statements.ok()) return ReportUsage(statements.status(), command.file);
  std::vector<BatchStatement> batch;
  for (const NumberedStatement& one : *statements) batch.push_back(one.statement);
  const auto results =
      session.client.ExecuteBatch(command.database, std::move(batch), {.call = session.call});
  if (!results.ok()) return ReportFailure(results.status(), *statements);
  WriteResults(*results, command.format, session.output);
  return FinishOutput(session.output, CallState::kDone);
}

}  // namespace emsdb::client::cli
