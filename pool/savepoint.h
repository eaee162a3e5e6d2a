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

// As PostgreSQL tells names apart, for both engines. INVALID_ARGUMENT.
absl::Status CheckSavepointName(const SavepointAction& action);

// The statement with the name quoted: `ROLLBACK TO SAVEPOINT "before ""it"""`.
std::string SavepointText(const SavepointAction& action);

}  // namespace emsdb

#endif  // EMSDB_POOL_SAVEPOINT_H_
