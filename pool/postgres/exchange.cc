#include "pool/postgres/exchange.h"

#include <poll.h>

#include <chrono>

namespace emsdb {
namespace {

// The server ends the statement at the deadline by its own timer, which costs nobody a second
// connection. Only if it is silent for this long after the deadline a cancel goes out.
constexpr Duration kServerFirst = std::chrono::milliseconds(10);

}  // namespace

Exchange::Exchange(Wire& wire, const Clock& clock, Canceller* canceller, const Bounds& bounds,
                   Duration grace)
    : wire_(wire),
      clock_(clock),
      canceller_(canceller),
      bounds_(bounds),
      grace_(grace),
      until_(canceller == nullptr ? bounds.deadline : After(bounds.deadline, kServerFirst)) {}

bool Exchange::Next(Result& result) {
  if (!answered()) return false;
  // Where nothing can be cancelled, an answer that is there already counts, however late the thread
  // comes that reads it.
  if (canceller_ != nullptr) LookAtTheClock();
  while (answered()) {
    const StopSignal* stop = asked_ == Asked::kNobody ? bounds_.stop : nullptr;
    switch (wire_.Next(until_, stop, result)) {
      case Wire::Event::kResult:
        return true;
      case Wire::Event::kLost:
        return GiveUp(Answer::kLinkLost);
      case Wire::Event::kStopped:
        Ask(Asked::kStop);
        break;
      case Wire::Event::kDeadline:
        if (asked_ != Asked::kNobody) return GiveUp(Answer::kGivenUp);
        Ask(Asked::kDeadline);
        break;
    }
  }
  return false;
}

Exchange::Sending Exchange::AwaitRoom() {
  LookAtTheClock();
  if (!answered() || asked_ != Asked::kNobody) return Sending::kOver;
  switch (wire_.AwaitRoom(until_, bounds_.stop)) {
    case Wire::CopyEvent::kRoom:
      return Sending::kRoom;
    case Wire::CopyEvent::kAnswered:
      break;
    case Wire::CopyEvent::kStopped:
      Ask(Asked::kStop);
      break;
    case Wire::CopyEvent::kDeadline:
      Ask(Asked::kDeadline);
      break;
  }
  return Sending::kOver;
}

// Rows may come faster than they are read: then nobody waits, and nobody would look at the time.
void Exchange::LookAtTheClock() {
  if (asked_ == Asked::kNobody) {
    if (bounds_.stop != nullptr && bounds_.stop->raised() != StopReason::kNone) {
      Ask(Asked::kStop);
    } else if (clock_.Now() >= until_) {
      Ask(Asked::kDeadline);
    }
  } else if (clock_.Now() >= until_) {
    GiveUp(Answer::kGivenUp);
  }
}

bool Exchange::GiveUp(Answer answer) {
  answer_ = answer;
  return false;
}

void Exchange::Ask(Asked why) {
  if (asked_ != Asked::kNobody) return;
  asked_ = why;
  if (canceller_ == nullptr && why == Asked::kDeadline) {
    GiveUp(Answer::kGivenUp);
    return;
  }
  until_ = After(clock_.Now(), grace_);
  if (canceller_ != nullptr) ticket_ = canceller_->Send(wire_.handle());
}

void Exchange::Finish() {
  if (ticket_ == nullptr || !answered() || ticket_->Withdraw()) return;
  if (PollUntil(clock_, until_, ticket_->fd(), POLLIN, -1) == Woken::kDeadline) {
    GiveUp(Answer::kGivenUp);
  }
}

bool Exchange::DeadlineIsOver() const {
  return asked_ == Asked::kDeadline ||
         After(clock_.Now(), std::chrono::milliseconds(1)) >= bounds_.deadline;
}

StopReason Exchange::stop_reason() const {
  return bounds_.stop == nullptr ? StopReason::kNone : bounds_.stop->raised();
}

absl::Status Exchange::WhyAsked(Stage stage) const {
  return asked_ == Asked::kStop ? Stopped(stop_reason(), stage) : DeadlineExceeded(stage);
}

}  // namespace emsdb
