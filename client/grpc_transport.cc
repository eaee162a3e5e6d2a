#include "client/grpc_transport.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/error_info.h"
#include "client/grpc_channel.h"
#include "client/outcome.h"
#include "emsdb/v1/copy_service.grpc.pb.h"
#include "emsdb/v1/database_service.grpc.pb.h"
#include "emsdb/v1/query_service.grpc.pb.h"
#include "emsdb/v1/transaction_service.grpc.pb.h"
#include "google/protobuf/wrappers.pb.h"

namespace emsdb::client {
namespace {

constexpr char kCommitTokenKey[] = "emsdb-commit-token";
constexpr char kHealthMethod[] = "/grpc.health.v1.Health/Check";

// The same bytes as grpc.health.v1's HealthCheckRequest (field 1, a string) and
// HealthCheckResponse (field 1, an enum); gRPC installs no generated code for them.
using HealthRequest = google::protobuf::StringValue;
using HealthResponse = google::protobuf::Int32Value;

HealthStatus ToHealth(int value) {
  if (value == 1) return HealthStatus::kServing;
  if (value == 2) return HealthStatus::kNotServing;
  return HealthStatus::kUnknown;
}

// Came before the commit left, so it is here even if the gateway was lost after it.
std::string TokenOf(const grpc::ClientContext& context) {
  const auto& metadata = context.GetServerInitialMetadata();
  const auto found = metadata.find(kCommitTokenKey);
  return found == metadata.end() ? std::string()
                                 : std::string(found->second.data(), found->second.size());
}

template <typename Message>
class GrpcMessageStream : public MessageStream<Message> {
 public:
  // `method` is the stub's, with `request` for its argument.
  template <typename Stub, typename Request>
  GrpcMessageStream(const CallContext& call, const Headers& headers, const Request& request,
                    Stub& stub,
                    std::unique_ptr<grpc::ClientReader<Message>> (Stub::*method)(
                        grpc::ClientContext*, const Request&))
      : on_cancel_(call.cancel, [this] { context_.TryCancel(); }) {
    context_.set_deadline(ToGrpc(call.deadline));
    headers.AddTo(context_);
    reader_ = (stub.*method)(&context_, request);
  }

  ~GrpcMessageStream() override {
    if (finished_) return;
    context_.TryCancel();
    reader_->Finish();
  }

  bool Read(Message& into) override { return reader_->Read(&into); }

  absl::Status Finish() override {
    finished_ = true;
    return FromGrpc(reader_->Finish());
  }

 private:
  grpc::ClientContext context_;
  OnCancel on_cancel_;  // after the context, so that it is gone before it
  std::unique_ptr<grpc::ClientReader<Message>> reader_;
  bool finished_ = false;
};

class GrpcRequestStream : public RequestStream {
 public:
  GrpcRequestStream(v1::CopyService::Stub& stub, const CallContext& call, const Headers& headers)
      : on_cancel_(call.cancel, [this] { context_.TryCancel(); }) {
    context_.set_deadline(ToGrpc(call.deadline));
    headers.AddTo(context_);
    writer_ = stub.CopyIn(&context_, &response_);
  }

  ~GrpcRequestStream() override {
    if (finished_) return;
    context_.TryCancel();
    writer_->Finish();
  }

  bool Write(const v1::CopyInRequest& request) override { return writer_->Write(request); }

  absl::StatusOr<v1::CopyInResponse> Finish() override {
    finished_ = true;
    writer_->WritesDone();
    const grpc::Status status = writer_->Finish();
    if (!status.ok()) return WithCommitToken(FromGrpc(status), TokenOf(context_));
    return response_;
  }

 private:
  grpc::ClientContext context_;
  v1::CopyInResponse response_;
  OnCancel on_cancel_;  // after the context, so that it is gone before it
  std::unique_ptr<grpc::ClientWriter<v1::CopyInRequest>> writer_;
  bool finished_ = false;
};

class GrpcTransactStream : public TransactStream {
 public:
  GrpcTransactStream(v1::TransactionService::Stub& stub, const CallContext& call,
                     const Headers& headers)
      : on_cancel_(call.cancel, [this] { context_.TryCancel(); }) {
    context_.set_deadline(ToGrpc(call.deadline));
    headers.AddTo(context_);
    stream_ = stub.Transact(&context_);
  }

  ~GrpcTransactStream() override {
    if (finished_) return;
    context_.TryCancel();
    stream_->Finish();
  }

  bool Write(const v1::TransactRequest& request) override { return stream_->Write(request); }
  bool Read(v1::TransactResponse& into) override { return stream_->Read(&into); }

  absl::Status Finish() override {
    finished_ = true;
    return FromGrpc(stream_->Finish());
  }

 private:
  grpc::ClientContext context_;
  OnCancel on_cancel_;  // after the context, so that it is gone before it
  std::unique_ptr<grpc::ClientReaderWriter<v1::TransactRequest, v1::TransactResponse>> stream_;
  bool finished_ = false;
};

class GrpcTransport : public Transport {
 public:
  GrpcTransport(std::string address, std::shared_ptr<grpc::Channel> channel, Headers headers)
      : address_(std::move(address)),
        headers_(std::move(headers)),
        channel_(std::move(channel)),
        queries_(v1::QueryService::NewStub(channel_)),
        transactions_(v1::TransactionService::NewStub(channel_)),
        copies_(v1::CopyService::NewStub(channel_)),
        databases_(v1::DatabaseService::NewStub(channel_)),
        health_(channel_) {}

  absl::StatusOr<v1::QueryResponse> Query(const CallContext& call,
                                          const v1::QueryRequest& request) override {
    return Unary<v1::QueryResponse>(call, request, *queries_, &v1::QueryService::Stub::Query);
  }

  absl::StatusOr<std::unique_ptr<ResponseStream>> StreamQuery(
      const CallContext& call, const v1::StreamQueryRequest& request) override {
    if (absl::Status status = Connect(call); !status.ok()) return status;
    return std::make_unique<GrpcMessageStream<v1::StreamQueryResponse>>(
        call, headers_, request, *queries_, &v1::QueryService::Stub::StreamQuery);
  }

  absl::StatusOr<v1::ExecuteBatchResponse> ExecuteBatch(
      const CallContext& call, const v1::ExecuteBatchRequest& request) override {
    return Unary<v1::ExecuteBatchResponse>(call, request, *queries_,
                                           &v1::QueryService::Stub::ExecuteBatch);
  }

  absl::StatusOr<std::unique_ptr<RequestStream>> CopyIn(const CallContext& call) override {
    if (absl::Status status = Connect(call); !status.ok()) return status;
    return std::make_unique<GrpcRequestStream>(*copies_, call, headers_);
  }

  absl::StatusOr<v1::BeginTransactionResponse> Begin(
      const CallContext& call, const v1::BeginTransactionRequest& request) override {
    return Unary<v1::BeginTransactionResponse>(call, request, *transactions_,
                                               &v1::TransactionService::Stub::BeginTransaction);
  }

  absl::StatusOr<v1::CommitTransactionResponse> Commit(
      const CallContext& call, const v1::CommitTransactionRequest& request) override {
    return Unary<v1::CommitTransactionResponse>(call, request, *transactions_,
                                                &v1::TransactionService::Stub::CommitTransaction);
  }

  absl::StatusOr<v1::RollbackTransactionResponse> RollBack(
      const CallContext& call, const v1::RollbackTransactionRequest& request) override {
    return Unary<v1::RollbackTransactionResponse>(
        call, request, *transactions_, &v1::TransactionService::Stub::RollbackTransaction);
  }

  absl::StatusOr<v1::SavepointResponse> Savepoint(const CallContext& call,
                                                  const v1::SavepointRequest& request) override {
    return Unary<v1::SavepointResponse>(call, request, *transactions_,
                                        &v1::TransactionService::Stub::Savepoint);
  }

  absl::StatusOr<std::unique_ptr<TransactStream>> Transact(const CallContext& call) override {
    if (absl::Status status = Connect(call); !status.ok()) return status;
    return std::make_unique<GrpcTransactStream>(*transactions_, call, headers_);
  }

  absl::StatusOr<v1::GetCommitOutcomeResponse> GetCommitOutcome(
      const CallContext& call, const v1::GetCommitOutcomeRequest& request) override {
    return Unary<v1::GetCommitOutcomeResponse>(call, request, *transactions_,
                                               &v1::TransactionService::Stub::GetCommitOutcome);
  }

  absl::StatusOr<v1::ListDatabasesResponse> ListDatabases(
      const CallContext& call, const v1::ListDatabasesRequest& request) override {
    return Unary<v1::ListDatabasesResponse>(call, request, *databases_,
                                            &v1::DatabaseService::Stub::ListDatabases);
  }

  absl::StatusOr<v1::GetPoolStatusResponse> GetPoolStatus(
      const CallContext& call, const v1::GetPoolStatusRequest& request) override {
    return Unary<v1::GetPoolStatusResponse>(call, request, *databases_,
                                            &v1::DatabaseService::Stub::GetPoolStatus);
  }

  absl::StatusOr<std::unique_ptr<MessageStream<v1::WatchPoolStatusResponse>>> WatchPoolStatus(
      const CallContext& call, const v1::WatchPoolStatusRequest& request) override {
    if (absl::Status status = Connect(call); !status.ok()) return status;
    return std::make_unique<GrpcMessageStream<v1::WatchPoolStatusResponse>>(
        call, headers_, request, *databases_, &v1::DatabaseService::Stub::WatchPoolStatus);
  }

  absl::StatusOr<v1::PausePoolResponse> PausePool(const CallContext& call,
                                                  const v1::PausePoolRequest& request) override {
    return Unary<v1::PausePoolResponse>(call, request, *databases_,
                                        &v1::DatabaseService::Stub::PausePool);
  }

  absl::StatusOr<v1::ResumePoolResponse> ResumePool(const CallContext& call,
                                                    const v1::ResumePoolRequest& request) override {
    return Unary<v1::ResumePoolResponse>(call, request, *databases_,
                                         &v1::DatabaseService::Stub::ResumePool);
  }

  absl::StatusOr<v1::ReconnectPoolResponse> ReconnectPool(
      const CallContext& call, const v1::ReconnectPoolRequest& request) override {
    return Unary<v1::ReconnectPoolResponse>(call, request, *databases_,
                                            &v1::DatabaseService::Stub::ReconnectPool);
  }

  absl::StatusOr<v1::ResizePoolResponse> ResizePool(const CallContext& call,
                                                    const v1::ResizePoolRequest& request) override {
    return Unary<v1::ResizePoolResponse>(call, request, *databases_,
                                         &v1::DatabaseService::Stub::ResizePool);
  }

  absl::StatusOr<HealthStatus> CheckHealth(const CallContext& call,
                                           const std::string& service) override {
    if (absl::Status status = Connect(call); !status.ok()) return status;
    return SendHealthCheck(call, service);
  }

 private:
  template <typename Response, typename Request, typename Stub>
  absl::StatusOr<Response> Unary(const CallContext& call, const Request& request, Stub& stub,
                                 grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                              Response*)) {
    if (absl::Status status = Connect(call); !status.ok()) return status;
    grpc::ClientContext context;
    const OnCancel on_cancel(call.cancel, [&context] { context.TryCancel(); });
    context.set_deadline(ToGrpc(call.deadline));
    headers_.AddTo(context);
    Response response;
    const grpc::Status status = (stub.*method)(&context, request, &response);
    if (!status.ok()) return WithCommitToken(FromGrpc(status), TokenOf(context));
    return response;
  }

  // A call leaves only on a connection that stands. Otherwise a failure to connect could not be
  // told from a connection that was lost with the call on it, and every write that met a gateway
  // away would have to be reported as perhaps done. Costs nothing while connected.
  absl::Status Connect(const CallContext& call) {
    constexpr Duration kStep = std::chrono::milliseconds(50);  // how soon a cancel is seen
    while (true) {
      const grpc_connectivity_state state = channel_->GetState(/*try_to_connect=*/true);
      if (state == GRPC_CHANNEL_READY) return absl::OkStatus();
      if (call.cancel != nullptr && call.cancel->cancelled()) return CancelledBeforeSending();
      const Instant now = std::chrono::steady_clock::now();
      if (state == GRPC_CHANNEL_TRANSIENT_FAILURE) return AskWhyNotConnected(call);
      if (now >= call.deadline) return NotConnectedInTime();
      channel_->WaitForStateChange(state, ToGrpc(std::min(call.deadline, now + kStep)));
    }
  }

  // The channel tells its state but not its reason; a call that can do no harm is told the reason.
  absl::Status AskWhyNotConnected(const CallContext& call) {
    const absl::Status status = SendHealthCheck(call, "").status();
    if (!absl::IsUnavailable(status)) return absl::OkStatus();  // connected meanwhile
    return GatewayUnreachable(address_, std::string(status.message()));
  }

  absl::Status NotConnectedInTime() const {
    return WithErrorInfo(
        absl::DeadlineExceededError(absl::StrCat("the deadline passed while connecting to the "
                                                 "gateway at ",
                                                 address_, "; nothing was sent")),
        {.reason = kGatewayUnreachable, .metadata = {{"stage", "connecting"}}});
  }

  static absl::Status CancelledBeforeSending() {
    return WithErrorInfo(absl::CancelledError("cancelled; nothing was sent"),
                         {.reason = "CANCELLED", .metadata = {{"stage", "connecting"}}});
  }

  absl::StatusOr<HealthStatus> SendHealthCheck(const CallContext& call,
                                               const std::string& service) {
    grpc::ClientContext context;
    const OnCancel on_cancel(call.cancel, [&context] { context.TryCancel(); });
    context.set_deadline(ToGrpc(call.deadline));
    headers_.AddTo(context);
    HealthRequest request;
    request.set_value(service);
    HealthResponse response;
    std::promise<grpc::Status> done;
    health_.UnaryCall(&context, kHealthMethod, {}, &request, &response,
                      [&done](const grpc::Status& status) { done.set_value(status); });
    const grpc::Status status = done.get_future().get();
    if (!status.ok()) return FromGrpc(status);
    return ToHealth(response.value());
  }

  const std::string address_;
  const Headers headers_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::QueryService::Stub> queries_;
  const std::unique_ptr<v1::TransactionService::Stub> transactions_;
  const std::unique_ptr<v1::CopyService::Stub> copies_;
  const std::unique_ptr<v1::DatabaseService::Stub> databases_;
  grpc::TemplatedGenericStub<HealthRequest, HealthResponse> health_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<Transport>> MakeGrpcTransport(const ConnectOptions& options) {
  auto channel = MakeGrpcChannel(options, {});
  if (!channel.ok()) return channel.status();
  return std::make_shared<GrpcTransport>(options.address, *std::move(channel), Headers(options));
}

}  // namespace emsdb::client
