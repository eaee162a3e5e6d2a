// Whether a database can be reached at all, judged by how openings end: what tells "down" from
// "busy". A pure value; `now` comes from outside.
//
// One failed opening proves little, and the next waiter's is the second opinion. When that fails
// too, the database counts as down: nobody waits for it any more, and one prober goes on trying,
// each time a little later.
#ifndef EMSDB_POOL_OUTAGE_H_
#define EMSDB_POOL_OUTAGE_H_

#include <cstdint>
#include <optional>

#include "pool/clock.h"

namespace emsdb {

// What a failed opening says about the connections that are there.
enum class OpenFailure {
  kUnreachable,  // nothing good
  kServerFull    // the server lives, and takes no more of them (SQLSTATE 53300)
};

class Outage {
 public:
  // Never longer between two attempts: what comes back is found within a second.
  static constexpr Duration kLongestPause = std::chrono::milliseconds(500);

  // An opening without an answer for so long counts as a failed one, though it goes on: a server
  // that stands still refuses nothing, and callers shall not wait for each attempt to time out.
  static constexpr Duration kLongestSilence = std::chrono::seconds(2);

  void Opened();
  // A connection that was in use came back well: the server lives, whatever openings say.
  void CameBackWell() { since_.reset(); }
  // `others` connections are in use.
  void Failed(Instant now, OpenFailure failure, int others);
  // Openings wait for an answer and nothing else came back well in that time: proof enough. What
  // was lost on the way there is found sooner by a fresh attempt than by those that hang.
  void Silent(Instant now);

  bool down() const { return since_.has_value(); }
  std::optional<Instant> since() const { return since_; }

  // Openings wait for their moment, one at a time.
  bool cautious() const { return failures_ >= 2; }
  Instant next_attempt() const { return next_attempt_; }

 private:
  int failures_ = 0;  // since the last success
  std::optional<Instant> since_;
  Instant next_attempt_{};
  std::uint64_t jitter_ = 0x2545F4914F6CDD1DULL;
};

}  // namespace emsdb

#endif  // EMSDB_POOL_OUTAGE_H_
