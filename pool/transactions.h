// Leased transactions by id: each is a connection that waits for its holder's next call. One call
// at a time uses a transaction; the forgotten are rolled back; how each ended is remembered for a
// while, so that a late call hears the truth.
#ifndef EMSDB_POOL_TRANSACTIONS_H_
#define EMSDB_POOL_TRANSACTIONS_H_

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "pool/call.h"
#include "pool/upkeep.h"

namespace emsdb {

// What a call does to the transaction it runs in.
enum class TransactionStep { kStatement, kCommit, kRollBack };

struct TransactionTerms {
  std::string caller;  // the only one who may use it
  std::string database;
  Duration idle_timeout = std::chrono::seconds(15);    // since the last call ended
  Duration total_timeout = std::chrono::seconds(120);  // since it began
};

// Safe for use by any number of threads. The end of it rolls back what is open, tells what runs to
// stop, and waits for that.
class Transactions final : private Due {
 public:
  Transactions(Clock& clock, Upkeep& upkeep);
  ~Transactions() override;

  // Registers the transaction that is open on the lease's connection. In its worker's thread.
  // Returns its id: the process's, a point, and 128 random bits, in hexadecimal digits.
  std::string Add(Lease lease, TransactionTerms terms);

  // Runs the call in the transaction, or refuses it with the reason why that cannot be. A commit of
  // what is committed and a roll-back of what is not any more are answered OK without running.
  void Run(const std::string& id, std::string_view caller, TransactionStep step,
           std::shared_ptr<Call> call);

  // Rolls back, without an answer: nobody will ever know the id, or its holder has left.
  void Abandon(const std::string& id);

  // The database of an open transaction of this caller; none for every other id.
  std::optional<std::string> DatabaseOf(const std::string& id, std::string_view caller) const;

  // Open transactions in one database.
  int OpenIn(std::string_view database) const;

  // Rolls back all that are idle, and each of the others when its call has ended; no call may use
  // one from now on.
  void Drain();

 private:
  enum class End {
    kCommitted,
    kRolledBack,
    kIdleTooLong,
    kTooOld,
    kConnectionLost,
    kInDoubt,
    kShutdown
  };
  struct Entry {
    TransactionTerms terms;
    Lease lease;  // empty while a call uses it, and after the end
    std::weak_ptr<Call> running;
    Instant began{};
    Instant idle_since{};
    bool busy = false;
    std::optional<End> wanted_end;  // decided while busy
    std::optional<End> end;
    std::string commit_token;  // of a commit in doubt
    Instant ended{};
  };

  Instant Tick(Instant now) override;
  void CheckIn(const std::string& id, TransactionStep step, const absl::Status& outcome,
               Lease lease);
  absl::Status Begun(const std::string& id, std::string_view caller, TransactionStep step,
                     const std::shared_ptr<Call>& call, Lease& lease);
  absl::Status WhyOver(const Entry& entry, TransactionStep step, Instant now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status WhyUnknown(const std::string& id) const;
  Lease EndEntry(const std::string& id, Entry& entry, End how, Instant now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Forget(Instant now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Clock& clock_;
  Upkeep& upkeep_;
  const std::string process_;  // random, in every id

  mutable Mutex mutex_;
  absl::flat_hash_map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<std::string> open_ ABSL_GUARDED_BY(mutex_);  // of entries_, without an end
  std::deque<std::string> ended_ ABSL_GUARDED_BY(mutex_);          // the oldest end first
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  int busy_ ABSL_GUARDED_BY(mutex_) = 0;
  CondVar checked_in_;
};

}  // namespace emsdb

#endif  // EMSDB_POOL_TRANSACTIONS_H_
