#include "client/pool_control.h"

#include <utility>

#include "client/text_check.h"

namespace emsdb::client {
namespace {

// What is done twice is as if done once; and nothing of it is written into a database.
constexpr CallRules kOperate{.repeat = Repeat::kRead, .effect = Effect::kMayWrite};
constexpr CallRules kWatch{.repeat = Repeat::kRead, .effect = Effect::kNone};

template <typename Request, typename Response>
absl::StatusOr<v1::PoolStatus> Operate(
    const CallRunner& runner, const CallOptions& options, Request request,
    const std::string& database,
    absl::StatusOr<Response> (Transport::*call)(const CallContext&, const Request&)) {
  if (absl::Status status = CheckDatabaseName(database); !status.ok()) return status;
  request.set_database(database);
  auto response = runner.Run(options, kOperate, [&](const CallContext& context) {
    return (runner.transport().*call)(context, request);
  });
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_pool());
}

}  // namespace

absl::StatusOr<std::vector<v1::PoolStatus>> PoolWatch::Next() {
  if (stream_ == nullptr) return end_;
  v1::WatchPoolStatusResponse snapshot;
  if (stream_->Read(snapshot)) {
    return std::vector<v1::PoolStatus>(snapshot.pools().begin(), snapshot.pools().end());
  }
  end_ = stream_->Finish();
  if (end_.ok()) end_ = absl::OutOfRangeError("the gateway ended the watch");
  stream_.reset();
  return end_;
}

absl::StatusOr<v1::PoolStatus> PoolControl::Pause(const std::string& database,
                                                  const CallOptions& options) const {
  return Operate(*runner_, options, v1::PausePoolRequest(), database, &Transport::PausePool);
}

absl::StatusOr<v1::PoolStatus> PoolControl::Resume(const std::string& database,
                                                   const CallOptions& options) const {
  return Operate(*runner_, options, v1::ResumePoolRequest(), database, &Transport::ResumePool);
}

absl::StatusOr<v1::PoolStatus> PoolControl::Reconnect(const std::string& database,
                                                      const CallOptions& options) const {
  return Operate(*runner_, options, v1::ReconnectPoolRequest(), database,
                 &Transport::ReconnectPool);
}

absl::StatusOr<v1::PoolStatus> PoolControl::Resize(const std::string& database,
                                                   const PoolSize& size,
                                                   const CallOptions& options) const {
  v1::ResizePoolRequest request;
  if (size.size) request.set_size(*size.size);
  if (size.max_overflow) request.set_max_overflow(*size.max_overflow);
  return Operate(*runner_, options, std::move(request), database, &Transport::ResizePool);
}

absl::StatusOr<PoolWatch> PoolControl::Watch(const std::string& database, Duration interval,
                                             const CallOptions& options) const {
  if (absl::Status status = CheckDatabaseName(database); !status.ok()) return status;
  v1::WatchPoolStatusRequest request;
  request.set_database(database);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(interval);
  request.mutable_interval()->set_seconds(seconds.count());
  request.mutable_interval()->set_nanos(
      static_cast<int>(std::chrono::nanoseconds(interval - seconds).count()));
  auto stream = runner_->Run(options, kWatch, [&](const CallContext& context) {
    return runner_->transport().WatchPoolStatus(context, request);
  });
  if (!stream.ok()) return stream.status();
  return PoolWatch(*std::move(stream));
}

}  // namespace emsdb::client
