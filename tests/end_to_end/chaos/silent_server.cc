// What gRPC itself holds for a call: a plain callback server with the gateway's messages that
// leaves every Query unanswered, and says how many it holds as GetPoolStatus's `waiting`. Prints
// its port, and serves until it is killed.
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <iostream>

#include "emsdb/v1/database_service.grpc.pb.h"
#include "emsdb/v1/query_service.grpc.pb.h"

namespace emsdb {
namespace {

std::atomic<int> held{0};

class Unanswered final : public grpc::ServerUnaryReactor {
 public:
  Unanswered() { held.fetch_add(1); }
  void OnCancel() override { Finish(grpc::Status::CANCELLED); }
  void OnDone() override {
    held.fetch_sub(1);
    delete this;
  }
};

class SilentQueries final : public v1::QueryService::CallbackService {
  grpc::ServerUnaryReactor* Query(grpc::CallbackServerContext*, const v1::QueryRequest*,
                                  v1::QueryResponse*) override {
    return new Unanswered;
  }
};

class HeldCalls final : public v1::DatabaseService::CallbackService {
  grpc::ServerUnaryReactor* GetPoolStatus(grpc::CallbackServerContext* context,
                                          const v1::GetPoolStatusRequest*,
                                          v1::GetPoolStatusResponse* response) override {
    response->add_pools()->set_waiting(held.load());
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

int Serve() {
  SilentQueries queries;
  HeldCalls calls;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&queries);
  builder.RegisterService(&calls);
  const auto server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  std::cout << port << std::endl;
  server->Wait();
  return 0;
}

}  // namespace
}  // namespace emsdb

int main() { return emsdb::Serve(); }
