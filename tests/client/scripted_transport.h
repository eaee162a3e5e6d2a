// A transport without a wire: tests script its answers, and look at what was asked.
#ifndef EMSDB_TESTS_CLIENT_SCRIPTED_TRANSPORT_H_
#define EMSDB_TESTS_CLIENT_SCRIPTED_TRANSPORT_H_

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/clock.h"
#include "client/error_info.h"
#include "client/transport.h"

namespace emsdb::client {

// Gives its answers one after the other; with the last one it goes on for ever.
template <typename Response>
class Script {
 public:
  void Add(absl::StatusOr<Response> answer) { answers_.push_back(std::move(answer)); }

  template <typename Request>
  absl::StatusOr<Response> Answer(const Request& request, std::vector<Request>& seen) {
    seen.push_back(request);
    if (answers_.empty()) return absl::UnimplementedError("not scripted");
    return answers_[std::min(next_++, answers_.size() - 1)];
  }

 private:
  std::vector<absl::StatusOr<Response>> answers_;
  std::size_t next_ = 0;
};

struct ScriptedStreamAnswer {
  std::vector<v1::StreamQueryResponse> messages;
  absl::Status end;
};

class ScriptedStream : public ResponseStream {
 public:
  ScriptedStream(ScriptedStreamAnswer answer, int& ended)
      : answer_(std::move(answer)), ended_(ended) {}
  ~ScriptedStream() override { ++ended_; }

  bool Read(v1::StreamQueryResponse& into) override {
    if (next_ == answer_.messages.size()) return false;
    into = answer_.messages[next_++];
    return true;
  }

  absl::Status Finish() override { return answer_.end; }

 private:
  ScriptedStreamAnswer answer_;
  int& ended_;
  std::size_t next_ = 0;
};

struct ScriptedCopyAnswer {
  std::size_t takes_requests = SIZE_MAX;  // before the call ends
  absl::StatusOr<v1::CopyInResponse> end;
};

class ScriptedCopy : public RequestStream {
 public:
  ScriptedCopy(ScriptedCopyAnswer answer, std::vector<v1::CopyInRequest>& seen, int& ended)
      : answer_(std::move(answer)), seen_(seen), ended_(ended) {}
  ~ScriptedCopy() override { ++ended_; }

  bool Write(const v1::CopyInRequest& request) override {
    if (seen_.size() == answer_.takes_requests) return false;
    seen_.push_back(request);
    return true;
  }
  absl::StatusOr<v1::CopyInResponse> Finish() override { return answer_.end; }

 private:
  ScriptedCopyAnswer answer_;
  std::vector<v1::CopyInRequest>& seen_;
  int& ended_;
};

// Answers in their order; then the stream ends.
struct ScriptedTransact {
  std::vector<v1::TransactResponse> answers;
  absl::Status end;
};

class ScriptedTransactStream : public TransactStream {
 public:
  ScriptedTransactStream(ScriptedTransact script, std::vector<v1::TransactRequest>& seen,
                         int& ended)
      : script_(std::move(script)), seen_(seen), ended_(ended) {}
  ~ScriptedTransactStream() override { ++ended_; }

  bool Write(const v1::TransactRequest& request) override {
    seen_.push_back(request);
    return next_ < script_.answers.size();
  }
  bool Read(v1::TransactResponse& into) override {
    if (next_ == script_.answers.size()) return false;
    into = script_.answers[next_++];
    return true;
  }
  absl::Status Finish() override { return script_.end; }

 private:
  const ScriptedTransact script_;
  std::vector<v1::TransactRequest>& seen_;
  int& ended_;
  std::size_t next_ = 0;
};

class ScriptedTransport : public Transport {
 public:
  absl::StatusOr<v1::QueryResponse> Query(const CallContext& context,
                                          const v1::QueryRequest& request) override {
    contexts.push_back(context);
    return query.Answer(request, queries);
  }
  absl::StatusOr<std::unique_ptr<ResponseStream>> StreamQuery(
      const CallContext& context, const v1::StreamQueryRequest& request) override {
    contexts.push_back(context);
    auto answer = stream.Answer(request, streams);
    if (!answer.ok()) return answer.status();
    return std::make_unique<ScriptedStream>(*std::move(answer), streams_ended);
  }
  absl::StatusOr<v1::ExecuteBatchResponse> ExecuteBatch(
      const CallContext& context, const v1::ExecuteBatchRequest& request) override {
    contexts.push_back(context);
    return batch.Answer(request, batches);
  }
  absl::StatusOr<std::unique_ptr<RequestStream>> CopyIn(const CallContext& context) override {
    contexts.push_back(context);
    if (!copy.ok()) return copy.status();
    return std::make_unique<ScriptedCopy>(*copy, copy_requests, copies_ended);
  }
  absl::StatusOr<v1::BeginTransactionResponse> Begin(
      const CallContext&, const v1::BeginTransactionRequest& request) override {
    return begin.Answer(request, begins);
  }
  absl::StatusOr<v1::CommitTransactionResponse> Commit(
      const CallContext&, const v1::CommitTransactionRequest& request) override {
    return commit.Answer(request, commits);
  }
  absl::StatusOr<v1::RollbackTransactionResponse> RollBack(
      const CallContext&, const v1::RollbackTransactionRequest& request) override {
    return roll_back.Answer(request, roll_backs);
  }
  absl::StatusOr<v1::SavepointResponse> Savepoint(const CallContext&,
                                                  const v1::SavepointRequest& request) override {
    return savepoint.Answer(request, savepoints);
  }
  absl::StatusOr<std::unique_ptr<TransactStream>> Transact(const CallContext& context) override {
    contexts.push_back(context);
    if (!transact_opens.ok()) return transact_opens;
    return std::make_unique<ScriptedTransactStream>(transact, transacts, streams_ended);
  }

  absl::StatusOr<v1::GetCommitOutcomeResponse> GetCommitOutcome(
      const CallContext&, const v1::GetCommitOutcomeRequest& request) override {
    return outcome.Answer(request, outcomes);
  }
  absl::StatusOr<v1::ListDatabasesResponse> ListDatabases(
      const CallContext&, const v1::ListDatabasesRequest&) override {
    return absl::UnimplementedError("not scripted");
  }
  absl::StatusOr<v1::GetPoolStatusResponse> GetPoolStatus(
      const CallContext&, const v1::GetPoolStatusRequest&) override {
    return absl::UnimplementedError("not scripted");
  }
  absl::StatusOr<std::unique_ptr<MessageStream<v1::WatchPoolStatusResponse>>> WatchPoolStatus(
      const CallContext&, const v1::WatchPoolStatusRequest&) override {
    return absl::UnimplementedError("not scripted");
  }
  absl::StatusOr<v1::PausePoolResponse> PausePool(const CallContext&,
                                                  const v1::PausePoolRequest& request) override {
    return pause.Answer(request, pauses);
  }
  absl::StatusOr<v1::ResumePoolResponse> ResumePool(const CallContext&,
                                                    const v1::ResumePoolRequest&) override {
    return absl::UnimplementedError("not scripted");
  }
  absl::StatusOr<v1::ReconnectPoolResponse> ReconnectPool(
      const CallContext&, const v1::ReconnectPoolRequest&) override {
    return absl::UnimplementedError("not scripted");
  }
  absl::StatusOr<v1::ResizePoolResponse> ResizePool(const CallContext&,
                                                    const v1::ResizePoolRequest& request) override {
    return resize.Answer(request, resizes);
  }
  absl::StatusOr<HealthStatus> CheckHealth(const CallContext&, const std::string&) override {
    return absl::UnimplementedError("not scripted");
  }

  Script<v1::QueryResponse> query;
  absl::StatusOr<ScriptedCopyAnswer> copy = absl::UnimplementedError("not scripted");
  Script<ScriptedStreamAnswer> stream;
  Script<v1::ExecuteBatchResponse> batch;
  Script<v1::BeginTransactionResponse> begin;
  Script<v1::CommitTransactionResponse> commit;
  Script<v1::RollbackTransactionResponse> roll_back;
  Script<v1::SavepointResponse> savepoint;
  absl::Status transact_opens;
  ScriptedTransact transact;
  Script<v1::GetCommitOutcomeResponse> outcome;

  Script<v1::PausePoolResponse> pause;
  Script<v1::ResizePoolResponse> resize;

  std::vector<CallContext> contexts;
  std::vector<v1::PausePoolRequest> pauses;
  std::vector<v1::ResizePoolRequest> resizes;
  std::vector<v1::QueryRequest> queries;
  std::vector<v1::StreamQueryRequest> streams;
  std::vector<v1::ExecuteBatchRequest> batches;
  std::vector<v1::BeginTransactionRequest> begins;
  std::vector<v1::CommitTransactionRequest> commits;
  std::vector<v1::RollbackTransactionRequest> roll_backs;
  std::vector<v1::CopyInRequest> copy_requests;
  std::vector<v1::SavepointRequest> savepoints;
  std::vector<v1::TransactRequest> transacts;
  std::vector<v1::GetCommitOutcomeRequest> outcomes;
  int streams_ended = 0;
  int copies_ended = 0;
};

// Time that passes only while somebody waits for it.
class FakeClock : public Clock {
 public:
  Instant Now() const override { return now_; }
  void WaitUntil(Instant until, CancelSource* /*cancel*/) override {
    waits_.push_back(until - now_);
    now_ = until;
  }
  const std::vector<Duration>& waits() const { return waits_; }

 private:
  Instant now_{std::chrono::hours(1)};
  std::vector<Duration> waits_;
};

// UNAVAILABLE as the gateway says it when nothing was sent to the database.
inline absl::Status NothingSent() {
  return WithErrorInfo(absl::UnavailableError("the database is away"),
                       {.reason = "CONNECTION_UNAVAILABLE", .metadata = {{"retryable", "true"}}});
}

// UNAVAILABLE as gRPC says it when the connection broke.
inline absl::Status LinkLost() { return absl::UnavailableError("Socket closed"); }

}  // namespace emsdb::client

#endif  // EMSDB_TESTS_CLIENT_SCRIPTED_TRANSPORT_H_
