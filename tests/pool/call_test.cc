#include "pool/call.h"

#include <gmock/gmock.h>

#include <future>
#include <memory>

#include "tests/pool/hook_clock.h"
#include "tests/pool/recorded_call.h"
#include "tests/pool/state_play.h"
#include "tests/support/status_matchers.h"

namespace emsdb {
namespace {

using std::chrono::seconds;
using ::testing::IsEmpty;

const Body kWrites = [](Connection&, const Bounds&, Lease&) { return NeedsWriter(); };

// Runs `first` on the first connection and `second` on the next.
Body Then(Body first, Body second) {
  auto begun = std::make_shared<bool>(false);
  return [=](Connection& connection, const Bounds& bounds, Lease& lease) {
    return (std::exchange(*begun, true) ? second : first)(connection, bounds, lease);
  };
}

class CallTest : public ::testing::Test {
 protected:
  FakeClock clock;
  HookClock readers_clock{clock};
  UpkeepThread upkeep{clock};
  PoolUnderTest writer{Limits(1, 0), clock, upkeep};
  PoolUnderTest reader{Limits(1, 0), clock, upkeep, &readers_clock};
};

using ACall = CallTest;

TEST_F(ACall, OpensNothingWhenItWasCancelledBeforeItsStart) {
  const CallRef call = reader.Make();
  call->Cancel(StopReason::kCallerLeft);
  call->Start(*reader.pool, Purpose::kStatement);
  EXPECT_THAT(call->Await(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(reader.connector->attempts(), 0);
}

TEST_F(ACall, IsAnsweredOnceHoweverOftenItGoesOn) {
  const CallRef call = reader.Make();
  int ends = 0;
  call->AskBeforeAnswer([&](const absl::Status&) {
    if (++ends == 3) return false;
    call->Again();
    return true;
  });
  call->Start(*reader.pool, Purpose::kStatement);
  EXPECT_THAT(call->Await(), IsOk());
  EXPECT_EQ(ends, 3);
  EXPECT_EQ(call->answers(), 1);
  EXPECT_EQ(reader.connector->executed().size(), 3U);
}

TEST_F(ACall, DoesNotRunAgainWhenItWasCancelledInAPause) {
  const CallRef call = reader.Make();
  bool paused = false;
  std::promise<void> in_pause;
  call->AskBeforeAnswer([&](const absl::Status&) {
    if (std::exchange(paused, true)) return false;
    in_pause.set_value();
    return true;
  });
  call->Start(*reader.pool, Purpose::kStatement);
  in_pause.get_future().wait();
  call->Cancel(StopReason::kCallerLeft);
  EXPECT_EQ(call->answers(), 0);
  call->Again();
  EXPECT_THAT(call->Await(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(reader.connector->executed().size(), 1U);
}

TEST_F(ACall, LeavesTheLineWhenItIsCancelledOnItsWayThere) {  // T31
  reader.StartHanging();
  const CallRef call = reader.Make();
  readers_clock.Arm([&] { call->Cancel(StopReason::kCallerLeft); });
  call->Start(*reader.pool, Purpose::kStatement);
  EXPECT_THAT(call->Await(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(reader.pool->numbers().counts.waiting, 0);
}

TEST_F(ACall, TellsHowLongItWaitedWhenItIsCancelledInLine) {
  reader.StartHanging();
  const CallRef call = reader.Start();
  clock.Advance(seconds(2));
  call->Cancel(StopReason::kCallerLeft);
  call->AwaitEnd();
  EXPECT_EQ(call->times().waiting, seconds(2));
}

TEST_F(ACall, StopsItsStatementWhenItIsCancelledWhileItRuns) {
  const CallRef call = reader.StartHanging();
  call->Cancel(StopReason::kCallerLeft);
  EXPECT_THAT(call->Await(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(reader.Start()->Await(), IsOk()) << "the next one is not hit";
  EXPECT_EQ(reader.connector->opened(), 1);
}

TEST_F(ACall, IgnoresACancelAfterItsAnswer) {  // T2
  const CallRef call = reader.Start();
  EXPECT_THAT(call->Await(), IsOk());
  call->Cancel(StopReason::kCallerLeft);
  EXPECT_THAT(reader.Start()->Await(), IsOk());
}

TEST_F(ACall, DoesNotRunAfterItsDeadline) {
  readers_clock.Arm([&] { clock.Advance(seconds(1)); });
  const CallRef call = reader.Start(Sql("SELECT 1"), {.deadline = clock.Now() + seconds(1)});
  EXPECT_THAT(call->Await(), StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_THAT(reader.connector->executed(), IsEmpty());
}

TEST_F(ACall, GoesOnToTheWriterWhereItMustWrite) {
  const CallRef call = reader.Make(Then(kWrites, Sql("INSERT INTO calls VALUES (1)")));
  call->Start(*reader.pool, Purpose::kStatement, writer.pool.get());
  EXPECT_THAT(call->Await(), IsOk());
  EXPECT_EQ(writer.connector->executed().size(), 1u);
  EXPECT_EQ(reader.pool->numbers().counts.idle, 1) << "the reader is free again";
}

TEST_F(ACall, GoesOnToTheWriterOnlyOnce) {
  const CallRef call = reader.Make(kWrites);
  call->Start(*reader.pool, Purpose::kStatement, writer.pool.get());
  EXPECT_TRUE(IsNeedsWriter(call->Await()));
}

TEST_F(ACall, StaysALeaseOnTheWriter) {
  writer.connector->Next(Operation::kBegin, {.pace = Pace::kHangs});
  const CallRef call =
      reader.Make(Then(kWrites, [](Connection& connection, const Bounds& bounds, Lease&) {
        return connection.Begin({}, {}, bounds);
      }));
  call->Start(*reader.pool, Purpose::kLease, writer.pool.get());
  writer.connector->AwaitHanging(1);
  EXPECT_EQ(writer.pool->numbers().counts.leases, 1);
  EXPECT_EQ(reader.pool->numbers().counts.leases, 0);
  writer.connector->Release();
  call->AwaitEnd();
}

TEST_F(ACall, CanBeCancelledInTheWritersLine) {
  writer.StartHanging();
  const CallRef call = reader.Make(kWrites);
  call->Start(*reader.pool, Purpose::kStatement, writer.pool.get());
  EXPECT_THAT(reader.Start()->Await(), IsOk()) << "behind it on the same reader";
  call->Cancel(StopReason::kCallerLeft);
  EXPECT_THAT(call->Await(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(writer.pool->numbers().counts.waiting, 0);
}

TEST_F(ACall, DoesNotGoOnToTheWriterWhenItWasCancelledOnTheReader) {
  writer.StartHanging();
  CallRef call;
  call = reader.Make([&](Connection&, const Bounds&, Lease&) {
    call->Cancel(StopReason::kCallerLeft);
    return NeedsWriter();
  });
  call->Start(*reader.pool, Purpose::kStatement, writer.pool.get());
  EXPECT_THAT(call->Await(), StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(ACall, DoesNotGoOnToTheWriterWhenItIsCancelledBetweenTheTwo) {
  writer.StartHanging();
  CallRef call;
  call = reader.Make([&](Connection&, const Bounds&, Lease&) {
    // The worker's next look at its clock: it gives the connection back, the call has run.
    readers_clock.Arm([&] { call->Cancel(StopReason::kCallerLeft); });
    return NeedsWriter();
  });
  call->Start(*reader.pool, Purpose::kStatement, writer.pool.get());
  EXPECT_THAT(call->Await(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(writer.pool->numbers().counts.waiting, 0);
}

TEST_F(ACall, DidNotWaitWhenItIsRefusedWithoutAStart) {
  const CallRef call = reader.Make();
  call->Refuse(absl::AbortedError("over"));
  EXPECT_THAT(call->Await(), HasMessage("over"));
  EXPECT_EQ(call->times().waiting, Duration::zero());
}

}  // namespace
}  // namespace emsdb
