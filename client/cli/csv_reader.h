// CSV by RFC 4180, record by record, in memory for one record. NULL as COPY's CSV has it: an
// unquoted field that is the NULL text; what is quoted is never NULL.
//
// Of our own: libcsv tells neither the line of an error nor refuses a quote in the wrong place, and
// both are what a person with a broken file needs.
#ifndef EMSDB_CLIENT_CLI_CSV_READER_H_
#define EMSDB_CLIENT_CLI_CSV_READER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "client/value.h"

namespace emsdb::client::cli {

struct CsvFormat {
  char delimiter = ',';
  std::string null_text = {};
};

// Lines end with LF or CRLF, the last one need not end; a byte order mark at the beginning is left
// out. An empty line is a record of one empty field. After an error there is no going on.
class CsvReader {
 public:
  // Gives the next bytes, which stay until the next call; none at the end.
  using Bytes = std::function<absl::StatusOr<std::string_view>()>;

  CsvReader(CsvFormat format, Bytes bytes) : format_(std::move(format)), bytes_(std::move(bytes)) {}

  // The fields of the next record; false: there are no more. INVALID_ARGUMENT names the line and
  // the rule, never the text.
  absl::StatusOr<bool> Next(Row& record);

  // The line, from 1, on which the record that was given last began.
  std::int64_t line() const { return record_line_; }

 private:
  enum class Ending { kField, kRecord };
  static constexpr int kEnd = -1;

  int Peek();
  void Take() { block_.remove_prefix(1); }
  bool Fill();
  void SkipByteOrderMark();
  absl::Status Append(std::string_view part);
  absl::StatusOr<Ending> ReadField(Row& record);
  absl::StatusOr<Ending> ReadPlain();
  absl::StatusOr<Ending> ReadQuoted();
  absl::StatusOr<Ending> EndOfField(const char* complaint);
  absl::Status Wrong(std::int64_t line, std::string_view rule) const;

  const CsvFormat format_;
  const Bytes bytes_;
  std::string_view block_;
  std::string beginning_;
  bool begun_ = false;
  bool ended_ = false;
  absl::Status status_;  // of the bytes
  std::int64_t line_ = 1;
  std::int64_t record_line_ = 0;
  std::size_t record_bytes_ = 0;
  std::string field_;
};

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_CSV_READER_H_
