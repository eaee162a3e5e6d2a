// The details of an error beside its code and message, as the gateway sends them in
// `grpc-status-details-bin`. Every absl::Status of this library carries them along.
#ifndef EMSDB_CLIENT_ERROR_INFO_H_
#define EMSDB_CLIENT_ERROR_INFO_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/cancel.h"

namespace emsdb::client {

struct FieldViolation {
  std::string field;
  std::string description;
  friend bool operator==(const FieldViolation&, const FieldViolation&) = default;
};

struct ErrorInfo {
  std::string reason;  // "SQL_ERROR", "ROWS_MISMATCH", ...; empty: the gateway said nothing
  // sqlstate, constraint, schema, table, column, position, hint, detail, stage, retryable, outcome,
  // elapsed_ms, statement, row, commit_token, attempts: see query_service.proto.
  std::map<std::string, std::string> metadata;
  std::optional<Duration> retry_after;
  std::vector<FieldViolation> violations;

  std::string Get(const std::string& key) const;  // "" if it is not there
  std::string sqlstate() const { return Get("sqlstate"); }
  int position() const;                  // in the statement, in characters from 1; 0 = unknown
  std::optional<int> statement() const;  // the index in a batch, from 0
  std::int64_t row() const;              // of rows in bulk, from 1; 0 = unknown
  std::optional<bool> retryable() const;
  // For Client::CommitOutcomeOf, where a commit is in doubt; "" if there is none.
  std::string commit_token() const { return Get("commit_token"); }
  bool outcome_unknown() const { return Get("outcome") == "unknown"; }
};

// Empty if the status carries none. Details of other domains than "emsdb.v1" are not looked at.
ErrorInfo ErrorInfoOf(const absl::Status& status);

// The same status with these details, in place of what it carried.
absl::Status WithErrorInfo(absl::Status status, const ErrorInfo& info);

// `details` is what came in `grpc-status-details-bin`; may be empty, may be anything.
absl::Status StatusFromWire(absl::StatusCode code, const std::string& message,
                            const std::string& details);

// The bytes for `grpc-status-details-bin`.
std::string WireDetails(const absl::Status& status);

}  // namespace emsdb::client

#endif  // EMSDB_CLIENT_ERROR_INFO_H_
