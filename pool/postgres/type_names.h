// The names of types that a database defines itself: enums, domains, ranges, extensions' types and
// their arrays. Learned all at once when the first connection is opened, and shared by all
// connections to one database; what is made later is looked up when it is first seen.
#ifndef EMSDB_POOL_POSTGRES_TYPE_NAMES_H_
#define EMSDB_POOL_POSTGRES_TYPE_NAMES_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "pool/mutex.h"

namespace emsdb {

// Safe for any number of threads.
class TypeNames {
 public:
  // Built-in or learned; empty if unknown.
  std::string Find(std::uint32_t oid) const;

  // Whether those that the database had were learned.
  bool complete() const { return complete_.load(); }
  void SetComplete() { complete_.store(true); }

  // A type that is renamed keeps its old name here until the process ends: an oid is never
  // forgotten, except all at once when there are more than could be real.
  void Learn(std::uint32_t oid, std::string name);

 private:
  static constexpr std::size_t kMost = 10000;

  std::atomic<bool> complete_{false};
  mutable Mutex mutex_;
  std::unordered_map<std::uint32_t, std::string> learned_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_TYPE_NAMES_H_
