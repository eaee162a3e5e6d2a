// Which statements may be served in groups: reads that ran by themselves first, and were fast there
// and left nothing behind. What is known is known by the text, and forgotten in time.
#ifndef EMSDB_POOL_PROVEN_READS_H_
#define EMSDB_POOL_PROVEN_READS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "pool/clock.h"
#include "pool/connection.h"
#include "pool/mutex.h"

namespace emsdb {

// A text is proved by kProofs runs of it alone, each within kFast; it is disproved by one that met
// its bounds in a group, and then has to run alone kPenalty times. A statement may read and still
// be slow, lock or sleep behind a function: so even what is proved has a time limit in its group,
// the first of kLimits that is a few times what it usually takes.
//
// Safe for use by any number of threads.
class ProvenReads {
 public:
  static constexpr int kProofs = 3;
  static constexpr int kPenalty = 100;
  static constexpr std::array<Duration, 3> kLimits = {
      std::chrono::milliseconds(10), std::chrono::milliseconds(20), std::chrono::milliseconds(50)};
  static constexpr int kLimitTimes = 4;
  static constexpr Duration kFast = kLimits.back() / kLimitTimes;

  // One text with one kind of access.
  struct Key {
    std::uint64_t hash = 0;
  };
  static Key KeyOf(std::string_view sql, Access access);
  // All texts of a batch that is declared read-only, in their order.
  static Key KeyOf(std::span<const GuardedStatement> batch);

  // Its time limit in a group; none: it is to run alone. What is not a read by its text, or, if it
  // is not declared as one, calls functions, never gets one: `sql` is looked at once.
  std::optional<Duration> LimitOf(Key key, std::string_view sql, Access access);
  // That of each statement of a batch: proved, and limited, is the batch as a whole, so that it
  // takes no more of its neighbours' time than a statement does, or the least limit for each of its
  // own. Each must look like a read and call no function.
  std::optional<Duration> LimitOf(Key key, std::span<const GuardedStatement> batch);

  // It ran alone, successfully; `harmless`: as a SELECT, and nothing was left open or changed in
  // the session.
  void RanAlone(Key key, Duration took, bool harmless);
  void RanInGroup(Key key, Duration took);
  // It met its bounds there.
  void FailedInGroup(Key key);

 private:
  struct Entry {
    std::uint64_t hash = 0;
    bool is_read = false;
    int proofs = 0;        // below zero: a penalty
    Duration usual{};      // what most runs take less than
    std::uint64_t used{};  // when, in the order of uses
  };
  static constexpr std::size_t kEntries = 2048;
  static constexpr std::size_t kPlaces = 4;  // where one may stand

  // Its limit once it is proved. The other: it is not, but known.
  enum class Unproved { kUnknown, kKnown };
  std::variant<Duration, Unproved> KnownLimitOf(Key key);
  void Add(Key key, bool is_read);
  Entry* Find(Key key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Entry& Replace(Key key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static void Learn(Entry& entry, Duration took);

  Mutex mutex_;
  std::uint64_t uses_ ABSL_GUARDED_BY(mutex_) = 0;
  std::array<Entry, kEntries> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace emsdb

#endif  // EMSDB_POOL_PROVEN_READS_H_
