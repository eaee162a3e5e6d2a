#include "pool/connection.h"

#include "pool/errors.h"

namespace emsdb {

void Connection::ExecuteGroup(std::span<GroupedRead* const> reads, const Bounds&) {
  for (GroupedRead* read : reads) read->Ended(RunAlone(), Duration::zero());
}

absl::StatusOr<CommitFate> Connection::OutcomeOf(const CommitId&, const Bounds&) {
  return OutcomeElsewhere();
}

}  // namespace emsdb
