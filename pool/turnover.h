// How long openings take and statements hold a connection, and what follows from it: whether those
// who wait will be served by connections that come back, before one that is opened for them could
// be there. A pure value; `now` comes from outside.
//
// Without it every waiter costs an opening, which is done long after its waiter was served: a crowd
// of fifty, each holding a connection for 2 ms, would open as many as the limit allows.
#ifndef EMSDB_POOL_TURNOVER_H_
#define EMSDB_POOL_TURNOVER_H_

#include "pool/clock.h"

namespace emsdb {

class Turnover {
 public:
  void Opened(Duration took) { Learn(opening_, took); }
  void Held(Duration held) { Learn(holding_, held); }

  Duration opening() const { return opening_.average; }
  // Zero as long as nothing is known.
  Duration holding() const { return holding_.average; }

  // How many waiters a connection that has been held for `age` is expected to serve while another
  // is opened. One that is held longer than usual is expected to be held as long again.
  double ServedBy(Duration age) const;

  // How long it takes until `ahead` others have been served by `connections`, at the least; zero as
  // long as nothing is known.
  Duration Wait(int ahead, int connections) const;

  // When it is worth looking again at a line that had no opening for it.
  Instant LookAgain(Instant now) const;

 private:
  struct Average {
    Duration average{};
    bool known = false;
  };
  static void Learn(Average& average, Duration sample);

  Average opening_;
  Average holding_;
};

}  // namespace emsdb

#endif  // EMSDB_POOL_TURNOVER_H_
