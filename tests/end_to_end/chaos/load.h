// Closed loops of calls: each lane sends its next call when the last one has ended, on gRPC's own
// threads. Every call's end is kept, to be compared with what is in the database afterwards.
#ifndef EMSDB_TESTS_END_TO_END_CHAOS_LOAD_H_
#define EMSDB_TESTS_END_TO_END_CHAOS_LOAD_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "emsdb/v1/query_service.grpc.pb.h"
#include "pool/clock.h"
#include "pool/mutex.h"
#include "tests/end_to_end/chaos/answer.h"

namespace emsdb::chaos {

using Request = std::variant<v1::QueryRequest, v1::ExecuteBatchRequest>;

// SELECT, INSERT, ... with integers as parameters.
v1::Statement ToStatement(const std::string& sql, const std::vector<std::int64_t>& parameters = {});
v1::QueryRequest ToQuery(const std::string& sql, const std::vector<std::int64_t>& parameters = {},
                         v1::Priority priority = v1::PRIORITY_UNSPECIFIED);

// Tells the gateway a deadline that gRPC on the caller's side knows nothing of: what ends the call
// in time is the gateway then, or nobody.
void SetGatewayDeadline(grpc::ClientContext& context, Duration deadline);

struct Ended {
  std::int64_t id = 0;
  Instant began;
  Instant ended;
  Answer answer;
};

struct LoadOptions {
  std::string address;
  int lanes = 1;
  Duration deadline = std::chrono::seconds(2);
  Duration pause_after_failure = std::chrono::milliseconds(20);
  // What to send; `id` is used once. Any thread.
  std::function<Request(std::int64_t id)> make;
  std::int64_t first_id = 1;
};

// Safe for use by one thread.
class Load {
 public:
  explicit Load(LoadOptions options);
  // Stopped before.
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  void Start();
  // No new calls; waits for those under way. False if one has not ended after `patience`: it is
  // cancelled then.
  bool Stop(Duration patience);

  // Of all calls; after Stop, in the order of their ends.
  const std::vector<Ended>& ended() const ABSL_NO_THREAD_SAFETY_ANALYSIS { return ended_; }

 private:
  class Lane;

  void Note(Ended ended);
  void LaneIsOver();
  bool stopping();

  const LoadOptions options_;
  std::unique_ptr<v1::QueryService::Stub> stub_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  int running_ ABSL_GUARDED_BY(mutex_) = 0;
  std::int64_t next_id_ ABSL_GUARDED_BY(mutex_);
  std::vector<Ended> ended_ ABSL_GUARDED_BY(mutex_);
};

// Of the calls that began in [from, to) and that `wanted` picks: how long they took, ascending.
std::vector<Duration> Times(const std::vector<Ended>& ended, Instant from, Instant to,
                            const std::function<bool(const Ended&)>& wanted);

// Of ascending times; 0 of none.
Duration Quantile(const std::vector<Duration>& times, double share);

// "12.3 ms".
std::string InMilliseconds(Duration duration);

}  // namespace emsdb::chaos

#endif  // EMSDB_TESTS_END_TO_END_CHAOS_LOAD_H_
