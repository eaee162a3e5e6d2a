// Who asked for a connection when, and who got one when: recorded by callers, so that it can be
// said afterwards whether anybody was overtaken.
#ifndef EMSDB_TESTS_SUPPORT_PASSAGES_H_
#define EMSDB_TESTS_SUPPORT_PASSAGES_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "pool/clock.h"

namespace emsdb {

// One way through the pool, as seen from outside.
struct Passage {
  Instant asked{};           // before Submit
  Instant in_line = kNever;  // after Submit had returned; kNever: nobody noted it
  Instant not_before{};      // when the connection that it got was still in another's hands
  Instant granted{};

  Duration wait() const { return granted - asked; }
};

// How many of these, all of one class, were certainly overtaken: by somebody who asked when they
// already stood in line, and who had a connection when theirs was still another's. What threads do
// before they come to the pool's door and after they left it is no evidence.
inline int Overtaken(std::vector<Passage> passages) {
  std::sort(passages.begin(), passages.end(),
            [](const Passage& a, const Passage& b) { return a.asked < b.asked; });
  // The first to be granted of those who asked no earlier than this one.
  std::vector<Instant> first_granted(passages.size() + 1, kNever);
  for (std::size_t i = passages.size(); i-- > 0;) {
    first_granted[i] = std::min(first_granted[i + 1], passages[i].granted);
  }
  int overtaken = 0;
  for (const Passage& passage : passages) {
    const auto later = std::upper_bound(
        passages.begin(), passages.end(), passage.in_line,
        [](Instant in_line, const Passage& other) { return in_line < other.asked; });
    if (first_granted[later - passages.begin()] < passage.not_before) ++overtaken;
  }
  return overtaken;
}

}  // namespace emsdb

#endif  // EMSDB_TESTS_SUPPORT_PASSAGES_H_
