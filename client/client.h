// The gateway as a module sees it.
//
//   auto client = emsdb::client::Client::Connect({.address = "127.0.0.1:50051"});
//   auto units = client->Query("main", "select name from units where id = $1", {42});
#ifndef EMSDB_CLIENT_CLIENT_H_
#define EMSDB_CLIENT_CLIENT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/call_runner.h"
#include "client/copy_writer.h"
#include "client/options.h"
#include "client/pool_control.h"
#include "client/row_stream.h"
#include "client/stream_transaction.h"
#include "client/transaction.h"
#include "client/transport.h"
#include "client/value.h"

namespace emsdb::client {

// COMMITTED, ROLLED_BACK, or IN_PROGRESS: to be asked again.
enum class CommitOutcome { kCommitted, kRolledBack, kInProgress };

// One connection to one gateway, for the whole process: calls of any number of threads share it.
// Copies share it too. Every call has a deadline (30 s unless told otherwise) and ends by it.
// Errors are the gateway's own, with their details (ErrorInfoOf); where nobody knows whether a
// write was done, the code is UNKNOWN or ErrorInfo::outcome_unknown() says so, and for a commit
// ErrorInfo::commit_token() is what CommitOutcomeOf wants. Text that is not
// UTF-8, or has U+0000 in it, is INVALID_ARGUMENT before anything is sent.
class Client {
 public:
  // Connects when first used. INVALID_ARGUMENT for options that can never work.
  static absl::StatusOr<Client> Connect(const ConnectOptions& options);

  explicit Client(std::shared_ptr<Transport> transport,
                  Duration default_deadline = kDefaultDeadline, RetryPolicy retry = {},
                  Clock& clock = Clock::Real());

  // One statement and all its rows, within the gateway's limits.
  absl::StatusOr<Result> Query(const std::string& database, std::string sql,
                               std::vector<Value> parameters = {},
                               const QueryOptions& options = {}) const;

  // The same, for any number of rows.
  absl::StatusOr<RowStream> StreamQuery(const std::string& database, std::string sql,
                                        std::vector<Value> parameters = {},
                                        const QueryOptions& options = {}) const;

  // All of them as one transaction; one result for each.
  absl::StatusOr<std::vector<Result>> ExecuteBatch(const std::string& database,
                                                   std::vector<BatchStatement> statements,
                                                   const BatchOptions& options = {}) const;

  // Rows into a table, as one transaction: add them to the writer, then commit.
  absl::StatusOr<CopyWriter> CopyIn(const std::string& database, const CopyTarget& target,
                                    const CopyOptions& options = {}) const;

  absl::StatusOr<Transaction> Begin(const std::string& database,
                                    const TransactionOptions& options = {}) const;

  // The same, bound to a stream: it ends with the object, and at once.
  absl::StatusOr<StreamTransaction> Transact(const std::string& database,
                                             const TransactionOptions& options = {}) const;

  // What became of a commit whose answer was lost, by the token in its error. NOT_FOUND: it cannot
  // be told any more. Any gateway that serves the same database can be asked.
  absl::StatusOr<CommitOutcome> CommitOutcomeOf(const std::string& token,
                                                const CallOptions& options = {}) const;

  absl::StatusOr<std::vector<v1::Database>> ListDatabases(const CallOptions& options = {}) const;

  // Of one database, or of all where it is empty.
  absl::StatusOr<std::vector<v1::PoolStatus>> PoolStatus(const std::string& database = "",
                                                         const CallOptions& options = {}) const;

  // Watching and operating the pools.
  PoolControl pools() const { return PoolControl(runner_); }

  // Of the process where `database` is empty. NOT_FOUND: there is no such database.
  absl::StatusOr<HealthStatus> Health(const std::string& database = "",
                                      const CallOptions& options = {}) const;

 private:
  std::shared_ptr<const CallRunner> runner_;
};

}  // namespace emsdb::client

#endif  // EMSDB_CLIENT_CLIENT_H_
