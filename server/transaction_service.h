// The face of TransactionService: leased transactions, begun, committed and rolled
// back, and those that are bound to a stream.
#ifndef EMSDB_SERVER_TRANSACTION_SERVICE_H_
#define EMSDB_SERVER_TRANSACTION_SERVICE_H_

#include "emsdb/v1/transaction_service.grpc.pb.h"
#include "server/gateway.h"
#include "server/idle_streams.h"

namespace emsdb {

class TransactionService final : public v1::TransactionService::CallbackService {
 public:
  explicit TransactionService(Gateway& gateway) : gateway_(gateway) {}

  grpc::ServerUnaryReactor* BeginTransaction(grpc::CallbackServerContext* context,
                                             const v1::BeginTransactionRequest* request,
                                             v1::BeginTransactionResponse* response) override;
  grpc::ServerUnaryReactor* CommitTransaction(grpc::CallbackServerContext* context,
                                              const v1::CommitTransactionRequest* request,
                                              v1::CommitTransactionResponse* response) override;
  grpc::ServerUnaryReactor* RollbackTransaction(grpc::CallbackServerContext* context,
                                                const v1::RollbackTransactionRequest* request,
                                                v1::RollbackTransactionResponse* response) override;
  grpc::ServerUnaryReactor* Savepoint(grpc::CallbackServerContext* context,
                                      const v1::SavepointRequest* request,
                                      v1::SavepointResponse* response) override;
  grpc::ServerBidiReactor<v1::TransactRequest, v1::TransactResponse>* Transact(
      grpc::CallbackServerContext* context) override;

  // Ends the streams that have not begun, and those that come later.
  void Drain() { waiting_.Drain(); }
  grpc::ServerUnaryReactor* GetCommitOutcome(grpc::CallbackServerContext* context,
                                             const v1::GetCommitOutcomeRequest* request,
                                             v1::GetCommitOutcomeResponse* response) override;

 private:
  Gateway& gateway_;
  IdleStreams waiting_;
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_TRANSACTION_SERVICE_H_
