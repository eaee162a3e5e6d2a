// What operators do to the gateway's pools, and how they watch them.
//
//   client->pools().Pause("main");
//   auto watch = client->pools().Watch("main", std::chrono::seconds(1));
//   for (auto pools = watch->Next(); pools.ok(); pools = watch->Next()) ...
#ifndef EMSDB_CLIENT_POOL_CONTROL_H_
#define EMSDB_CLIENT_POOL_CONTROL_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/call_runner.h"
#include "client/options.h"
#include "client/transport.h"

namespace emsdb::client {

// What is not set stays as it is.
struct PoolSize {
  std::optional<int> size = std::nullopt;
  std::optional<int> max_overflow = std::nullopt;
};

// The snapshots of one WatchPoolStatus. Used by one thread; ends the call when it is destroyed.
class PoolWatch {
 public:
  // For PoolControl.
  explicit PoolWatch(std::unique_ptr<MessageStream<v1::WatchPoolStatusResponse>> stream)
      : stream_(std::move(stream)) {}

  // Waits for the next snapshot. The error that the stream ended with: CANCELLED,
  // DEADLINE_EXCEEDED, UNAVAILABLE when the gateway shuts down.
  absl::StatusOr<std::vector<v1::PoolStatus>> Next();

 private:
  std::unique_ptr<MessageStream<v1::WatchPoolStatusResponse>> stream_;  // null: it has ended
  absl::Status end_;
};

// Made by Client::pools(). Each call but Watch answers with the pool as it is afterwards, and is
// repeated if its answer was lost: twice is as good as once. PERMISSION_DENIED: this caller has no
// right to operate. Safe for any number of threads.
class PoolControl {
 public:
  // For Client.
  explicit PoolControl(std::shared_ptr<const CallRunner> runner) : runner_(std::move(runner)) {}

  // No more connections are given out: calls wait in line, what runs goes on.
  absl::StatusOr<v1::PoolStatus> Pause(const std::string& database,
                                       const CallOptions& options = {}) const;
  absl::StatusOr<v1::PoolStatus> Resume(const std::string& database,
                                        const CallOptions& options = {}) const;
  // Every connection is replaced: idle ones now, the others when they come back.
  absl::StatusOr<v1::PoolStatus> Reconnect(const std::string& database,
                                           const CallOptions& options = {}) const;
  absl::StatusOr<v1::PoolStatus> Resize(const std::string& database, const PoolSize& size,
                                        const CallOptions& options = {}) const;

  // The pool of one database, or all where it is empty, at once and then after each interval.
  absl::StatusOr<PoolWatch> Watch(const std::string& database, Duration interval,
                                  const CallOptions& options = {}) const;

 private:
  std::shared_ptr<const CallRunner> runner_;
};

}  // namespace emsdb::client

#endif  // EMSDB_CLIENT_POOL_CONTROL_H_
