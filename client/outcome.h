// Truth about calls whose answer never came: what the network reports as "unavailable" may have
// been done, and a caller who takes it for "not done" would do it twice.
#ifndef EMSDB_CLIENT_OUTCOME_H_
#define EMSDB_CLIENT_OUTCOME_H_

#include <string>

#include "absl/status/status.h"

namespace emsdb::client {

// Whether anything of the call can last.
enum class Effect { kNone, kMayWrite };

// Reasons of this library's own, in ErrorInfo::reason.
inline constexpr char kGatewayUnreachable[] = "GATEWAY_UNREACHABLE";  // nothing was sent
inline constexpr char kGatewayLost[] = "GATEWAY_LOST";                // it may have been done
inline constexpr char kNoAnswer[] = "NO_ANSWER";  // deadline or cancel before the answer came
inline constexpr char kIncompleteStream[] = "INCOMPLETE_STREAM";

// No connection to the gateway, so nothing was sent: safe to repeat.
absl::Status GatewayUnreachable(const std::string& address, const std::string& cause);

// Remembers the token of a commit whose answer did not come.
absl::Status WithCommitToken(absl::Status status, const std::string& token);

// An error without the gateway's own details was made by the network or by this side. Where the
// call may have written, it is marked `outcome: unknown`, and a lost connection becomes UNKNOWN; a
// token that was remembered goes with it, for Client::CommitOutcomeOf.
absl::Status WithOutcome(absl::Status status, Effect effect);

}  // namespace emsdb::client

#endif  // EMSDB_CLIENT_OUTCOME_H_
