// CSV by RFC 4180: CRLF, quotes where needed. NULL is an empty field, the empty text is "".
#include "absl/strings/str_replace.h"
#include "client/cli/cell_text.h"
#include "client/cli/result_writer.h"

namespace emsdb::client::cli {
namespace {

std::string Field(const std::string& text) {
  if (!text.empty() && text.find_first_of(",\"\r\n") == std::string::npos) return text;
  return '"' + absl::StrReplaceAll(text, {{"\"", "\"\""}}) + '"';
}

class CsvWriter : public ResultWriter {
 public:
  explicit CsvWriter(Output& output) : output_(output) {}

  void Begin(const std::vector<Column>& columns) override {
    if (columns.empty()) return;  // a statement that returns no rows has no table either
    std::string line;
    for (const Column& column : columns) Append(Field(column.name), line);
    WriteLine(line);
  }

  void AddRow(const Row& row) override {
    std::string line;
    for (const Value& value : row) Append(value.is_null() ? "" : Field(PlainText(value)), line);
    WriteLine(line);
  }

  void End(const Completion& /*completion*/) override {}

 private:
  // Every field is preceded by a comma, the first one's is cut off.
  static void Append(const std::string& field, std::string& line) {
    line.append(",").append(field);
  }

  void WriteLine(const std::string& line) {
    output_.Write(std::string_view(line).substr(line.empty() ? 0 : 1));
    output_.Write("\r\n");
  }

  Output& output_;
};

}  // namespace

std::unique_ptr<ResultWriter> MakeCsvWriter(Output& output) {
  return std::make_unique<CsvWriter>(output);
}

}  // namespace emsdb::client::cli
