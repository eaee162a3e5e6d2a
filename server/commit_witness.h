// The gateway's side of a commit that can be asked about: makes the token, has it sent to the
// caller before the commit leaves, and adds it to the error if the answer is lost.
#ifndef EMSDB_SERVER_COMMIT_WITNESS_H_
#define EMSDB_SERVER_COMMIT_WITNESS_H_

#include <optional>
#include <string>

#include "pool/connection.h"
#include "server/commit_token.h"

namespace emsdb {

// The key of the initial metadata that carries the token.
inline constexpr char kCommitTokenKey[] = "emsdb-commit-token";

// How long a caller that does not take the token may hold up its commit.
inline constexpr Duration kAnnouncePatience = std::chrono::seconds(1);

// Whoever has the caller's ear.
class CommitAnnouncer {
 public:
  virtual ~CommitAnnouncer() = default;

  // Sends the token, at most once, and returns when it is written to the caller's connection: or
  // when kAnnouncePatience or the deadline is over, since then it is on its way behind what the
  // caller does not read. CANCELLED if the caller has left. In the worker's thread.
  virtual absl::Status Announce(const std::string& token, const Bounds& bounds) = 0;
};

// For one call, in the worker's thread; `announcer` must outlive it.
class TokenWitness final : public CommitWitness {
 public:
  TokenWitness(std::string database, CommitAnnouncer& announcer)
      : database_(std::move(database)), announcer_(announcer) {}

  absl::Status WillCommit(const CommitId& id, const Bounds& bounds) override;

  // Whether the caller was told of a commit. Then the call must not be made of another one: the
  // token would speak of the first.
  bool told() const { return id_.has_value(); }
  const std::optional<CommitId>& id() const { return id_; }

  // The status with the token, if it leaves the caller in doubt.
  absl::Status Marked(absl::Status status) const;

 private:
  const std::string database_;
  CommitAnnouncer& announcer_;
  std::optional<CommitId> id_;
  std::string token_;
};

// Whether a statement's own commit is to be named to its caller.
enum class CommitNaming {
  kNone,       // it is never in doubt, or not its own
  kPossible,   // for the asking
  kResolvable  // asked for
};

// Adds to a status that leaves the caller in doubt what would have spared it that.
absl::Status WithoutToken(absl::Status status, CommitNaming naming);

}  // namespace emsdb

#endif  // EMSDB_SERVER_COMMIT_WITNESS_H_
