// One leased transaction, which keeps the connection it got until it is let go.
#ifndef EMSDB_TESTS_END_TO_END_CHAOS_HOLDER_H_
#define EMSDB_TESTS_END_TO_END_CHAOS_HOLDER_H_

#include <memory>
#include <string>

#include "emsdb/v1/transaction_service.grpc.pb.h"

namespace emsdb::chaos {

class Holder {
 public:
  // Throws if the gateway gives it none.
  explicit Holder(const std::string& address);
  // Rolls back; throws if that fails.
  void LetGo();

 private:
  std::unique_ptr<v1::TransactionService::Stub> stub_;
  std::string id_;
};

}  // namespace emsdb::chaos

#endif  // EMSDB_TESTS_END_TO_END_CHAOS_HOLDER_H_
