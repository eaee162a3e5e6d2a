// Cancel requests. PostgreSQL takes them on a connection of their own, libpq waits for that one
// without any time limit, and a server that is stopped never ends the wait: so they are sent from
// threads that nobody waits for, and that are counted.
#ifndef EMSDB_POOL_POSTGRES_CANCELLER_H_
#define EMSDB_POOL_POSTGRES_CANCELLER_H_

#include <libpq-fe.h>

#include <memory>

namespace emsdb {

// Safe for any number of threads. Destroyed while requests are stuck it leaves their threads to
// themselves; they touch nothing but their own state.
class Canceller {
 private:
  struct Request;
  struct State;

 public:
  // One cancel request. Its owner must not run another statement on the connection before the
  // request is over: a cancel names a connection, not a statement, and a late one would hit the
  // next.
  class Ticket {
   public:
    explicit Ticket(std::shared_ptr<Request> request) : request_(std::move(request)) {}
    ~Ticket();
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;

    // Readable once the request is over: the server has closed its connection, or it failed.
    int fd() const;

    // True if the request was not begun yet and now never will be, or is over.
    bool Withdraw();

   private:
    std::shared_ptr<Request> request_;
  };

  // At most `most_at_once` requests are on their way at a time, stuck ones included; as many again
  // wait in line.
  explicit Canceller(int most_at_once = 16);
  ~Canceller();
  Canceller(const Canceller&) = delete;
  Canceller& operator=(const Canceller&) = delete;

  // Asks the server to cancel what runs on `connection`. Null if too many are stuck.
  std::unique_ptr<Ticket> Send(PGconn* connection);

 private:
  static void Work(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;
};

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_CANCELLER_H_
