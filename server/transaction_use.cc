#include "server/transaction_use.h"

#include <functional>

#include "pool/errors.h"

namespace emsdb {

TransactionUse MakeUse(const std::string& id, const std::string& owner, TransactionStep step,
                       std::uint64_t sequence, const google::protobuf::Message& request,
                       Repeatable& repeatable) {
  TransactionUse use{.id = id, .caller = owner, .step = step, .sequence = sequence};
  if (sequence == 0) return use;
  use.request =
      std::hash<std::string>()(request.GetTypeName() + '\n' + request.SerializeAsString());
  use.repeatable = &repeatable;
  return use;
}

absl::StatusOr<SavepointAction> ToSavepoint(const v1::SavepointAction& action) {
  SavepointAction converted;
  switch (action.action_case()) {
    case v1::SavepointAction::kSet:
      converted = {SavepointVerb::kSet, action.set()};
      break;
    case v1::SavepointAction::kRollbackTo:
      converted = {SavepointVerb::kRollBackTo, action.rollback_to()};
      break;
    case v1::SavepointAction::kRelease:
      converted = {SavepointVerb::kRelease, action.release()};
      break;
    case v1::SavepointAction::ACTION_NOT_SET:
      return InvalidField("savepoint", "one of set, rollback_to and release is wanted");
  }
  // Here already, so that a refused name does not use a number up.
  if (absl::Status name = CheckSavepointName(converted); !name.ok()) return name;
  return converted;
}

}  // namespace emsdb
