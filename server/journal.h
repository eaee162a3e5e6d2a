// What is told of finished calls: a count and a latency for each, and one structured log line for
// each that failed or was slow. Never a bind value, and no text that may quote one, unless
// EMSDB_LOG_VALUES=1 asks for it.
#ifndef EMSDB_SERVER_JOURNAL_H_
#define EMSDB_SERVER_JOURNAL_H_

#include <atomic>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "emsdb/v1/database_service.pb.h"
#include "pool/call.h"
#include "server/caller.h"
#include "server/config.h"
#include "server/log.h"
#include "server/metrics.h"

namespace emsdb {

struct FinishedCall {
  const char* rpc;  // "Query"
  const std::string& database;
  const Caller& caller;
  const std::string& statement;  // its fingerprint, may be empty
  const CallTimes& times;
  // Empty, and so nothing that could be told, unless values are to be shown.
  std::function<Fields()> values = {};
};

// What an operator did to a pool.
struct OperatorUse {
  const char* rpc;  // "PausePool"
  const Caller& caller;
  const std::string& peer;
  const v1::PoolStatus& before;
  const v1::PoolStatus& after;
};

// Safe for use by any number of threads.
class Journal {
 public:
  // A call at least this long is told of though it did not fail.
  static constexpr Duration kSlow = std::chrono::seconds(1);

  Journal(const Log& log, Metrics& metrics, BindValues bind_values)
      : log_(log), metrics_(metrics), bind_values_(bind_values) {}

  void Finished(const FinishedCall& call, const absl::Status& status);

  // A batch is run again, after a conflict with another transaction.
  void BatchRetried(const std::string& database) { metrics_.BatchRetried(database); }

  // A commit's answer was lost; what it was `found` to be: "committed", "rolled_back", "unknown".
  void CommitInDoubt(const std::string& database, const char* found) {
    metrics_.CommitInDoubt(database, found);
  }
  // Always told of, whoever it was.
  void Operated(const OperatorUse& use);

  // A request that was refused before any call was made of it.
  void Refused(const char* rpc, const Caller& caller, const absl::Status& status);

 private:
  void Tell(const FinishedCall& call, const absl::Status& status);

  const Log& log_;
  Metrics& metrics_;
  const BindValues bind_values_;
  std::atomic<std::uint64_t> next_id_{1};
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_JOURNAL_H_
