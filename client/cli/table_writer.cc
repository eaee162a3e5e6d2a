// A table for people. The first rows are held back to find the widths; then it streams, and a
// later cell that is wider pushes its line to the right.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/cli/cell_text.h"
#include "client/cli/result_writer.h"
#include "client/cli/terminal_text.h"

namespace emsdb::client::cli {
namespace {

constexpr std::size_t kRowsToMeasure = 1000;
constexpr std::size_t kBytesToMeasure = 1 << 20;

struct TableColumn {
  std::string name;
  std::size_t width = 0;
  bool typed_number = false;  // by its declared type
  bool seen_number = false;   // by its cells: SQLite's expressions have no type
  bool seen_other = false;

  bool right() const { return typed_number || (seen_number && !seen_other); }
};

bool IsNumber(const Value& value) {
  return value.get_if<std::int64_t>() != nullptr || value.get_if<double>() != nullptr;
}

std::string CellText(const Value& value) {
  return value.is_null() ? "NULL" : EscapeForTerminal(PlainText(value));
}

std::string Padded(const std::string& text, std::size_t width, bool right) {
  const std::size_t own = DisplayWidth(text);
  const std::string blanks(width > own ? width - own : 0, ' ');
  return right ? blanks + text : text + blanks;
}

class TableWriter : public ResultWriter {
 public:
  explicit TableWriter(Output& output) : output_(output) {}

  void Begin(const std::vector<Column>& columns) override {
    for (const Column& column : columns) {
      const std::string name = EscapeForTerminal(column.name);
      columns_.push_back(
          {.name = name, .width = DisplayWidth(name), .typed_number = IsNumberType(column.type)});
    }
  }

  void AddRow(const Row& row) override {
    std::vector<std::string> cells;
    cells.reserve(row.size());
    for (const Value& value : row) cells.push_back(CellText(value));
    if (!measuring_) return WriteRow(cells);
    for (std::size_t i = 0; i < row.size(); ++i) Measure(row[i], cells[i], columns_[i]);
    held_.push_back(std::move(cells));
    if (held_.size() >= kRowsToMeasure || held_bytes_ >= kBytesToMeasure) EndMeasuring();
  }

  void End(const Completion& completion) override {
    if (measuring_) EndMeasuring();
    if (columns_.empty()) {
      output_.Write(EscapeForTerminal(completion.command));
      if (completion.rows_affected > 0) output_.Write(": " + Rows(completion.rows_affected));
      output_.Write("\n");
    } else {
      output_.Write("(" + Rows(completion.row_count) + ")\n");
    }
  }

 private:
  static std::string Rows(std::int64_t count) {
    return absl::StrCat(count, count == 1 ? " row" : " rows");
  }

  void Measure(const Value& value, const std::string& cell, TableColumn& column) {
    column.width = std::max(column.width, DisplayWidth(cell));
    if (!value.is_null()) (IsNumber(value) ? column.seen_number : column.seen_other) = true;
    held_bytes_ += cell.size();
  }

  void EndMeasuring() {
    measuring_ = false;
    if (!columns_.empty()) WriteHead();
    for (const auto& cells : held_) WriteRow(cells);
    held_.clear();
  }

  void WriteHead() {
    std::vector<std::string> names;
    std::string rule;
    for (const TableColumn& column : columns_) {
      names.push_back(column.name);
      absl::StrAppend(&rule, rule.empty() ? "-" : "-+-", std::string(column.width, '-'));
    }
    WriteRow(names);
    output_.Write(rule + "-\n");
  }

  // No blanks at a line's end: they wrap on a narrow terminal.
  void WriteRow(const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      absl::StrAppend(&line, i == 0 ? " " : " | ",
                      Padded(cells[i], columns_[i].width, columns_[i].right()));
    }
    line.erase(line.find_last_not_of(' ') + 1);
    output_.Write(line + "\n");
  }

  Output& output_;
  std::vector<TableColumn> columns_;
  bool measuring_ = true;
  std::vector<std::vector<std::string>> held_;
  std::size_t held_bytes_ = 0;
};

}  // namespace

std::unique_ptr<ResultWriter> MakeTableWriter(Output& output) {
  return std::make_unique<TableWriter>(output);
}

}  // namespace emsdb::client::cli
