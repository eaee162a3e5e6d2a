// Several statements that take effect together or not at all, on a stream of their own.
#ifndef EMSDB_CLIENT_STREAM_TRANSACTION_H_
#define EMSDB_CLIENT_STREAM_TRANSACTION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/call_runner.h"
#include "client/options.h"
#include "client/outcome.h"
#include "client/transport.h"
#include "client/value.h"

namespace emsdb::client {

// An open transaction that is bound to its stream, made by Client::Transact. It lives no longer
// than this object, its process, or the connection to the gateway: destroyed without a Commit() it
// is rolled back at once, without waiting for any time-out, also where the process is killed. One
// deadline covers all of it, 300 s unless told otherwise. Used by one thread.
class StreamTransaction {
 public:
  static constexpr Duration kDefaultDeadline = std::chrono::seconds(300);

  // For Client.
  static absl::StatusOr<StreamTransaction> Begin(std::shared_ptr<const CallRunner> runner,
                                                 const std::string& database,
                                                 const TransactionOptions& options);
  StreamTransaction(StreamTransaction&&) noexcept = default;
  StreamTransaction& operator=(StreamTransaction&&) noexcept = default;

  // After a statement that failed only rolling back is left, wholly or to a savepoint; so it is
  // after one that misses its `expect_rows`.
  absl::StatusOr<Result> Query(std::string sql, std::vector<Value> parameters = {});
  absl::StatusOr<Result> Run(BatchStatement statement, std::uint32_t max_rows = 0);

  absl::Status SetSavepoint(std::string name);
  absl::Status RollBackTo(std::string name);
  absl::Status ReleaseSavepoint(std::string name);

  // OK: it is permanent. ABORTED: nothing of it took effect. UNKNOWN, or any other error whose
  // ErrorInfo says outcome_unknown(): nobody knows; never repeat blindly.
  absl::Status Commit();

  // OK as well where it is over already without a commit.
  absl::Status RollBack();

  // For Client::CommitOutcomeOf, once Commit() was called; "" where the commit has no token.
  const std::string& commit_token() const { return commit_token_; }

 private:
  explicit StreamTransaction(std::unique_ptr<TransactStream> stream) : stream_(std::move(stream)) {}

  // Sends a request and reads its answer. An error the stream goes on after, or the one it ended
  // with.
  absl::StatusOr<v1::TransactResponse> Ask(const v1::TransactRequest& request,
                                           Effect effect = Effect::kNone);
  absl::Status Read(v1::TransactResponse& response, Effect effect);
  absl::Status AskForSavepoint(const v1::TransactRequest& request);
  absl::Status CheckOpen() const;

  std::unique_ptr<TransactStream> stream_;  // null: it has ended
  std::string commit_token_;
};

}  // namespace emsdb::client

#endif  // EMSDB_CLIENT_STREAM_TRANSACTION_H_
