#include "client/cli/bench_caller.h"

#include <chrono>
#include <utility>

namespace emsdb::client::cli {
namespace {

// Rows read, or those that a write touched.
template <typename Result>
std::uint64_t RowsIn(const Result& result) {
  const auto read = static_cast<std::uint64_t>(result.rows_size());
  return read > 0 ? read : static_cast<std::uint64_t>(result.rows_affected());
}

std::uint64_t RowsIn(const v1::ExecuteBatchResponse& response) {
  std::uint64_t rows = 0;
  for (const v1::StatementResult& result : response.results()) rows += RowsIn(result);
  return rows;
}

// What every kind of caller has: a context for each call, which gRPC wants to be a new one, and
// choices of its own.
class GrpcCaller : public Caller {
 public:
  GrpcCaller(const CallerSetting& setting, std::shared_ptr<Line> line, std::uint64_t number)
      : setting_(setting),
        line_(std::move(line)),
        random_(setting.command.seed + number * 0x632be59bd9b4e019U),
        deadlines_(Deadlines(setting.command)) {}

  void Cancel() override {
    if (context_) context_->TryCancel();
  }

 protected:
  grpc::ClientContext& NewContext() {
    context_.emplace();
    const auto now = std::chrono::steady_clock::now();
    context_->set_deadline(ToGrpc(now + deadlines_.Choose(random_)));
    setting_.headers.AddTo(*context_);
    return *context_;
  }

  std::int64_t keys() const { return setting_.command.keys; }
  grpc::CompletionQueue* queue() const { return &setting_.queue; }
  Line& line() const { return *line_; }
  BenchRandom& random() { return random_; }

 private:
  const CallerSetting setting_;
  const std::shared_ptr<Line> line_;
  BenchRandom random_;
  const DeadlineChoice deadlines_;
  std::optional<grpc::ClientContext> context_;
};

// One request, one answer. Its reader lies in the call's own memory, so it goes before the context.
template <typename Stub, typename Request, typename Response>
class Unary {
 public:
  using Reader = std::unique_ptr<grpc::ClientAsyncResponseReader<Response>>;
  using Method = Reader (Stub::*)(grpc::ClientContext*, const Request&, grpc::CompletionQueue*);

  void Drop() { reader_.reset(); }

  void Send(Stub& stub, Method method, grpc::ClientContext& context, const Request& request,
            grpc::CompletionQueue* queue, grpc::Status& status, void* tag) {
    reader_ = (stub.*method)(&context, request, queue);
    reader_->Finish(&response_, &status, tag);
  }

  const Response& response() const { return response_; }

 private:
  Response response_;  // keeps its memory from call to call
  Reader reader_;
};

using UnaryQuery = Unary<v1::QueryService::Stub, v1::QueryRequest, v1::QueryResponse>;
using UnaryBatch = Unary<v1::QueryService::Stub, v1::ExecuteBatchRequest, v1::ExecuteBatchResponse>;
using UnaryRollback = Unary<v1::TransactionService::Stub, v1::RollbackTransactionRequest,
                            v1::RollbackTransactionResponse>;

class QueryCaller : public GrpcCaller {
 public:
  QueryCaller(const CallerSetting& setting, std::shared_ptr<Line> line, std::uint64_t number,
              v1::QueryRequest request)
      : GrpcCaller(setting, std::move(line), number), request_(std::move(request)) {}

  void Begin() override {
    ChooseKeys(keys(), random(), request_);
    Send(request_);
  }

  State On(bool /*ok*/) override {
    rows_ = status_.ok() ? RowsIn(call_.response()) : 0;
    return State::kEnded;
  }

 protected:
  void Send(const v1::QueryRequest& request) {
    call_.Drop();
    call_.Send(line().queries, &v1::QueryService::Stub::AsyncQuery, NewContext(), request, queue(),
               status_, this);
  }

 private:
  v1::QueryRequest request_;
  UnaryQuery call_;
};

class MixCaller : public QueryCaller {
 public:
  MixCaller(const CallerSetting& setting, std::shared_ptr<Line> line, std::uint64_t number)
      : QueryCaller(setting, std::move(line), number, ReadRequest(setting.command)),
        slow_(SlowRequest(setting.command)),
        share_(setting.command.slow_share) {}

  void Begin() override {
    kind_ = random().Share() < share_ ? CallKind::kSlow : CallKind::kUsual;
    if (kind_ == CallKind::kUsual) return QueryCaller::Begin();
    Send(slow_);
  }

  CallKind kind() const override { return kind_; }

 private:
  const v1::QueryRequest slow_;
  const double share_;
  CallKind kind_ = CallKind::kUsual;
};

class BatchCaller : public GrpcCaller {
 public:
  BatchCaller(const CallerSetting& setting, std::shared_ptr<Line> line, std::uint64_t number)
      : GrpcCaller(setting, std::move(line), number), request_(BatchRequest(setting.command)) {}

  void Begin() override {
    ChooseKeys(keys(), random(), request_);
    call_.Drop();
    call_.Send(line().queries, &v1::QueryService::Stub::AsyncExecuteBatch, NewContext(), request_,
               queue(), status_, this);
  }

  State On(bool /*ok*/) override {
    rows_ = status_.ok() ? RowsIn(call_.response()) : 0;
    return State::kEnded;
  }

 private:
  v1::ExecuteBatchRequest request_;
  UnaryBatch call_;
};

// Three calls that count as one. After an error it rolls back, as callers should: the gateway would
// else keep the connection for the transaction until its idle time-out.
class TransactionCaller : public GrpcCaller {
 public:
  TransactionCaller(const CallerSetting& setting, std::shared_ptr<Line> line, std::uint64_t number)
      : GrpcCaller(setting, std::move(line), number),
        requests_(MakeTransactionRequests(setting.command)) {}

  void Begin() override {
    ChooseKeys(keys(), random(), requests_);
    id_.clear();
    rows_ = 0;
    next_ = 0;
    SendNext();
  }

  State On(bool /*ok*/) override {
    if (rolling_back_) {
      rolling_back_ = false;
      return State::kEnded;
    }
    if (!status_.ok()) return RollBack();
    rows_ += RowsIn(call_.response());
    if (next_ == requests_.size()) return State::kEnded;
    if (id_.empty()) KeepId();
    SendNext();
    return State::kGoesOn;
  }

 private:
  void KeepId() {
    id_ = call_.response().transaction_id();
    for (std::size_t i = 1; i < requests_.size(); ++i) {
      requests_[i].mutable_transaction()->set_id(id_);
    }
  }

  void SendNext() {
    call_.Drop();
    call_.Send(line().queries, &v1::QueryService::Stub::AsyncQuery, NewContext(),
               requests_[next_++], queue(), status_, this);
  }

  // Of a transaction whose first statement failed there is nothing left.
  State RollBack() {
    rows_ = 0;
    if (id_.empty()) return State::kEnded;
    rolling_back_ = true;
    v1::RollbackTransactionRequest request;
    request.set_transaction_id(id_);
    call_.Drop();
    roll_back_.Drop();
    roll_back_.Send(line().transactions, &v1::TransactionService::Stub::AsyncRollbackTransaction,
                    NewContext(), request, queue(), roll_back_status_, this);
    return State::kGoesOn;
  }

  TransactionRequests requests_;
  std::string id_;
  std::size_t next_ = 0;
  bool rolling_back_ = false;
  UnaryQuery call_;
  UnaryRollback roll_back_;
  grpc::Status roll_back_status_;  // what failed is told by the statement's
};

class StreamCaller : public GrpcCaller {
 public:
  StreamCaller(const CallerSetting& setting, std::shared_ptr<Line> line, std::uint64_t number)
      : GrpcCaller(setting, std::move(line), number),
        request_(StreamRequest(setting.command, setting.dialect)) {}

  void Begin() override {
    rows_ = 0;
    finishing_ = false;
    started_ = false;
    complete_ = false;
    reader_.reset();
    reader_ = line().queries.PrepareAsyncStreamQuery(&NewContext(), request_, queue());
    // The first event says that the request is on its way. It may reach another thread before this
    // returns.
    reader_->StartCall(this);
  }

  State On(bool ok) override {
    if (finishing_) return End();
    if (ok && std::exchange(started_, true)) Count();
    if (ok) {
      reader_->Read(&response_, this);
    } else {
      finishing_ = true;
      reader_->Finish(&status_, this);
    }
    return State::kGoesOn;
  }

 private:
  void Count() {
    rows_ += static_cast<std::uint64_t>(response_.rows_size());
    complete_ = complete_ || response_.has_complete();
  }

  // Without its last message a stream was not whole, whatever its status says.
  State End() {
    if (status_.ok() && !complete_) {
      status_ = grpc::Status(grpc::StatusCode::DATA_LOSS, "the stream ended without its end");
    }
    return State::kEnded;
  }

  const v1::StreamQueryRequest request_;
  v1::StreamQueryResponse response_;
  std::unique_ptr<grpc::ClientAsyncReader<v1::StreamQueryResponse>> reader_;
  bool started_ = false;
  bool finishing_ = false;
  bool complete_ = false;
};

}  // namespace

std::unique_ptr<Caller> MakeCaller(const CallerSetting& setting, std::shared_ptr<Line> line,
                                   std::uint64_t number) {
  switch (setting.command.workload) {
    case Workload::kWrite:
      return std::make_unique<QueryCaller>(setting, std::move(line), number,
                                           WriteRequest(setting.command));
    case Workload::kBatch:
      return std::make_unique<BatchCaller>(setting, std::move(line), number);
    case Workload::kTransaction:
      return std::make_unique<TransactionCaller>(setting, std::move(line), number);
    case Workload::kStream:
      return std::make_unique<StreamCaller>(setting, std::move(line), number);
    case Workload::kMix:
      return std::make_unique<MixCaller>(setting, std::move(line), number);
    case Workload::kRead:
    case Workload::kIdle:
      break;
  }
  return std::make_unique<QueryCaller>(setting, std::move(line), number,
                                       ReadRequest(setting.command));
}

std::uint64_t StatementsOf(Workload workload) {
  if (workload == Workload::kBatch) return 5;
  return workload == Workload::kTransaction ? 3 : 1;
}

}  // namespace emsdb::client::cli
