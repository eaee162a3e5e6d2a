// The way to the gateway: one method for each RPC, in the wire's messages. grpc_transport is the
// real one; tests put their own in its place.
#ifndef EMSDB_CLIENT_TRANSPORT_H_
#define EMSDB_CLIENT_TRANSPORT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "client/cancel.h"
#include "emsdb/v1/copy_service.pb.h"
#include "emsdb/v1/database_service.pb.h"
#include "emsdb/v1/query_service.pb.h"
#include "emsdb/v1/transaction_service.pb.h"

namespace emsdb::client {

struct CallContext {
  Instant deadline;
  std::shared_ptr<CancelSource> cancel;  // may be null
};

// One running call whose answer is a stream. Used by one thread; ends the call when it is
// destroyed.
template <typename Message>
class MessageStream {
 public:
  virtual ~MessageStream() = default;
  // False: there are no more; Finish() says why.
  virtual bool Read(Message& into) = 0;
  virtual absl::Status Finish() = 0;
};
using ResponseStream = MessageStream<v1::StreamQueryResponse>;

// One running CopyIn. Used by one thread; ends the call when it is destroyed.
class RequestStream {
 public:
  virtual ~RequestStream() = default;
  // Waits until the request is on its way. False: the call has ended; Finish() says why.
  virtual bool Write(const v1::CopyInRequest& request) = 0;
  // Ends this side of the stream and waits for the answer. Once.
  virtual absl::StatusOr<v1::CopyInResponse> Finish() = 0;
};

// One running Transact. Used by one thread; ends the call when it is destroyed.
class TransactStream {
 public:
  virtual ~TransactStream() = default;
  // False: the stream has ended; Read() and Finish() say why.
  virtual bool Write(const v1::TransactRequest& request) = 0;
  // False: there are no more answers; Finish() says why.
  virtual bool Read(v1::TransactResponse& into) = 0;
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
  virtual absl::StatusOr<std::unique_ptr<RequestStream>> CopyIn(const CallContext& context) = 0;
  virtual absl::StatusOr<v1::BeginTransactionResponse> Begin(
      const CallContext& context, const v1::BeginTransactionRequest& request) = 0;
  virtual absl::StatusOr<v1::CommitTransactionResponse> Commit(
      const CallContext& context, const v1::CommitTransactionRequest& request) = 0;
  virtual absl::StatusOr<v1::RollbackTransactionResponse> RollBack(
      const CallContext& context, const v1::RollbackTransactionRequest& request) = 0;
  virtual absl::StatusOr<v1::SavepointResponse> Savepoint(const CallContext& context,
                                                          const v1::SavepointRequest& request) = 0;
  virtual absl::StatusOr<std::unique_ptr<TransactStream>> Transact(const CallContext& context) = 0;
  virtual absl::StatusOr<v1::GetCommitOutcomeResponse> GetCommitOutcome(
      const CallContext& context, const v1::GetCommitOutcomeRequest& request) = 0;
  virtual absl::StatusOr<v1::ListDatabasesResponse> ListDatabases(
      const CallContext& context, const v1::ListDatabasesRequest& request) = 0;
  virtual absl::StatusOr<v1::GetPoolStatusResponse> GetPoolStatus(
      const CallContext& context, const v1::GetPoolStatusRequest& request) = 0;
  virtual absl::StatusOr<std::unique_ptr<MessageStream<v1::WatchPoolStatusResponse>>>
  WatchPoolStatus(const CallContext& context, const v1::WatchPoolStatusRequest& request) = 0;
  virtual absl::StatusOr<v1::PausePoolResponse> PausePool(const CallContext& context,
                                                          const v1::PausePoolRequest& request) = 0;
  virtual absl::StatusOr<v1::ResumePoolResponse> ResumePool(
      const CallContext& context, const v1::ResumePoolRequest& request) = 0;
  virtual absl::StatusOr<v1::ReconnectPoolResponse> ReconnectPool(
      const CallContext& context, const v1::ReconnectPoolRequest& request) = 0;
  virtual absl::StatusOr<v1::ResizePoolResponse> ResizePool(
      const CallContext& context, const v1::ResizePoolRequest& request) = 0;
  virtual absl::StatusOr<HealthStatus> CheckHealth(const CallContext& context,
                                                   const std::string& service) = 0;
};

}  // namespace emsdb::client

#endif  // EMSDB_CLIENT_TRANSPORT_H_
