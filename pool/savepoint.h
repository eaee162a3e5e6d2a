// A mark inside a transaction, to which it can be rolled back: what the drivers are asked for.
#ifndef EMSDB_POOL_SAVEPOINT_H_
#define EMSDB_POOL_SAVEPOINT_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace emsdb {

enum class SavepointVerb { kSet, kRollBackTo, kRelease };

struct SavepointAction {
  SavepointVerb verb = SavepointVerb::kSet;
  std::string name;
};

// "set", "rollback_to", "release": the request's field.
std::string_view SavepointVerbName(SavepointVerb verb);

// 1 to 63 bytes, which is what PostgreSQL tells names apart by, without U+0000. INVALID_ARGUMENT.
absl::Status CheckSavepointName(const SavepointAction& action);

// The same for a name that is not UTF-8, which only the drivers look for: a request cannot have it.
absl::Status SavepointNameNotUtf8(const SavepointAction& action);

// The statement with the name quoted: `ROLLBACK TO SAVEPOINT "before ""it"""`.
std::string SavepointText(const SavepointAction& action);

}  // namespace emsdb

#endif  // EMSDB_POOL_SAVEPOINT_H_
