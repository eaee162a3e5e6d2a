#include "client/cli/list_text.h"

#include <memory>
#include <vector>

#include "client/cli/session.h"

namespace emsdb::client::cli {
namespace {

Value CellOf(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_boolean()) return json.get<bool>() ? "yes" : "no";
  if (json.is_object()) return json.dump();
  return "";
}

}  // namespace

std::string EngineName(v1::Engine engine) {
  switch (engine) {
    case v1::ENGINE_POSTGRESQL:
      return "postgresql";
    case v1::ENGINE_SQLITE:
      return "sqlite";
    default:
      return "unknown";
  }
}

void WriteListTable(const Json& list, Output& output) {
  const std::unique_ptr<ResultWriter> writer = MakeTableWriter(output);
  std::vector<Column> columns;
  if (!list.empty()) {
    for (const auto& [key, value] : list.front().items()) columns.push_back({.name = key});
  }
  writer->Begin(columns);
  for (const Json& one : list) {
    Row row;
    for (const auto& [key, value] : one.items()) row.push_back(CellOf(value));
    writer->AddRow(row);
  }
  writer->End({.row_count = static_cast<std::int64_t>(list.size())});
}

ExitStatus WriteList(const Json& list, Format format, Output& output) {
  if (format == Format::kJson) {
    output.Write(list.dump(2) + "\n");
  } else {
    WriteListTable(list, output);
  }
  return FinishOutput(output, CallState::kDone);
}

}  // namespace emsdb::client::cli
