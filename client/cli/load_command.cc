#include <iostream>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/csv_reader.h"
#include "client/cli/input_file.h"
#include "client/cli/progress.h"
#include "client/cli/row_lines.h"
#include "client/cli/session.h"
#include "client/cli/terminal_text.h"
#include "client/error_info.h"

namespace emsdb::client::cli {
namespace {

constexpr char kNothingWritten[] = "; nothing was written";

// One load, from the file's first byte to the commit.
class Load {
 public:
  Load(const LoadCommand& command, Session& session, InputFile& file)
      : command_(command),
        session_(session),
        file_(file),
        progress_(file.size()),
        csv_({.delimiter = command.delimiter, .null_text = command.null_text},
             [this] { return ReadOn(); }) {}

  ExitStatus Run() {
    if (absl::Status header = ReadHeader(); !header.ok()) return Broken(header);
    auto writer = session_.client.CopyIn(command_.database, target_, {.call = session_.call});
    if (!writer.ok()) return Report(writer.status());
    writer_.emplace(*std::move(writer));
    if (const auto failed = SendRows()) return *failed;
    const auto rows = writer_->Commit();
    progress_.Clear();
    if (!rows.ok()) return Refused(rows.status());
    session_.output.Write(Summary(*rows));
    return FinishOutput(session_.output, CallState::kDone);
  }

 private:
  absl::StatusOr<std::string_view> ReadOn() {
    return file_.Read([this] { return writer_ ? writer_->Flush() : absl::OkStatus(); },
                      session_.call.cancel.get());
  }

  // The header's names are the columns, unless others were given.
  absl::Status ReadHeader() {
    target_ = {.table = command_.table, .schema = command_.schema, .columns = command_.columns};
    if (command_.header == Header::kNone) return absl::OkStatus();
    Row names;
    const auto read = csv_.Next(names);
    if (!read.ok()) return read.status();
    if (!*read) return absl::InvalidArgumentError("line 1: the header is missing");
    if (!target_.columns.empty()) return absl::OkStatus();
    for (const Value& name : names) {
      const auto* text = name.get_if<std::string>();
      if (text == nullptr || text->empty()) {
        return absl::InvalidArgumentError("line 1: the header has a column without a name");
      }
      target_.columns.push_back(*text);
    }
    return absl::OkStatus();
  }

  // Nothing: all rows were sent.
  std::optional<ExitStatus> SendRows() {
    std::optional<std::size_t> fields;
    if (!target_.columns.empty()) fields = target_.columns.size();
    for (Row row;;) {
      const auto more = csv_.Next(row);
      if (!more.ok()) return Broken(more.status());
      if (!*more) return std::nullopt;
      lines_.Add(csv_.line());
      if (row.size() != fields.value_or(row.size())) {
        return Broken(absl::InvalidArgumentError(absl::StrCat(
            "line ", csv_.line(), ": ", row.size(), " fields where ", *fields, " are wanted")));
      }
      fields = row.size();
      absl::Status added = writer_->Add(std::exchange(row, {}));
      if (!added.ok()) return Refused(added);
      progress_.Update(file_.bytes_read(), writer_->rows_added());
    }
  }

  // The file is no CSV, or reading it was broken off.
  ExitStatus Broken(const absl::Status& status) {
    progress_.Clear();
    // The gateway's word, which came while the file was waited for.
    if (!ErrorInfoOf(status).reason.empty()) return Refused(status);
    if (absl::IsCancelled(status)) {
      std::cerr << "emsdb: cancelled" << kNothingWritten << std::endl;
      return ExitStatus::kGaveUp;
    }
    return ReportUsage(
        absl::Status(status.code(), absl::StrCat(std::string(status.message()), kNothingWritten)),
        command_.file);
  }

  ExitStatus Refused(const absl::Status& status) {
    progress_.Clear();
    const ErrorInfo info = ErrorInfoOf(status);
    const bool in_doubt = info.outcome_unknown() || absl::IsUnknown(status);
    if (info.row() > 0) {
      std::cerr << "emsdb: " << EscapeForTerminal(command_.file) << ": ";
      if (const auto line = lines_.LineOf(info.row())) std::cerr << "line " << *line << ", ";
      std::cerr << "row " << info.row() << " is refused" << kNothingWritten << "\n";
    } else if (!in_doubt) {
      std::cerr << "emsdb: " << EscapeForTerminal(command_.file) << kNothingWritten << "\n";
    }
    return Report(status);
  }

  std::string Summary(std::int64_t rows) const {
    LoadState state = progress_.state();
    state.rows = rows;
    return absl::StrCat(LoadSummary(state), "\n");
  }

  const LoadCommand& command_;
  Session& session_;
  InputFile& file_;
  Progress progress_;
  CsvReader csv_;
  CopyTarget target_;
  RowLines lines_;
  std::optional<CopyWriter> writer_;
};

}  // namespace

ExitStatus RunLoad(const LoadCommand& command, Session& session) {
  auto file = InputFile::Open(command.file);
  if (!file.ok()) return ReportUsage(file.status(), "");
  return Load(command, session, *file).Run();
}

}  // namespace emsdb::client::cli
