// The answers of numbered calls, kept for the case that they got lost on their way: a call that is
// repeated gets its first answer and runs nothing. One for each transaction, its last; bounded,
// each by itself and all together.
#ifndef EMSDB_POOL_KEPT_ANSWERS_H_
#define EMSDB_POOL_KEPT_ANSWERS_H_

#include <cstddef>
#include <list>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"

namespace emsdb {

// A call whose answer can be given once more.
class Repeatable {
 public:
  virtual ~Repeatable() = default;

  // The answer of a call that has run and ended well, unless it is larger than `most` bytes. In the
  // worker's thread.
  virtual std::optional<std::string> AnswerWithin(std::size_t most) const = 0;

  // Takes an earlier call's answer for its own, which then does not run.
  virtual void Repeat(const std::string& answer) = 0;
};

struct KeptAnswer {
  absl::Status status;
  std::string body;  // of AnswerWithin; empty unless the status is OK
};

// Not safe for several threads: belongs to whoever knows the ids.
class KeptAnswers {
 public:
  struct Limits {
    std::size_t one = 64U << 10;
    std::size_t all = 16U << 20;
  };

  KeptAnswers() : KeptAnswers(Limits{}) {}
  explicit KeptAnswers(const Limits& limits) : limits_(limits) {}

  std::size_t most_bytes() const { return limits_.one; }

  // In place of what was kept for this id, also where it is too large itself. Those that were kept
  // longest make room.
  void Put(const std::string& id, KeptAnswer answer);
  void Drop(const std::string& id);

  // Null: nothing is kept.
  const KeptAnswer* Find(const std::string& id) const;

  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string id;
    KeptAnswer answer;
    std::size_t bytes = 0;
  };
  using Order = std::list<Entry>;  // the oldest first

  void Erase(Order::iterator entry);

  const Limits limits_;
  Order order_;
  absl::flat_hash_map<std::string, Order::iterator> by_id_;
  std::size_t bytes_ = 0;
};

}  // namespace emsdb

#endif  // EMSDB_POOL_KEPT_ANSWERS_H_
