// Leased transactions by id: each is a connection that waits for its holder's next call. One call
// at a time uses a transaction; the forgotten are rolled back; how each ended is remembered for a
// while, so that a late call hears the truth.
#ifndef EMSDB_POOL_TRANSACTIONS_H_
#define EMSDB_POOL_TRANSACTIONS_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "pool/call.h"
#include "pool/kept_answers.h"
#include "pool/upkeep.h"

namespace emsdb {

// What a call does to the transaction it runs in.
enum class TransactionStep {
  kStatement,           // or a savepoint: the transaction goes on
  kStatementAndCommit,  // over, whatever becomes of the statement
  kCommit,
  kRollBack
};

struct TransactionTerms {
  std::string caller;  // the only one who may use it
  std::string database;
  Duration idle_timeout = std::chrono::seconds(15);    // since the last call ended
  Duration total_timeout = std::chrono::seconds(120);  // since it began
  // Called once, in any thread and without a lock held, when the transaction has ended otherwise
  // than by a commit, a roll-back or Abandon. Must not block. What every further call would hear.
  std::function<void(const absl::Status& why)> on_end = nullptr;
};

// One call's use of a transaction.
struct TransactionUse {
  std::string id;
  std::string caller;
  TransactionStep step = TransactionStep::kStatement;
  // The call's number, from 1; 0: not numbered. With a number, `repeatable` is the call itself, and
  // `request` tells its request apart from others.
  std::uint64_t sequence = 0;
  std::uint64_t request = 0;
  Repeatable* repeatable = nullptr;
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
  // what is committed and a roll-back of what is not any more are answered OK without running. The
  // last numbered call once more is given its first answer, also when the transaction is over.
  void Run(TransactionUse use, std::shared_ptr<Call> call);
  void Run(const std::string& id, std::string_view caller, TransactionStep step,
           std::shared_ptr<Call> call) {
    Run({.id = id, .caller = std::string(caller), .step = step}, std::move(call));
  }

  // Rolls back, without an answer: nobody will ever know the id, or its holder has left.
  void Abandon(const std::string& id);

  // The database of an open transaction of this caller; none for every other id.
  std::optional<std::string> DatabaseOf(const std::string& id, std::string_view caller) const;

  // Open transactions in one database.
  int OpenIn(std::string_view database) const;

  // The age of the oldest of them; zero without one.
  Duration OldestIn(std::string_view database) const;

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
    std::uint64_t sequence = 0;  // of the last numbered call that ran
    std::uint64_t request = 0;   // of the same
  };
  // What is left to do for a transaction that has ended, once the lock is released: to give its
  // connection back, and to tell who wants to know.
  struct Ended {
    Lease lease;
    std::function<void(const absl::Status&)> tell;
    absl::Status why;
  };
  enum class Telling { kNobody, kHolder };

  Instant Tick(Instant now) override;
  void CheckIn(const TransactionUse& use, const absl::Status& outcome, Lease lease);
  absl::Status Begun(const TransactionUse& use, const std::shared_ptr<Call>& call, Lease& lease);
  std::optional<absl::Status> AnswerAgain(const TransactionUse& use, const Entry& entry)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static absl::Status CheckNumber(const TransactionUse& use, const Entry& entry);
  static std::optional<End> EndAfter(TransactionStep step, const absl::Status& outcome,
                                     const Connection& connection, std::optional<End> wanted);
  absl::Status WhyOver(const Entry& entry, TransactionStep step, Instant now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status WhyUnknown(const std::string& id) const;
  Ended EndEntry(const std::string& id, Entry& entry, End how, Telling telling, Instant now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static void Settle(Ended ended);
  void Forget(Instant now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Clock& clock_;
  Upkeep& upkeep_;
  const std::string process_;  // random, in every id

  mutable Mutex mutex_;
  absl::flat_hash_map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<std::string> open_ ABSL_GUARDED_BY(mutex_);  // of entries_, without an end
  std::deque<std::string> ended_ ABSL_GUARDED_BY(mutex_);          // the oldest end first
  KeptAnswers answers_ ABSL_GUARDED_BY(mutex_);
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  int busy_ ABSL_GUARDED_BY(mutex_) = 0;
  CondVar checked_in_;
};

}  // namespace emsdb

#endif  // EMSDB_POOL_TRANSACTIONS_H_
