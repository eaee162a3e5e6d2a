// The formats a result can be written in.
#ifndef EMSDB_CLIENT_CLI_RESULT_WRITER_H_
#define EMSDB_CLIENT_CLI_RESULT_WRITER_H_

#include <memory>
#include <vector>

#include "client/cli/output.h"
#include "client/row_stream.h"
#include "client/value.h"

namespace emsdb::client::cli {

enum class Format { kTable, kCsv, kJson };

// Takes one result: Begin, then rows, then End. Without End the result was not whole, and what was
// written of it must not look as if it were (JSON stays open). Errors are kept by the Output.
class ResultWriter {
 public:
  virtual ~ResultWriter() = default;
  virtual void Begin(const std::vector<Column>& columns) = 0;
  virtual void AddRow(const Row& row) = 0;
  virtual void End(const Completion& completion) = 0;
};

std::unique_ptr<ResultWriter> MakeTableWriter(Output& output);
std::unique_ptr<ResultWriter> MakeCsvWriter(Output& output);
std::unique_ptr<ResultWriter> MakeJsonWriter(Output& output);

inline std::unique_ptr<ResultWriter> MakeWriter(Format format, Output& output) {
  switch (format) {
    case Format::kTable:
      return MakeTableWriter(output);
    case Format::kCsv:
      return MakeCsvWriter(output);
    case Format::kJson:
      return MakeJsonWriter(output);
  }
  return nullptr;
}

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_RESULT_WRITER_H_
