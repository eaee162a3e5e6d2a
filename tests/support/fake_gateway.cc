#include "tests/support/fake_gateway.h"

#include <grpc/grpc.h>
#include <grpcpp/health_check_service_interface.h>

#include <chrono>
#include <utility>

#include "emsdb/wire/v1/rpc_status.pb.h"

namespace emsdb {

// All three services, and what they have seen.
class FakeGateway::Services {
 public:
  explicit Services(FakeScript script)
      : script_(std::move(script)), queries_(*this), transactions_(*this), databases_(*this) {}

  void Register(grpc::ServerBuilder& builder) {
    builder.RegisterService(&queries_);
    builder.RegisterService(&transactions_);
    builder.RegisterService(&databases_);
  }

  std::map<std::string, std::string> metadata() const {
    const std::lock_guard lock(mutex_);
    return metadata_;
  }

 private:
  using Context = grpc::ServerContext;

  struct Queries : v1::QueryService::Service {
    explicit Queries(Services& owner) : all(owner) {}
    grpc::Status Query(Context* context, const v1::QueryRequest* request,
                       v1::QueryResponse* response) override {
      return all.Answer(*context, all.script_.query, *request, *response);
    }
    grpc::Status StreamQuery(Context* context, const v1::StreamQueryRequest* request,
                             grpc::ServerWriter<v1::StreamQueryResponse>* writer) override {
      all.Remember(*context);
      if (!all.script_.stream_query) return {grpc::StatusCode::UNIMPLEMENTED, "not scripted"};
      return all.script_.stream_query(
          *request, {.send = [writer](const auto& message) { return writer->Write(message); },
                     .cancelled = [context] { return context->IsCancelled(); }});
    }
    grpc::Status ExecuteBatch(Context* context, const v1::ExecuteBatchRequest* request,
                              v1::ExecuteBatchResponse* response) override {
      return all.Answer(*context, all.script_.batch, *request, *response);
    }
    Services& all;
  };

  struct Transactions : v1::TransactionService::Service {
    explicit Transactions(Services& owner) : all(owner) {}
    grpc::Status BeginTransaction(Context* context, const v1::BeginTransactionRequest* request,
                                  v1::BeginTransactionResponse* response) override {
      return all.Answer(*context, all.script_.begin, *request, *response);
    }
    grpc::Status CommitTransaction(Context* context, const v1::CommitTransactionRequest* request,
                                   v1::CommitTransactionResponse* response) override {
      return all.Answer(*context, all.script_.commit, *request, *response);
    }
    grpc::Status RollbackTransaction(Context* context,
                                     const v1::RollbackTransactionRequest* request,
                                     v1::RollbackTransactionResponse* response) override {
      return all.Answer(*context, all.script_.roll_back, *request, *response);
    }
    grpc::Status GetCommitOutcome(Context* context, const v1::GetCommitOutcomeRequest* request,
                                  v1::GetCommitOutcomeResponse* response) override {
      return all.Answer(*context, all.script_.outcome, *request, *response);
    }
    Services& all;
  };

  struct Databases : v1::DatabaseService::Service {
    explicit Databases(Services& owner) : all(owner) {}
    grpc::Status ListDatabases(Context* context, const v1::ListDatabasesRequest* request,
                               v1::ListDatabasesResponse* response) override {
      return all.Answer(*context, all.script_.databases, *request, *response);
    }
    grpc::Status GetPoolStatus(Context* context, const v1::GetPoolStatusRequest* request,
                               v1::GetPoolStatusResponse* response) override {
      return all.Answer(*context, all.script_.pools, *request, *response);
    }
    grpc::Status PausePool(Context* context, const v1::PausePoolRequest* request,
                           v1::PausePoolResponse* response) override {
      return all.Answer(*context, all.script_.pause, *request, *response);
    }
    grpc::Status ResumePool(Context* context, const v1::ResumePoolRequest* request,
                            v1::ResumePoolResponse* response) override {
      return all.Answer(*context, all.script_.resume, *request, *response);
    }
    grpc::Status ReconnectPool(Context* context, const v1::ReconnectPoolRequest* request,
                               v1::ReconnectPoolResponse* response) override {
      return all.Answer(*context, all.script_.reconnect, *request, *response);
    }
    grpc::Status ResizePool(Context* context, const v1::ResizePoolRequest* request,
                            v1::ResizePoolResponse* response) override {
      return all.Answer(*context, all.script_.resize, *request, *response);
    }
    grpc::Status WatchPoolStatus(Context* context, const v1::WatchPoolStatusRequest* request,
                                 grpc::ServerWriter<v1::WatchPoolStatusResponse>* writer) override {
      all.Remember(*context);
      if (!all.script_.watch) return {grpc::StatusCode::UNIMPLEMENTED, "not scripted"};
      return all.script_.watch(*request,
                               [writer](const auto& message) { return writer->Write(message); });
    }
    Services& all;
  };

  template <typename Script, typename Request, typename Response>
  grpc::Status Answer(const Context& context, const Script& script, const Request& request,
                      Response& response) {
    Remember(context);
    if (!script) return {grpc::StatusCode::UNIMPLEMENTED, "not scripted"};
    return script(request, response);
  }

  void Remember(const Context& context) {
    const std::lock_guard lock(mutex_);
    metadata_.clear();
    for (const auto& [key, value] : context.client_metadata()) {
      metadata_[{key.data(), key.size()}] = {value.data(), value.size()};
    }
  }

  const FakeScript script_;
  Queries queries_;
  Transactions transactions_;
  Databases databases_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> metadata_;
};

FakeGateway::FakeGateway(FakeScript script, std::shared_ptr<grpc::ServerCredentials> credentials)
    : services_(std::make_unique<Services>(std::move(script))) {
  // Never given back: the last one out would wait up to ten seconds for gRPC's own pollers.
  static const bool kept = (grpc_init(), true);
  static_cast<void>(kept);
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", std::move(credentials), &port_);
  builder.SetMaxSendMessageSize(-1);
  services_->Register(builder);
  server_ = builder.BuildAndStart();
}

FakeGateway::~FakeGateway() { Break(); }

std::string FakeGateway::address() const { return "127.0.0.1:" + std::to_string(port_); }

void FakeGateway::SetHealth(const std::string& service, Health health) {
  server_->GetHealthCheckService()->SetServingStatus(service, health == Health::kServing);
}

std::map<std::string, std::string> FakeGateway::metadata() const { return services_->metadata(); }

void FakeGateway::Break() { server_->Shutdown(std::chrono::system_clock::now()); }

grpc::Status GatewayError(grpc::StatusCode code, const std::string& message,
                          const std::string& reason,
                          const std::map<std::string, std::string>& metadata) {
  wire::v1::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain("emsdb.v1");
  info.mutable_metadata()->insert(metadata.begin(), metadata.end());
  wire::v1::RpcStatus status;
  status.set_code(code);
  status.set_message(message);
  auto& any = *status.add_details();
  any.set_type_url("type.googleapis.com/google.rpc.ErrorInfo");
  any.set_value(info.SerializeAsString());
  return {code, message, status.SerializeAsString()};
}

}  // namespace emsdb
