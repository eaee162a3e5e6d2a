#include "pool/savepoint.h"

#include "absl/strings/str_format.h"
#include "pool/names.h"

namespace emsdb {
namespace {

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
  return CheckName(absl::StrFormat("savepoint.%s", SavepointVerbName(action.verb)), action.name,
                   kLongestPostgresName);
}

std::string SavepointText(const SavepointAction& action) {
  return absl::StrFormat("%s %s", CommandOf(action.verb), QuotedName(action.name));
}

}  // namespace emsdb
