// A file reads the same in whatever blocks it comes, and its records, written again, read the same.
#include "client/cli/csv_reader.h"

#include <string>
#include <utility>
#include <vector>

#include "tests/fuzz/reader.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/targets.h"

namespace emsdb::fuzz {
namespace {

using client::cli::CsvFormat;

struct Records {
  std::vector<std::pair<std::int64_t, client::Row>> rows;  // with their lines
  absl::Status status;
};

Records ReadAll(const CsvFormat& format, std::string_view text, std::size_t block) {
  client::cli::CsvReader reader(format, [&]() -> absl::StatusOr<std::string_view> {
    const std::string_view next = text.substr(0, block);
    text.remove_prefix(next.size());
    return next;
  });
  Records records;
  while (true) {
    client::Row row;
    const auto more = reader.Next(row);
    if (!more.ok()) records.status = more.status();
    if (!more.ok() || !*more) return records;
    records.rows.emplace_back(reader.line(), std::move(row));
  }
}

std::string Written(const CsvFormat& format, const Records& records) {
  std::string text;
  for (const auto& [line, row] : records.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) text += format.delimiter;
      const auto* field = row[i].get_if<std::string>();
      Require(field != nullptr || row[i].is_null(), "a field is a text or NULL");
      if (field == nullptr) {
        text += format.null_text;
        continue;
      }
      text += '"';
      for (const char c : *field) text.append(c == '"' ? 2 : 1, c);
      text += '"';
    }
    text += "\r\n";
  }
  return text;
}

}  // namespace

void CsvReader(std::string_view input) {
  constexpr char kDelimiters[] = {',', ';', '\t', '|'};
  const std::string nulls[] = {"", "NULL", "\\N"};
  Reader reader(input);
  const std::uint8_t kind = reader.Byte();
  const CsvFormat format{.delimiter = kDelimiters[kind % 4], .null_text = nulls[kind / 4 % 3]};
  const std::size_t block = 1 + reader.Byte() % 16;
  const std::string_view text = reader.Rest();

  const Records whole = ReadAll(format, text, std::string_view::npos);
  const Records parts = ReadAll(format, text, block);
  Require(whole.rows == parts.rows, "records do not depend on the blocks");
  Require(whole.status == parts.status, "errors do not depend on the blocks");
  if (!whole.status.ok()) return;
  const Records again = ReadAll(format, Written(format, whole), block);
  Require(again.status.ok() && again.rows.size() == whole.rows.size(), "written, they read again");
  for (std::size_t i = 0; i < whole.rows.size(); ++i) {
    Require(again.rows[i].second == whole.rows[i].second, "written, they read the same");
  }
}

}  // namespace emsdb::fuzz
