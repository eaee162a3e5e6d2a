// What the callers were told, attempt by attempt, and the comparison with what the ledger shows.
#ifndef EMSDB_TESTS_END_TO_END_TRANSFER_BOOK_H_
#define EMSDB_TESTS_END_TO_END_TRANSFER_BOOK_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "emsdb/v1/transaction_service.pb.h"
#include "pool/mutex.h"
#include "tests/end_to_end/transfer/order.h"
#include "tests/end_to_end/transfer/ways.h"

namespace emsdb::transfer {

struct Entry {
  Order order;
  Way way = Way::kBatch;
  Verdict verdict;
  std::optional<v1::CommitOutcome> told;  // when its caller asked
};

// The ledger as the database has it: how often each order is in it.
using Ledger = std::map<Order, int>;

// Whether the database may have forgotten what became of a commit: after a crash.
enum class Memory { kWhole, kLostByCrash };

// Filled by any thread, checked when all have ended.
class Book {
 public:
  using Resolver = std::function<std::optional<v1::CommitOutcome>(const std::string& token)>;

  void Add(Entry entry);

  // Fails the test for each attempt of which the ledger shows anything else than the caller was
  // told, or than `resolver` says of its token.
  void CheckAgainst(const Ledger& ledger, const Resolver& resolver, Memory memory) const;

  // How many there were of each kind, to be read by people.
  std::string Summary() const;

  int Count(Fate fate) const;

 private:
  static std::string Describe(const Entry& entry, int rows);

  mutable Mutex mutex_;
  std::vector<Entry> entries_ ABSL_GUARDED_BY(mutex_);
};

// What each account holds after the ledger's orders, the first one first.
std::vector<int> BalancesAfter(const Ledger& ledger);

}  // namespace emsdb::transfer

#endif  // EMSDB_TESTS_END_TO_END_TRANSFER_BOOK_H_
