#include "tests/end_to_end/chaos/holder.h"

#include <chrono>
#include <stdexcept>

#include "tests/end_to_end/chaos/watch.h"

namespace emsdb::chaos {
namespace {

constexpr auto kPatience = std::chrono::seconds(60);

}  // namespace

Holder::Holder(const std::string& address)
    : stub_(v1::TransactionService::NewStub(NewChannel(address))) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  v1::BeginTransactionRequest request;
  request.mutable_options()->mutable_idle_timeout()->set_seconds(300);
  request.mutable_options()->mutable_total_timeout()->set_seconds(600);
  v1::BeginTransactionResponse response;
  const grpc::Status status = stub_->BeginTransaction(&context, request, &response);
  if (!status.ok()) throw std::runtime_error("BeginTransaction: " + status.error_message());
  id_ = response.transaction_id();
}

void Holder::LetGo() {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  v1::RollbackTransactionRequest request;
  request.set_transaction_id(id_);
  v1::RollbackTransactionResponse response;
  const grpc::Status status = stub_->RollbackTransaction(&context, request, &response);
  if (!status.ok()) throw std::runtime_error("RollbackTransaction: " + status.error_message());
}

}  // namespace emsdb::chaos
