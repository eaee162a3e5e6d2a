#include "pool/names.h"

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "pool/utf8.h"

namespace emsdb {

absl::Status CheckName(std::string_view field, std::string_view name, std::size_t longest) {
  if (name.empty() && longest == kAnyLength) return InvalidField(field, "a name is wanted");
  if (name.empty() || name.size() > longest) {
    return InvalidField(
        field, absl::StrFormat("a name of %d bytes: 1 to %d are allowed", name.size(), longest));
  }
  const std::string_view problem = TextProblem(name);
  if (problem.empty()) return absl::OkStatus();
  return InvalidField(field, absl::StrFormat("a name that %s", problem));
}

std::string QuotedName(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

}  // namespace emsdb
