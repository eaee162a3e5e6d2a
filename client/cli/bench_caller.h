// One caller of a benchmark: makes one call of a workload at a time, on gRPC's completion queue.
// Compared with the callback API, whose calls pass through two more threads, a queue that one
// thread waits for and begins the next call from took half the CPU time for a call (10 us against
// 20, gRPC 1.51, 128 calls under way).
#ifndef EMSDB_CLIENT_CLI_BENCH_CALLER_H_
#define EMSDB_CLIENT_CLI_BENCH_CALLER_H_

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "client/cancel.h"
#include "client/cli/bench_schedule.h"
#include "client/cli/bench_workload.h"
#include "client/grpc_channel.h"
#include "emsdb/v1/query_service.grpc.pb.h"
#include "emsdb/v1/transaction_service.grpc.pb.h"

namespace emsdb::client::cli {

// One connection to the gateway, for any number of callers.
struct Line {
  explicit Line(std::shared_ptr<grpc::Channel> to)
      : channel(std::move(to)), queries(channel), transactions(channel) {}

  std::shared_ptr<grpc::Channel> channel;
  v1::QueryService::Stub queries;
  v1::TransactionService::Stub transactions;
};

// What a mix tells apart.
enum class CallKind { kUsual, kSlow };

// Begin(), then On() for each event that has this object for its tag, until one says that the call
// has ended; then the next Begin(). Not for two threads at once.
class Caller {
 public:
  enum class State { kGoesOn, kEnded };

  virtual ~Caller() = default;

  virtual void Begin() = 0;
  virtual State On(bool ok) = 0;

  // Ends the call that is under way sooner; its events come all the same.
  virtual void Cancel() = 0;

  // Of the call that has ended.
  const grpc::Status& status() const { return status_; }
  std::uint64_t rows() const { return rows_; }
  virtual CallKind kind() const { return CallKind::kUsual; }

  // For who runs the callers: what the call under way was begun for, if there is one.
  std::optional<StartCall> under_way;

 protected:
  grpc::Status status_;
  std::uint64_t rows_ = 0;
};

// What callers of one thread share. Must outlive them.
struct CallerSetting {
  const BenchCommand& command;
  Dialect dialect;
  const Headers& headers;
  grpc::CompletionQueue& queue;
};

// `number`: of the caller, from 0; each chooses other keys.
std::unique_ptr<Caller> MakeCaller(const CallerSetting& setting, std::shared_ptr<Line> line,
                                   std::uint64_t number);

// How many statements a call of this workload runs.
std::uint64_t StatementsOf(Workload workload);

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_BENCH_CALLER_H_
