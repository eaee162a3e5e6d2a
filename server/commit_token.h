// The text that names a commit to its caller. Pure: no gRPC, no database.
//
//   c1.main.6b0c...e.2f.5d4a...0.1.9e107d9d372bb682
//   |  |    |       |  |        |  the checksum of all before it
//   |  |    |       |  |        the server's timeline
//   |  |    |       |  its incarnation
//   |  |    |       the transaction's number
//   |  |    the server's system identifier
//   |  the logical database
//   the form's version
//
// No secret: it says only which commit to ask about. The checksum is against slips of whoever
// copies it: a wrong character must never become a question about another commit.
#ifndef EMSDB_SERVER_COMMIT_TOKEN_H_
#define EMSDB_SERVER_COMMIT_TOKEN_H_

#include <string>

#include "absl/status/statusor.h"
#include "pool/commit.h"

namespace emsdb {

struct NamedCommit {
  std::string database;  // the logical one
  CommitId id;

  friend bool operator==(const NamedCommit&, const NamedCommit&) = default;
};

// Letters, digits, points and underscores: fit for metadata, a command line and a form.
std::string ToCommitToken(const NamedCommit& commit);

// INVALID_ARGUMENT for whatever ToCommitToken would not have written, with the field's name.
absl::StatusOr<NamedCommit> FromCommitToken(const std::string& token);

}  // namespace emsdb

#endif  // EMSDB_SERVER_COMMIT_TOKEN_H_
