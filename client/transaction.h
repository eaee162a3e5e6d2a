// Several statements that take effect together or not at all.
#ifndef EMSDB_CLIENT_TRANSACTION_H_
#define EMSDB_CLIENT_TRANSACTION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/call_runner.h"
#include "client/options.h"
#include "client/row_stream.h"
#include "client/value.h"

namespace emsdb::client {

// An open transaction, made by Client::Begin. Destroyed without a Commit() that was sent it rolls
// back, which is one call of at most a few seconds; if even that fails, the gateway rolls back
// when the idle time-out is over. One call at a time: used by one thread.
class Transaction {
 public:
  // For Client.
  Transaction(std::shared_ptr<const CallRunner> runner, std::string database, std::string id);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&& other) noexcept;
  ~Transaction();

  // After a statement that failed only rolling back is left, wholly or to a savepoint.
  absl::StatusOr<Result> Query(std::string sql, std::vector<Value> parameters = {},
                               const QueryOptions& options = {});
  absl::StatusOr<RowStream> StreamQuery(std::string sql, std::vector<Value> parameters = {},
                                        const QueryOptions& options = {});

  // A mark inside the transaction; to roll back to one is the way out after a statement that
  // failed.
  absl::Status SetSavepoint(std::string name, const CallOptions& options = {});
  absl::Status RollBackTo(std::string name, const CallOptions& options = {});
  absl::Status ReleaseSavepoint(std::string name, const CallOptions& options = {});

  // OK: it is permanent. ABORTED: nothing of it took effect. UNKNOWN, or any other error whose
  // ErrorInfo says outcome_unknown(): nobody knows; never repeat blindly.
  absl::Status Commit(const CallOptions& options = {});

  // OK as well where it is over already without a commit.
  absl::Status RollBack(const CallOptions& options = {});

  // Secret: whoever has it, and is the same caller, can use the transaction.
  const std::string& id() const { return id_; }

 private:
  absl::Status RunSavepoint(v1::SavepointAction action, const CallOptions& options);
  void RollBackIfOpen();
  absl::Status CheckOpen() const;

  std::shared_ptr<const CallRunner> runner_;
  std::string database_;
  std::string id_;
  bool open_ = true;
};

}  // namespace emsdb::client

#endif  // EMSDB_CLIENT_TRANSACTION_H_
