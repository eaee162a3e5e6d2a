// The one place that waits for a PostgreSQL server: libpq in non-blocking mode, its socket polled
// beside the stop signal and under the deadline. No keep-alive, tcp_user_timeout or time-out of the
// server ends a wait on a server that is stopped; only this does.
#ifndef EMSDB_POOL_POSTGRES_WIRE_H_
#define EMSDB_POOL_POSTGRES_WIRE_H_

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <string_view>

#include "pool/clock.h"
#include "pool/errors.h"
#include "pool/stop_signal.h"

namespace emsdb {

struct ResultDeleter {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, ResultDeleter>;

// Waits until `fd` has one of `events` (as for poll), `other_fd` is readable (-1: none), or
// `deadline` has come. `happened`: what `fd` has then, as poll says it; may be null.
enum class Woken { kReady, kOther, kDeadline };
Woken PollUntil(const Clock& clock, Instant deadline, int fd, short events, int other_fd,
                short* happened = nullptr);

// Reads and writes one open connection, in pipeline mode from the start to the end. Used by one
// thread at a time. Does not own the handle.
class Wire {
 public:
  enum class Event { kResult, kDeadline, kStopped, kLost };

  // Puts the handle into non-blocking and pipeline mode; ok() says whether that worked.
  // `detail`: what its errors may quote.
  Wire(PGconn* handle, const Clock& clock, ServerDetail detail);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  bool ok() const;
  PGconn* handle() const { return handle_; }
  ServerDetail detail() const { return detail_; }

  // Sends what is queued and waits for the next result: null at the end of each command's results,
  // as PQgetResult says it. Without waiting if one is there, whatever the deadline.
  Event Next(Instant deadline, const StopSignal* stop, Result& result);

  // While rows are copied in: waits until more of them can be sent, or the server has said
  // something, which can only be why it takes no more. libpq itself would show that only at the
  // copy's end. For that nothing may be sent but by SendCopyPiece: a larger piece could fill the
  // socket, and then libpq reads by itself what this looks for.
  enum class CopyEvent { kRoom, kAnswered, kDeadline, kStopped };
  CopyEvent AwaitRoom(Instant deadline, const StopSignal* stop);

  // Sends the beginning of `rows`, after kRoom; how much it took.
  std::size_t SendCopyPiece(std::string_view rows);

  // Whether the other side has hung up or said that it will; neither waits nor sends.
  bool LooksAlive();

  // What is sent while this lives leaves as one packet, where the link is one of TCP: libpq itself
  // sends at each Sync.
  class OnePacket {
   public:
    explicit OnePacket(const Wire& wire);
    ~OnePacket();
    OnePacket(const OnePacket&) = delete;
    OnePacket& operator=(const OnePacket&) = delete;

   private:
    const int fd_;
  };

  // The size of the largest result that came. libpq has had it in its buffer, which grows with it
  // and shrinks no more; in single row mode a result is one row.
  std::size_t largest_result() const { return largest_result_; }

  // The SQLSTATE with which the server ended the session outside any statement; may be empty.
  const std::string& farewell() const { return farewell_; }

 private:
  static void OnNotice(void* wire, const PGresult* notice);

  PGconn* handle_;
  const Clock& clock_;
  const ServerDetail detail_;
  bool ready_ = false;
  bool ended_ = false;
  std::size_t largest_result_ = 0;
  int notices_ = 0;
  std::string farewell_;
};

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_WIRE_H_
