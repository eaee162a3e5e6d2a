#include "pool/savepoint.h"

#include "absl/strings/str_format.h"
#include "pool/errors.h"

namespace emsdb {
namespace {

constexpr std::size_t kLongestName = 63;

std::string FieldOf(const SavepointAction& action) {
  return absl::StrFormat("savepoint.%s", SavepointVerbName(action.verb));
}

std::string_view CommandOf(SavepointVerb verb) {
  switch (verb) {
    case SavepointVerb::kSet:
      return "SAVEPOINT";
    case SavepointVerb::kRollBackTo:
      return "ROLLBACK TO SAVEPOINT";
    case SavepointVerb::kRelease:
      return "RELEASE SAVEPOINT";
  }
  return "";
}

}  // namespace

std::string_view SavepointVerbName(SavepointVerb verb) {
  switch (verb) {
    case SavepointVerb::kSet:
      return "set";
    case SavepointVerb::kRollBackTo:
      return "rollback_to";
    case SavepointVerb::kRelease:
      return "release";
  }
  return "";
}

absl::Status CheckSavepointName(const SavepointAction& action) {
  if (action.name.empty() || action.name.size() > kLongestName) {
    return InvalidField(FieldOf(action), absl::StrFormat("a name of %d bytes: 1 to %d are allowed",
                                                         action.name.size(), kLongestName));
  }
  if (action.name.find('\0') != std::string::npos) {
    return InvalidField(FieldOf(action), "a name that contains U+0000");
  }
  return absl::OkStatus();
}

absl::Status SavepointNameNotUtf8(const SavepointAction& action) {
  return InvalidField(FieldOf(action), "a name that is not UTF-8");
}

std::string SavepointText(const SavepointAction& action) {
  std::string text = absl::StrFormat("%s \"", CommandOf(action.verb));
  for (const char c : action.name) text.append(c == '"' ? 2 : 1, c);
  return text + "\"";
}

}  // namespace emsdb
