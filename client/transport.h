// The way to the gateway: one method for each RPC, in the wire's messages. grpc_transport is the
// real one; tests put their own in its place.
#ifndef EMSDB_CLIENT_TRANSPORT_H_
#define EMSDB_CLIENT_TRANSPORT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "client/cancel.h"
#include "emsdb/v1/database_service.pb.h"
#include "emsdb/v1/query_service.pb.h"
#include "emsdb/v1/transaction_service.pb.h"

namespace emsdb::client {

struct CallContext {
  Instant deadline;
  std::shared_ptr<CancelSource> cancel;  // may be null
};

// One running StreamQuery. Used by one thread; ends the call when it is destroyed.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;
  // False: there are no more; Finish() says why.
  virtual bool Read(v1::StreamQueryResponse& into) = 0;
  virtual absl::Status Finish() = 0;
};

// What health says of a service.
enum class HealthStatus { kUnknown, kServing, kNotServing };

// Every call ends at its deadline, and never leaves without a status. An error carries the
// gateway's details (error_info.h); one without details was made on the way. Safe for any number
// of threads.
class Transport {
 public:
  virtual ~Transport() = default;

  virtual absl::StatusOr<v1::QueryResponse> Query(const CallContext& context,
                                                  const v1::QueryRequest& request) = 0;
  virtual absl::StatusOr<std::unique_ptr<ResponseStream>> StreamQuery(
      const CallContext& context, const v1::StreamQueryRequest& request) = 0;
  virtual absl::StatusOr<v1::ExecuteBatchResponse> ExecuteBatch(
      const CallContext& context, const v1::ExecuteBatchRequest& request) = 0;
  virtual absl::StatusOr<v1::BeginTransactionResponse> Begin(
      const CallContext& context, const v1::BeginTransactionRequest& request) = 0;
  virtual absl::StatusOr<v1::CommitTransactionResponse> Commit(
      const CallContext& context, const v1::CommitTransactionRequest& request) = 0;
  virtual absl::StatusOr<v1::RollbackTransactionResponse> RollBack(
      const CallContext& context, const v1::RollbackTransactionRequest& request) = 0;
  virtual absl::StatusOr<v1::GetCommitOutcomeResponse> GetCommitOutcome(
      const CallContext& context, const v1::GetCommitOutcomeRequest& request) = 0;
  virtual absl::StatusOr<v1::ListDatabasesResponse> ListDatabases(
      const CallContext& context, const v1::ListDatabasesRequest& request) = 0;
  virtual absl::StatusOr<v1::GetPoolStatusResponse> GetPoolStatus(
      const CallContext& context, const v1::GetPoolStatusRequest& request) = 0;
  virtual absl::StatusOr<HealthStatus> CheckHealth(const CallContext& context,
                                                   const std::string& service) = 0;
};

}  // namespace emsdb::client

#endif  // EMSDB_CLIENT_TRANSPORT_H_
