// GetCommitOutcome: what became of a commit whose answer was lost.
#ifndef EMSDB_SERVER_OUTCOME_CALL_H_
#define EMSDB_SERVER_OUTCOME_CALL_H_

#include "emsdb/v1/transaction_service.pb.h"
#include "server/reactors.h"

namespace emsdb {

// Attaches a call to the reactor and starts it, or says why not.
absl::Status StartOutcome(Gateway& gateway, grpc::CallbackServerContext& context,
                          const v1::GetCommitOutcomeRequest& request,
                          v1::GetCommitOutcomeResponse& response, UnaryReactor& reactor);

}  // namespace emsdb

#endif  // EMSDB_SERVER_OUTCOME_CALL_H_
