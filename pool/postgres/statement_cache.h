// Which of a session's statements are prepared on the server. Parsing and planning take more of the
// server's time than running a statement by key, so what comes again is kept there.
#ifndef EMSDB_POOL_POSTGRES_STATEMENT_CACHE_H_
#define EMSDB_POOL_POSTGRES_STATEMENT_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pool/clock.h"

namespace emsdb {

// Says for each statement in which form it is to be sent; a pure value, sends nothing itself. A
// statement is prepared on its second use, so that texts with values in them, which never come
// again, push nothing out; the least recently used goes first (T47).
//
// A prepared statement has kept what its first parsing found: the types of its parameters, which
// table a name means. PostgreSQL notices most changes of a table, but not that `$1` would now be of
// another type. So each is prepared anew after a while, and at once when Distrust is called.
//
// Used by one thread at a time, its connection's.
class StatementCache {
 public:
  enum class Form {
    kOnce,     // with its text, leaving nothing behind
    kPrepare,  // prepare it under `name`, then run that
    kPrepared  // run `name`
  };
  struct Use {
    Form form = Form::kOnce;
    std::string name;
    std::uint64_t key = 0;
  };

  // For so long a statement is used as it was prepared.
  static constexpr Duration kTrusted = std::chrono::seconds(60);
  // More would not be worth the server's memory.
  static constexpr std::size_t kLongestText = std::size_t{16} << 10;
  // Beyond so many that wait to be dropped, nothing is prepared any more.
  static constexpr std::size_t kMostToDrop = 64;

  // `capacity` 0: off, every use is kOnce.
  explicit StatementCache(std::size_t capacity);

  // The form of a statement that is sent now. From kPrepare on it counts as prepared.
  Use Next(std::string_view sql, std::span<const std::uint32_t> types, Instant now);

  // It was not prepared after all: its text was refused, or one before it failed.
  void NotPrepared(const Use& use);
  // It is not to be used again as it is.
  void Forget(const Use& use);
  // Nothing of it is on the server any more.
  void Clear();
  // Each one is to be prepared anew before its next use.
  void Distrust() { ++epoch_; }

  // The names that are on the server without use. Each is given once.
  std::vector<std::string> TakeToDrop();

  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::uint64_t key;
    std::string sql;
    std::vector<std::uint32_t> types;
    std::string name;
    Instant prepared_at;
    std::uint64_t epoch;
  };
  using Entries = std::list<Entry>;

  bool SeenBefore(std::uint64_t key);
  void Drop(Entries::iterator entry);
  void Prepare(Entry& entry, Instant now);

  const std::size_t capacity_;
  Entries entries_;  // the most recently used in front
  std::unordered_map<std::uint64_t, Entries::iterator> by_key_;
  // What was used once: a key in the place that it gives. A few are forgotten too early.
  std::vector<std::uint64_t> seen_;
  std::vector<std::string> to_drop_;
  std::uint64_t next_name_ = 1;  // a name never comes again
  std::uint64_t epoch_ = 0;
};

// Whether a statement means the same whenever it was parsed. Not so: what is no query, and literals
// that are read when they are parsed ('now', 'today').
bool MayBePrepared(std::string_view sql);

// Whether a statement's first word says that it may change what names and parameters mean.
bool MayChangeSchema(std::string_view keyword);

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_STATEMENT_CACHE_H_
