// One unit of work on the wire, from the first byte that is sent to the last result that is read:
// the only place that knows what to do when the time is over in the middle of it.
#ifndef EMSDB_POOL_POSTGRES_EXCHANGE_H_
#define EMSDB_POOL_POSTGRES_EXCHANGE_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "pool/connection.h"
#include "pool/errors.h"
#include "pool/postgres/canceller.h"
#include "pool/postgres/wire.h"

namespace emsdb {

// Made before the unit is sent, used for that unit alone. When the deadline comes or the stop
// signal is raised it sends a cancel and goes on reading, since only the server knows whether the
// cancel came in time: what it says wins. If it says nothing for `grace`, the answer is given up,
// and the connection must not be used again.
class Exchange {
 public:
  // Why a cancel was sent. The first reason stays.
  enum class Asked { kNobody, kDeadline, kStop, kSink };
  enum class Answer { kCame, kLinkLost, kGivenUp };

  // Without a canceller nothing is cancelled: at the deadline the answer is given up at once.
  Exchange(Wire& wire, const Clock& clock, Canceller* canceller, const Bounds& bounds,
           Duration grace);

  // The next result as Wire::Next gives it; false if there will be none any more.
  bool Next(Result& result);

  // While rows are copied in: whether more can be sent. kOver: by what the server has to say, by
  // the deadline or the stop signal; what remains is to end the copy and to read.
  enum class Sending { kRoom, kOver };
  Sending AwaitRoom();

  // The rows are not wanted any more, or there will be none.
  void CancelForSink() { Ask(Asked::kSink); }

  // libpq itself says so, in place of a result.
  void LinkIsLost() { GiveUp(Answer::kLinkLost); }

  // The server ended the session with this SQLSTATE.
  void NoteFarewell(std::string sqlstate) { farewell_ = std::move(sqlstate); }
  const std::string& farewell() const { return farewell_; }

  // After the last result: waits until the cancel, if one was sent, can hit nothing any more.
  void Finish();

  Asked asked() const { return asked_; }
  Answer answer() const { return answer_; }
  bool answered() const { return answer_ == Answer::kCame; }
  Wire& wire() { return wire_; }

  // Whether 57014 now means that the deadline was over: the server's own timer may be a little
  // earlier than ours.
  bool DeadlineIsOver() const;
  StopReason stop_reason() const;

  // What asked() means to the caller, once it is the deadline or the stop signal.
  absl::Status WhyAsked(Stage stage) const;

 private:
  bool GiveUp(Answer answer);
  void Ask(Asked why);
  void LookAtTheClock();

  Wire& wire_;
  const Clock& clock_;
  Canceller* canceller_;
  const Bounds bounds_;
  const Duration grace_;
  Instant until_;
  Asked asked_ = Asked::kNobody;
  Answer answer_ = Answer::kCame;
  std::unique_ptr<Canceller::Ticket> ticket_;
  std::string farewell_;
};

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_EXCHANGE_H_
