#include "tests/end_to_end/transfer/ways.h"

#include <array>
#include <thread>
#include <utility>

#include "client/error_info.h"

namespace emsdb::transfer {
namespace {

using client::ErrorInfoOf;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using QueryStub = v1::QueryService::Stub;
using TransactionStub = v1::TransactionService::Stub;

constexpr int kMostRepeats = 500;
constexpr auto kAgain = milliseconds(3);

void FillQuery(v1::QueryRequest& request, const v1::Statement& statement) {
  *request.mutable_statement() = statement;
}

// The answers to the requests on a stream.
class Stream {
 public:
  Stream(TransactionStub& stub, const Patience& patience)
      : departure_(Prepared(context_, patience), patience), stream_(stub.Transact(&context_)) {}
  ~Stream() {
    if (over_) return;
    context_.TryCancel();
    stream_->Finish();
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // The answer, or why the stream ended.
  Answer Ask(const v1::TransactRequest& request) {
    stream_->Write(request);
    v1::TransactResponse response;
    while (stream_->Read(&response)) {
      if (response.has_committing()) {
        token_ = response.committing().commit_token();
        continue;
      }
      if (!response.has_error()) return {absl::OkStatus(), token_};
      const v1::TransactError& error = response.error();
      return {client::WithErrorInfo(
                  absl::Status(static_cast<absl::StatusCode>(error.code()), error.message()),
                  {.reason = error.reason(),
                   .metadata = {error.metadata().begin(), error.metadata().end()}}),
              token_};
    }
    over_ = true;
    Answer answer = AnswerFrom(stream_->Finish(), context_);
    if (answer.status.ok()) answer.status = absl::DataLossError("a stream without an answer");
    answer.token = token_;
    return answer;
  }

 private:
  static grpc::ClientContext& Prepared(grpc::ClientContext& context, const Patience& patience) {
    context.set_deadline(std::chrono::system_clock::now() + patience.deadline);
    return context;
  }

  grpc::ClientContext context_;
  const Departure departure_;
  const std::unique_ptr<grpc::ClientReaderWriter<v1::TransactRequest, v1::TransactResponse>>
      stream_;
  std::string token_;
  bool over_ = false;
};

}  // namespace

Ways::Ways(const std::shared_ptr<grpc::Channel>& channel, Engine engine, std::uint64_t seed)
    : engine_(engine),
      random_(seed),
      queries_(v1::QueryService::NewStub(channel)),
      transactions_(v1::TransactionService::NewStub(channel)) {}

Verdict Ways::Go(Way way, const Order& order) {
  impatient_ = false;
  Verdict verdict;
  switch (way) {
    case Way::kBatch:
      verdict = ByBatch(order);
      break;
    case Way::kLease:
    case Way::kInlineCommit:
      verdict = ByLease(order, way);
      break;
    case Way::kStream:
      verdict = ByStream(order);
      break;
    case Way::kResolvable:
    case Way::kOneTrip:
      verdict = InOneCall(order, way);
      break;
  }
  verdict.impatient = impatient_;
  return verdict;
}

Patience Ways::SomePatience() {
  const int kind = Below(20);
  if (kind >= 3) return {};
  impatient_ = true;
  if (kind == 0) return {.deadline = microseconds(500 + Below(40'000))};
  return {.leaves_after = microseconds(Below(25'000))};
}

void Ways::FillOptions(v1::TransactionOptions& options) {
  if (Below(2) == 0) options.set_isolation_level(v1::ISOLATION_LEVEL_SERIALIZABLE);
}

Verdict Ways::ByBatch(const Order& order) {
  v1::ExecuteBatchRequest request;
  FillOptions(*request.mutable_options());
  for (const v1::Statement& statement : InSteps(order)) {
    v1::BatchStatement& guarded = *request.add_statements();
    *guarded.mutable_statement() = statement;
    guarded.set_expect_rows(1);
  }
  v1::ExecuteBatchResponse response;
  Answer answer = Ask(*queries_, &QueryStub::ExecuteBatch, request, response, SomePatience());
  return {answer.fate(), std::move(answer)};
}

Verdict Ways::InOneCall(const Order& order, Way way) {
  v1::QueryRequest request;
  FillQuery(request, AtOnce(order, engine_));
  request.set_resolvable(way == Way::kResolvable);
  v1::QueryResponse response;
  Answer answer = Ask(*queries_, &QueryStub::Query, request, response, SomePatience());
  return {answer.fate(), std::move(answer)};
}

Verdict Ways::ByStream(const Order& order) {
  Stream stream(*transactions_, SomePatience());
  v1::TransactRequest request;
  FillOptions(*request.mutable_begin()->mutable_options());
  Answer answer = stream.Ask(request);
  for (const v1::Statement& statement : InSteps(order)) {
    if (!answer.status.ok()) return {Fate::kNothing, std::move(answer)};
    *request.mutable_statement()->mutable_statement() = statement;
    request.mutable_statement()->set_expect_rows(1);
    answer = stream.Ask(request);
  }
  if (!answer.status.ok()) return {Fate::kNothing, std::move(answer)};
  request.mutable_commit();
  answer = stream.Ask(request);
  return {answer.fate(), std::move(answer)};
}

std::string Ways::Begin(const v1::Statement& first, bool& first_is_done, Answer& answer) {
  v1::TransactionOptions options;
  FillOptions(options);
  // What a caller who left has left behind.
  options.mutable_idle_timeout()->set_seconds(2);
  first_is_done = Below(2) == 0;
  if (first_is_done) {
    v1::QueryRequest request;
    FillQuery(request, first);
    *request.mutable_transaction()->mutable_begin() = options;
    v1::QueryResponse response;
    answer = Ask(*queries_, &QueryStub::Query, request, response, SomePatience());
    return answer.status.ok() ? response.transaction_id() : "";
  }
  v1::BeginTransactionRequest request;
  *request.mutable_options() = options;
  v1::BeginTransactionResponse response;
  answer =
      Ask(*transactions_, &TransactionStub::BeginTransaction, request, response, SomePatience());
  return answer.status.ok() ? response.transaction_id() : "";
}

template <typename Call>
Answer Ways::Persist(Call call) {
  Answer answer = call(SomePatience());
  std::string token = answer.token;
  for (int i = 0; i < kMostRepeats; ++i) {
    if (answer.heard() && ErrorInfoOf(answer.status).reason != "TX_BUSY") break;
    std::this_thread::sleep_for(kAgain);
    answer = call(Patience{});
    if (!answer.token.empty()) token = answer.token;
  }
  answer.token = token;
  return answer;
}

Verdict Ways::GivenUp(const std::string& id, const Answer& answer) {
  v1::RollbackTransactionRequest request;
  request.set_transaction_id(id);
  v1::RollbackTransactionResponse response;
  Ask(*transactions_, &TransactionStub::RollbackTransaction, request, response, {});
  return {Fate::kNothing, answer};
}

Verdict Ways::ByLease(const Order& order, Way way) {
  const std::array<v1::Statement, 3> steps = InSteps(order);
  bool first_is_done = false;
  Answer answer;
  const std::string id = Begin(steps[0], first_is_done, answer);
  if (id.empty()) return {Fate::kNothing, std::move(answer)};
  std::uint64_t sequence = 0;
  for (std::size_t i = first_is_done ? 1 : 0; i < steps.size(); ++i) {
    v1::QueryRequest request;
    FillQuery(request, steps[i]);
    request.mutable_transaction()->set_id(id);
    request.mutable_transaction()->set_sequence(++sequence);
    request.set_commit(way == Way::kInlineCommit && i + 1 == steps.size());
    answer = Persist([&](const Patience& patience) {
      v1::QueryResponse response;
      return Ask(*queries_, &QueryStub::Query, request, response, patience);
    });
    if (request.commit()) return {answer.fate(), std::move(answer)};
    if (!answer.status.ok()) return GivenUp(id, answer);
  }
  v1::CommitTransactionRequest commit;
  commit.set_transaction_id(id);
  commit.set_sequence(++sequence);
  answer = Persist([&](const Patience& patience) {
    v1::CommitTransactionResponse response;
    return Ask(*transactions_, &TransactionStub::CommitTransaction, commit, response, patience);
  });
  return {answer.fate(), std::move(answer)};
}

std::optional<v1::CommitOutcome> Ways::Resolve(const std::string& token, seconds patience) {
  v1::GetCommitOutcomeRequest request;
  request.set_commit_token(token);
  const auto until = steady_clock::now() + patience;
  while (steady_clock::now() < until) {
    v1::GetCommitOutcomeResponse response;
    const Answer answer = Ask(*transactions_, &TransactionStub::GetCommitOutcome, request, response,
                              {.deadline = seconds(5)});
    if (answer.status.code() == absl::StatusCode::kNotFound) return std::nullopt;
    const bool told = answer.status.ok() && response.outcome() != v1::COMMIT_OUTCOME_IN_PROGRESS;
    if (told) return response.outcome();
    std::this_thread::sleep_for(kAgain);
  }
  return std::nullopt;
}

}  // namespace emsdb::transfer
