// The face of TransactionService: leased transactions, begun, committed and rolled back.
#ifndef EMSDB_SERVER_TRANSACTION_SERVICE_H_
#define EMSDB_SERVER_TRANSACTION_SERVICE_H_

#include "emsdb/v1/transaction_service.grpc.pb.h"
#include "server/gateway.h"

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
  grpc::ServerUnaryReactor* GetCommitOutcome(grpc::CallbackServerContext* context,
                                             const v1::GetCommitOutcomeRequest* request,
                                             v1::GetCommitOutcomeResponse* response) override;

 private:
  Gateway& gateway_;
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_TRANSACTION_SERVICE_H_
