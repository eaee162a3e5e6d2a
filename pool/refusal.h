// The words of every refusal: what a caller is told whose call got no connection.
#ifndef EMSDB_POOL_REFUSAL_H_
#define EMSDB_POOL_REFUSAL_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "pool/lease.h"
#include "pool/limits.h"
#include "pool/pool_state.h"

namespace emsdb {

// A connection in use. `who` is its holder as it was when it got the connection.
struct HeldConnection {
  Holder who;
  Duration held{};
  Purpose purpose = Purpose::kStatement;
};

// The pool at the moment of a refusal.
struct RefusalFacts {
  PoolLimits limits;
  PoolState::Counts counts;
  Duration next_attempt{};
  std::vector<HeldConnection> held;  // in any order
  absl::Status last_connect_failure;
};

absl::Status WhyRefused(RefusalReason reason, const RefusalFacts& facts);

// "; held by cad 9, billing 6; the longest by cad for 12.3 s: UPDATE calls SET ..."; empty if
// nobody holds any.
std::string Holders(const std::vector<HeldConnection>& held);

}  // namespace emsdb

#endif  // EMSDB_POOL_REFUSAL_H_
