// What is known of a commit before it leaves, so that its outcome can be asked for when its answer
// was lost: by whom it is told, and what the answer may be.
#ifndef EMSDB_POOL_COMMIT_H_
#define EMSDB_POOL_COMMIT_H_

#include <cstdint>

#include "absl/status/status.h"

namespace emsdb {

struct Bounds;

// Which database server, and since when. A server that has crashed gives out again the numbers of
// transactions whose log had not reached its disk: a number is sure to stand for one transaction
// only within one incarnation, from one crash to the next.
struct ServerIdentity {
  std::uint64_t system = 0;       // of the cluster and all its copies; 0: unknown
  std::uint64_t incarnation = 0;  // another one after a crash, and on each copy
  std::uint32_t timeline = 0;     // grows with each fail-over; 0: unknown, or a copy that follows

  bool known() const { return system != 0; }
  friend bool operator==(const ServerIdentity&, const ServerIdentity&) = default;
};

struct CommitId {
  std::uint64_t transaction = 0;  // never 0 for a transaction that writes
  ServerIdentity server;

  friend bool operator==(const CommitId&, const CommitId&) = default;
};

enum class CommitFate { kCommitted, kRolledBack, kInProgress };

// Hears of a commit before it leaves. Called at most once for each transaction, in the worker's
// thread, when everything else of it has succeeded. May block, within the bounds. If it does not
// return OK the transaction is rolled back, and that status is the answer. A transaction that wrote
// nothing has no id and is committed without a word.
class CommitWitness {
 public:
  virtual ~CommitWitness() = default;
  virtual absl::Status WillCommit(const CommitId& id, const Bounds& bounds) = 0;
};

}  // namespace emsdb

#endif  // EMSDB_POOL_COMMIT_H_
