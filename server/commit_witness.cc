#include "server/commit_witness.h"

#include <utility>

#include "pool/errors.h"

namespace emsdb {

absl::Status TokenWitness::WillCommit(const CommitId& id, const Bounds& bounds) {
  id_ = id;
  token_ = ToCommitToken({database_, id});
  return announcer_.Announce(token_, bounds);
}

absl::Status TokenWitness::Marked(absl::Status status) const {
  if (status.ok() || DetailOf(status).outcome != Outcome::kUnknown) return status;
  return WithCommitToken(std::move(status), token_);
}

absl::Status WithoutToken(absl::Status status, CommitNaming naming) {
  ErrorDetail detail = DetailOf(status);
  const bool in_doubt = !status.ok() && detail.outcome == Outcome::kUnknown;
  if (!in_doubt || naming != CommitNaming::kPossible || !detail.hint.empty()) return status;
  detail.hint =
      "it has no commit token, so nobody can tell; Query with `resolvable` buys one for a trip "
      "more";
  return WithDetail(std::move(status), detail);
}

}  // namespace emsdb
