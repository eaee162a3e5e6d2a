// absl::Status -> grpc::Status: the only crossing. What the pool and the drivers attached becomes
// google.rpc.ErrorInfo, RetryInfo and BadRequest, which ordinary client libraries understand.
#ifndef EMSDB_SERVER_RPC_STATUS_H_
#define EMSDB_SERVER_RPC_STATUS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "emsdb/v1/transaction_service.pb.h"
#include "pool/clock.h"

namespace emsdb {

// `elapsed` is what the call took.
grpc::Status ToRpcStatus(const absl::Status& status, Duration elapsed);

// The same for an error that is answered inside a stream.
void ToTransactError(const absl::Status& status, Duration elapsed, v1::TransactError& error);

}  // namespace emsdb

#endif  // EMSDB_SERVER_RPC_STATUS_H_
