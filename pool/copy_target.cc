#include "pool/copy_target.h"

#include "absl/strings/str_format.h"
#include "pool/names.h"

namespace emsdb {
absl::Status CheckCopyTarget(const CopyTarget& target, std::size_t longest) {
  absl::Status status = CheckName("start.table", target.table, longest);
  if (status.ok() && !target.schema.empty()) {
    status = CheckName("start.schema", target.schema, longest);
  }
  for (std::size_t i = 0; i < target.columns.size() && status.ok(); ++i) {
    status = CheckName(absl::StrFormat("start.columns[%d]", i), target.columns[i], longest);
  }
  return status;
}

std::string QuotedTable(const CopyTarget& target) {
  const std::string table = QuotedName(target.table);
  return target.schema.empty() ? table : QuotedName(target.schema) + '.' + table;
}

std::string QuotedColumns(const CopyTarget& target) {
  std::string list;
  for (const std::string& column : target.columns) {
    list += (list.empty() ? " (" : ", ") + QuotedName(column);
  }
  return list.empty() ? list : list + ')';
}

}  // namespace emsdb
