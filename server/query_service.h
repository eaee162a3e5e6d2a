// The face of QueryService: each handler checks, finds, starts, and returns at once.
#ifndef EMSDB_SERVER_QUERY_SERVICE_H_
#define EMSDB_SERVER_QUERY_SERVICE_H_

#include "emsdb/v1/query_service.grpc.pb.h"
#include "server/arena_messages.h"
#include "server/gateway.h"

namespace emsdb {

class QueryService final : public v1::QueryService::CallbackService {
 public:
  explicit QueryService(Gateway& gateway) : gateway_(gateway) {
    SetMessageAllocatorFor_Query(&query_messages_);
    SetMessageAllocatorFor_ExecuteBatch(&batch_messages_);
  }

  grpc::ServerUnaryReactor* Query(grpc::CallbackServerContext* context,
                                  const v1::QueryRequest* request,
                                  v1::QueryResponse* response) override;
  grpc::ServerWriteReactor<v1::StreamQueryResponse>* StreamQuery(
      grpc::CallbackServerContext* context, const v1::StreamQueryRequest* request) override;
  grpc::ServerUnaryReactor* ExecuteBatch(grpc::CallbackServerContext* context,
                                         const v1::ExecuteBatchRequest* request,
                                         v1::ExecuteBatchResponse* response) override;

 private:
  Gateway& gateway_;
  ArenaMessages<v1::QueryRequest, v1::QueryResponse> query_messages_;
  ArenaMessages<v1::ExecuteBatchRequest, v1::ExecuteBatchResponse> batch_messages_;
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_QUERY_SERVICE_H_
