#include "pool/connection.h"

#include "pool/errors.h"

namespace emsdb {

absl::StatusOr<CommitFate> Connection::OutcomeOf(const CommitId&, const Bounds&) {
  return OutcomeElsewhere();
}

}  // namespace emsdb
