#include "pool/postgres/wire.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include "pool/postgres/server_error.h"

namespace emsdb {
namespace {

// For poll: never shorter than what is left, and never negative, which would be for ever.
int MillisecondsUntil(const Clock& clock, Instant deadline) {
  const Instant now = clock.Now();
  if (deadline <= now) return 0;
  constexpr std::chrono::milliseconds kLongest = std::chrono::hours(1);
  const Duration left = std::min<Duration>(deadline - now, kLongest);
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
}

// Fails where the link is none of TCP, which is no harm.
void SetCork(int fd, int on) { setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on); }

}  // namespace

Woken PollUntil(const Clock& clock, Instant deadline, int fd, short events, int other_fd,
                short* happened) {
  for (;;) {
    std::array<pollfd, 2> fds = {pollfd{fd, events, 0}, pollfd{other_fd, POLLIN, 0}};
    const int ready = poll(fds.data(), fds.size(), MillisecondsUntil(clock, deadline));
    if (happened != nullptr) *happened = fds[0].revents;
    if (ready > 0) return fds[1].revents != 0 ? Woken::kOther : Woken::kReady;
    if (ready < 0 && errno != EINTR) return Woken::kReady;  // reading will tell what is wrong
    if (clock.Now() >= deadline) return Woken::kDeadline;
  }
}

Wire::Wire(PGconn* handle, const Clock& clock, ServerDetail detail)
    : handle_(handle), clock_(clock), detail_(detail) {
  PQsetNoticeReceiver(handle_, &Wire::OnNotice, this);
  ready_ = PQsetnonblocking(handle_, 1) == 0 && PQenterPipelineMode(handle_) == 1;
}

Wire::~Wire() {
  // The handle may live a little longer, this object not.
  PQsetNoticeReceiver(
      handle_, [](void*, const PGresult*) {}, nullptr);
}

Wire::OnePacket::OnePacket(const Wire& wire) : fd_(PQsocket(wire.handle_)) { SetCork(fd_, 1); }
Wire::OnePacket::~OnePacket() { SetCork(fd_, 0); }

bool Wire::ok() const { return ready_ && !ended_ && PQstatus(handle_) == CONNECTION_OK; }

Wire::Event Wire::Next(Instant deadline, const StopSignal* stop, Result& result) {
  const int stop_fd = stop == nullptr ? -1 : stop->fd();
  for (;;) {
    const int unsent = PQflush(handle_);  // an error is left to reading: the server's last words
    if (PQisBusy(handle_) == 0) {
      result.reset(PQgetResult(handle_));
      largest_result_ = std::max(largest_result_, PQresultMemorySize(result.get()));
      return Event::kResult;
    }
    const int socket = PQsocket(handle_);
    if (socket < 0) break;
    const short events = static_cast<short>(unsent == 1 ? POLLIN | POLLOUT : POLLIN);
    switch (PollUntil(clock_, deadline, socket, events, stop_fd)) {
      case Woken::kDeadline:
        return Event::kDeadline;
      case Woken::kOther:
        return Event::kStopped;
      case Woken::kReady:
        break;
    }
    // What came before the end is parsed first, so that a server's reason is not lost.
    if (PQconsumeInput(handle_) == 0 && PQisBusy(handle_) != 0) break;
  }
  ended_ = true;
  return Event::kLost;
}

Wire::CopyEvent Wire::AwaitRoom(Instant deadline, const StopSignal* stop) {
  const int stop_fd = stop == nullptr ? -1 : stop->fd();
  for (;;) {
    const int unsent = PQflush(handle_);
    const int socket = PQsocket(handle_);
    if (unsent < 0 || socket < 0) return CopyEvent::kAnswered;  // reading will tell what is wrong
    short happened = 0;
    switch (PollUntil(clock_, deadline, socket, POLLIN | POLLOUT, stop_fd, &happened)) {
      case Woken::kDeadline:
        return CopyEvent::kDeadline;
      case Woken::kOther:
        return CopyEvent::kStopped;
      case Woken::kReady:
        break;
    }
    if ((happened & ~POLLOUT) == 0 && unsent == 0) return CopyEvent::kRoom;
    if ((happened & ~POLLOUT) == 0) continue;
    const int notices = notices_;
    if (PQconsumeInput(handle_) == 0) return CopyEvent::kAnswered;
    [[maybe_unused]] const int busy = PQisBusy(handle_);  // parses notices
    if (notices_ == notices || ended_) return CopyEvent::kAnswered;
  }
}

std::size_t Wire::SendCopyPiece(std::string_view rows) {
  // With its head of 5 bytes libpq's own unit of sending, for which a socket that is ready to be
  // written to has room.
  constexpr std::size_t kPiece = 8192 - 5;
  const std::string_view piece = rows.substr(0, kPiece);
  const int taken = PQputCopyData(handle_, piece.data(), static_cast<int>(piece.size()));
  return taken == 1 ? piece.size() : 0;  // an error is found by AwaitRoom
}

bool Wire::LooksAlive() {
  while (ok()) {
    char byte = 0;
    const ssize_t got = recv(PQsocket(handle_), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK;
    }
    if (got == 0 || PQconsumeInput(handle_) == 0) ended_ = true;
    // Parses what came: a notice, a changed setting, or the farewell of a server that ends.
    [[maybe_unused]] const int busy = PQisBusy(handle_);
  }
  return false;
}

void Wire::OnNotice(void* wire, const PGresult* notice) {
  // Notices are for nobody: they may quote data. Only the end of the session is of interest.
  auto& self = *static_cast<Wire*>(wire);
  self.largest_result_ = std::max(self.largest_result_, PQresultMemorySize(notice));
  ++self.notices_;
  if (!IsFatal(notice)) return;
  self.ended_ = true;
  self.farewell_ = SqlstateOf(notice);
}

}  // namespace emsdb
