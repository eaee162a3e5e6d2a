#include "client/cli/csv_reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace emsdb::client::cli {
namespace {

constexpr std::size_t kMostRecordBytes = 16U << 20;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

bool CsvReader::Fill() {
  while (block_.empty() && !ended_) {
    const absl::StatusOr<std::string_view> more = bytes_();
    if (!more.ok()) status_ = more.status();
    ended_ = !more.ok() || more->empty();
    if (!ended_) block_ = *more;
  }
  return !block_.empty();
}

void CsvReader::SkipByteOrderMark() {
  begun_ = true;
  // The bytes may come one by one.
  while (beginning_.size() < kByteOrderMark.size() && Fill()) {
    beginning_ += block_;
    block_ = {};
  }
  block_ = beginning_;
  if (block_.starts_with(kByteOrderMark)) block_.remove_prefix(kByteOrderMark.size());
}

int CsvReader::Peek() {
  if (block_.empty() && !Fill()) return kEnd;
  return static_cast<unsigned char>(block_.front());
}

absl::Status CsvReader::Append(std::string_view part) {
  record_bytes_ += part.size();
  if (record_bytes_ > kMostRecordBytes) {
    return Wrong(record_line_, "a row of more than 16 MiB begins here; is a quote missing?");
  }
  field_ += part;
  return absl::OkStatus();
}

absl::Status CsvReader::Wrong(std::int64_t line, std::string_view rule) const {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ": ", std::string(rule)));
}

absl::StatusOr<bool> CsvReader::Next(Row& record) {
  record.clear();
  record_bytes_ = 0;
  if (!begun_) SkipByteOrderMark();
  const bool more = Peek() != kEnd;
  if (!status_.ok()) return status_;
  if (!more) return false;
  record_line_ = line_;
  for (;;) {
    const absl::StatusOr<Ending> ending = ReadField(record);
    if (!status_.ok()) return status_;
    if (!ending.ok()) return ending.status();
    if (*ending == Ending::kRecord) return true;
  }
}

absl::StatusOr<CsvReader::Ending> CsvReader::ReadField(Row& record) {
  field_.clear();
  const bool quoted = Peek() == '"';
  auto ending = quoted ? ReadQuoted() : ReadPlain();
  if (!quoted && field_ == format_.null_text) {
    record.emplace_back();
  } else {
    record.emplace_back(field_);
  }
  return ending;
}

absl::StatusOr<CsvReader::Ending> CsvReader::ReadPlain() {
  while (Peek() != kEnd) {
    const char* const end = std::find_if(block_.begin(), block_.end(), [this](char c) {
      return c == format_.delimiter || c == '\n' || c == '\r' || c == '"';
    });
    const auto length = static_cast<std::size_t>(end - block_.begin());
    if (absl::Status fits = Append(block_.substr(0, length)); !fits.ok()) return fits;
    block_.remove_prefix(length);
    if (!block_.empty()) {
      return EndOfField("a quote within a field that does not begin with one");
    }
  }
  return Ending::kRecord;
}

absl::StatusOr<CsvReader::Ending> CsvReader::ReadQuoted() {
  const std::int64_t began = line_;
  Take();
  while (Peek() != kEnd) {
    const std::size_t length = std::min(block_.find('"'), block_.size());
    const std::string_view part = block_.substr(0, length);
    line_ += std::count(part.begin(), part.end(), '\n');
    if (absl::Status fits = Append(part); !fits.ok()) return fits;
    block_.remove_prefix(length);
    if (block_.empty()) continue;
    Take();
    if (Peek() != '"') return EndOfField("text behind a closing quote");
    Take();
    if (absl::Status fits = Append("\""); !fits.ok()) return fits;
  }
  return Wrong(began, "a quote is opened and never closed");
}

// What ends a field, and nothing else, must stand here.
absl::StatusOr<CsvReader::Ending> CsvReader::EndOfField(const char* complaint) {
  const int found = Peek();
  if (found == kEnd) return Ending::kRecord;
  Take();
  if (found == static_cast<unsigned char>(format_.delimiter)) return Ending::kField;
  if (found == '\r') {
    if (Peek() != '\n') {
      return Wrong(line_, "a carriage return that no line feed follows; quote the field");
    }
    Take();
  } else if (found != '\n') {
    return Wrong(line_, complaint);
  }
  ++line_;
  return Ending::kRecord;
}

}  // namespace emsdb::client::cli
