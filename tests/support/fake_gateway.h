// A gateway of wire and script: the real gRPC services on port zero, whose answers a test writes.
#ifndef EMSDB_TESTS_SUPPORT_FAKE_GATEWAY_H_
#define EMSDB_TESTS_SUPPORT_FAKE_GATEWAY_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "emsdb/v1/database_service.grpc.pb.h"
#include "emsdb/v1/query_service.grpc.pb.h"
#include "emsdb/v1/transaction_service.grpc.pb.h"

namespace emsdb {

template <typename Request, typename Response>
using FakeAnswer = std::function<grpc::Status(const Request&, Response&)>;

// What a scripted stream can do: send a message (false: the caller has left), and look whether the
// caller has left.
struct FakeStream {
  std::function<bool(const v1::StreamQueryResponse&)> send;
  std::function<bool()> cancelled;
};

// The script. What is not set answers UNIMPLEMENTED. Called in gRPC's threads.
struct FakeScript {
  FakeAnswer<v1::QueryRequest, v1::QueryResponse> query;
  std::function<grpc::Status(const v1::StreamQueryRequest&, const FakeStream&)> stream_query;
  FakeAnswer<v1::ExecuteBatchRequest, v1::ExecuteBatchResponse> batch;
  FakeAnswer<v1::BeginTransactionRequest, v1::BeginTransactionResponse> begin;
  FakeAnswer<v1::CommitTransactionRequest, v1::CommitTransactionResponse> commit;
  FakeAnswer<v1::RollbackTransactionRequest, v1::RollbackTransactionResponse> roll_back;
  FakeAnswer<v1::GetCommitOutcomeRequest, v1::GetCommitOutcomeResponse> outcome;
  FakeAnswer<v1::ListDatabasesRequest, v1::ListDatabasesResponse> databases;
  FakeAnswer<v1::GetPoolStatusRequest, v1::GetPoolStatusResponse> pools;
  FakeAnswer<v1::PausePoolRequest, v1::PausePoolResponse> pause;
  FakeAnswer<v1::ResumePoolRequest, v1::ResumePoolResponse> resume;
  FakeAnswer<v1::ReconnectPoolRequest, v1::ReconnectPoolResponse> reconnect;
  FakeAnswer<v1::ResizePoolRequest, v1::ResizePoolResponse> resize;
  // Sends snapshots by its argument, which says whether the caller is still there.
  std::function<grpc::Status(const v1::WatchPoolStatusRequest&,
                             const std::function<bool(const v1::WatchPoolStatusResponse&)>&)>
      watch;
};

// Serves from its making to its end. The health service answers SERVING for "" and what
// SetHealth() says for databases.
class FakeGateway {
 public:
  explicit FakeGateway(FakeScript script, std::shared_ptr<grpc::ServerCredentials> credentials =
                                              grpc::InsecureServerCredentials());
  ~FakeGateway();

  std::string address() const;  // "127.0.0.1:port"
  int port() const { return port_; }

  enum class Health { kServing, kNotServing };
  void SetHealth(const std::string& service, Health health);

  // Of the last call that came.
  std::map<std::string, std::string> metadata() const;

  // Breaks all connections, with the calls on them.
  void Break();

 private:
  class Services;
  std::unique_ptr<Services> services_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

// An error as the gateway sends it, with an ErrorInfo of these fields.
grpc::Status GatewayError(grpc::StatusCode code, const std::string& message,
                          const std::string& reason,
                          const std::map<std::string, std::string>& metadata = {});

}  // namespace emsdb

#endif  // EMSDB_TESTS_SUPPORT_FAKE_GATEWAY_H_
