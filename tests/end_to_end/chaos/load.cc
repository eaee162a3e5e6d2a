#include "tests/end_to_end/chaos/load.h"

#include <grpcpp/alarm.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "tests/end_to_end/chaos/watch.h"

namespace emsdb::chaos {

v1::Statement ToStatement(const std::string& sql, const std::vector<std::int64_t>& parameters) {
  v1::Statement statement;
  statement.set_sql(sql);
  for (const std::int64_t parameter : parameters) {
    statement.add_parameters()->set_int64_value(parameter);
  }
  return statement;
}

v1::QueryRequest ToQuery(const std::string& sql, const std::vector<std::int64_t>& parameters,
                         v1::Priority priority) {
  v1::QueryRequest request;
  *request.mutable_statement() = ToStatement(sql, parameters);
  request.set_priority(priority);
  return request;
}

void SetGatewayDeadline(grpc::ClientContext& context, Duration deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline).count();
  context.AddMetadata("grpc-timeout", absl::StrFormat("%dm", left));
}

// One call at a time; its members belong to the thread that the last callback came in.
class Load::Lane {
 public:
  explicit Lane(Load& load) : load_(load) {}

  void Next() {
    if (load_.stopping()) return load_.LaneIsOver();
    {
      MutexLock lock(load_.mutex_);
      call_.id = load_.next_id_++;
      context_.emplace();
    }
    SetGatewayDeadline(*context_, load_.options_.deadline);
    request_ = load_.options_.make(call_.id);
    call_.began = Clock::Real().Now();
    const auto done = [this](const grpc::Status& status) { Done(status); };
    if (const auto* query = std::get_if<v1::QueryRequest>(&request_)) {
      load_.stub_->async()->Query(&*context_, query, &row_, done);
    } else {
      load_.stub_->async()->ExecuteBatch(&*context_, &std::get<v1::ExecuteBatchRequest>(request_),
                                         &batch_, done);
    }
  }

  // The load's lock keeps the context from being replaced meanwhile.
  void Cancel() {
    if (context_) context_->TryCancel();
  }

 private:
  void Done(const grpc::Status& status) {
    call_.ended = Clock::Real().Now();
    call_.answer = ToAnswer(status);
    load_.Note(call_);
    if (status.ok()) return Next();
    // A new one: the last one's callback may still be on its way out.
    alarm_.emplace();
    alarm_->Set(std::chrono::system_clock::now() + load_.options_.pause_after_failure,
                [this](bool) { Next(); });
  }

  Load& load_;
  std::optional<grpc::ClientContext> context_;
  std::optional<grpc::Alarm> alarm_;
  Ended call_;
  Request request_;
  v1::QueryResponse row_;
  v1::ExecuteBatchResponse batch_;
};

Load::Load(LoadOptions options)
    : options_(std::move(options)),
      stub_(v1::QueryService::NewStub(NewChannel(options_.address))),
      next_id_(options_.first_id) {}

Load::~Load() = default;

void Load::Start() {
  {
    MutexLock lock(mutex_);
    stopping_ = false;
    running_ = options_.lanes;
  }
  lanes_.clear();
  for (int i = 0; i < options_.lanes; ++i) lanes_.push_back(std::make_unique<Lane>(*this));
  for (const auto& lane : lanes_) lane->Next();
}

bool Load::Stop(Duration patience) {
  MutexLock lock(mutex_);
  stopping_ = true;
  const Instant end = After(Clock::Real().Now(), patience);
  while (running_ > 0 && Clock::Real().Now() < end) changed_.WaitUntil(mutex_, end);
  const bool in_time = running_ == 0;
  if (!in_time) {
    for (const auto& lane : lanes_) lane->Cancel();
  }
  while (running_ > 0) changed_.Wait(mutex_);
  return in_time;
}

void Load::Note(Ended ended) {
  MutexLock lock(mutex_);
  ended_.push_back(std::move(ended));
}

void Load::LaneIsOver() {
  MutexLock lock(mutex_);
  --running_;
  changed_.NotifyAll();
}

bool Load::stopping() {
  MutexLock lock(mutex_);
  return stopping_;
}

std::vector<Duration> Times(const std::vector<Ended>& ended, Instant from, Instant to,
                            const std::function<bool(const Ended&)>& wanted) {
  std::vector<Duration> times;
  for (const Ended& call : ended) {
    if (call.began >= from && call.began < to && wanted(call)) {
      times.push_back(call.ended - call.began);
    }
  }
  std::sort(times.begin(), times.end());
  return times;
}

Duration Quantile(const std::vector<Duration>& times, double share) {
  if (times.empty()) return {};
  const auto last = static_cast<double>(times.size() - 1);
  return times[static_cast<std::size_t>(last * share)];
}

std::string InMilliseconds(Duration duration) {
  return absl::StrFormat("%.1f ms", std::chrono::duration<double, std::milli>(duration).count());
}

}  // namespace emsdb::chaos
