// The pool with its real threads, on a scripted driver and a clock moved by hand.
#include "pool/pool.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "tests/pool/recorded_call.h"
#include "tests/pool/recording_observer.h"
#include "tests/pool/state_play.h"
#include "tests/support/status_matchers.h"

namespace emsdb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::EndsWith;
using ::testing::Field;
using ::testing::HasSubstr;

class PoolTest : public ::testing::Test {
 protected:
  PoolUnderTest Make(int size, int overflow) { return Make(Limits(size, overflow)); }
  PoolUnderTest Make(const PoolLimits& limits) { return PoolUnderTest(limits, clock, upkeep); }

  FakeClock clock;
  UpkeepThread upkeep{clock};
};

using ThePool = PoolTest;

TEST_F(ThePool, OpensAConnectionForItsFirstCallAndKeepsIt) {
  auto test = Make(5, 10);
  EXPECT_EQ(test.connector->attempts(), 0);
  EXPECT_THAT(test.Start()->Await(), IsOk());
  EXPECT_THAT(test.Start()->Await(), IsOk());
  EXPECT_EQ(test.connector->opened(), 1);
  EXPECT_EQ(test.pool->numbers().counts.idle, 1);
  EXPECT_EQ(test.pool->numbers().opened_total, 1);
}

TEST_F(ThePool, TimesOutWithTheTextAndWhoHoldsHowMany) {
  auto test = Make(5, 10);
  for (int i = 0; i < 15; ++i) test.StartHanging({.caller = i < 9 ? "cad" : "billing"});
  const CallRef late = test.Start();
  clock.Advance(seconds(30));
  const absl::Status status = late->Await();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(status, HasReason("POOL_TIMEOUT"));
  EXPECT_EQ(std::string(status.message()),
            "QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00; "
            "held by billing 6, cad 9; the longest by cad for 30.0 s");
  EXPECT_EQ(test.pool->numbers().timeouts_total, 1);
  EXPECT_EQ(late->times().waiting, seconds(30));
}

TEST_F(ThePool, NamesTheLastConnectErrorInTheTimeOut) {
  PoolLimits limits = Limits(1, 1);
  limits.timeout = seconds(5);  // less than an opening may take
  auto test = Make(limits);
  test.StartHanging();
  test.connector->Always(
      Operation::kOpen,
      {.status = WithDetail(absl::ResourceExhaustedError("sorry, too many clients already"),
                            {.sqlstate = "53300"})});
  const CallRef late = test.Start();
  // Until the second failure is known, the pool may still be about to open.
  while (test.pool->numbers().last_connect_error.empty() || test.connector->attempts() < 2 ||
         test.pool->numbers().counts.opening > 0) {
    std::this_thread::yield();
  }
  clock.Advance(seconds(5));
  EXPECT_THAT(late->Await(),
              HasMessage(EndsWith("held by unnamed 1; the longest by unnamed for 5.0 s; "
                                  "last connect error: sorry, too many clients already")));
}

TEST_F(ThePool, NamesTheStatementThatIsHeldLongestInTheTimeOut) {
  auto test = Make(1, 0);
  test.StartHanging({.caller = "cad", .statement = "UPDATE calls SET priority = ?"});
  const CallRef late = test.Start();
  clock.Advance(seconds(30));
  EXPECT_THAT(late->Await(),
              HasMessage(EndsWith("the longest by cad for 30.0 s: UPDATE calls SET priority = ?")));
}

TEST_F(ThePool, FailsFastWithARetryDelayWhileTheDatabaseIsDownAndRecoversByItself) {
  auto test = Make(5, 10);
  test.connector->Always(Operation::kOpen, {.status = absl::UnavailableError("no route")});
  for (int i = 0; i < 2; ++i) EXPECT_THAT(test.Start()->Await(), HasMessage("no route"));
  const absl::Status refused = test.Start()->Await();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_TRUE(DetailOf(refused).retry_after.has_value());
  EXPECT_EQ(test.connector->attempts(), 2);
  EXPECT_EQ(test.pool->numbers().mode, PoolMode::kDown);
  test.connector->Always(Operation::kOpen, {});
  while (test.pool->numbers().mode == PoolMode::kDown) {
    clock.Advance(milliseconds(50));
    std::this_thread::yield();
  }
  EXPECT_EQ(test.pool->numbers().counts.idle, 1) << "the prober's";
  EXPECT_THAT(test.Start()->Await(), IsOk());
}

TEST_F(ThePool, LetsTheUpkeepRestWhileSomebodyWaits) {
  auto test = Make(1, 0);
  test.StartHanging();
  const CallRef waiting = test.Start();
  clock.AwaitWaiters(2);  // the upkeep, and the statement that hangs
  EXPECT_GT(clock.NextDeadline(), clock.Now());
  clock.Advance(seconds(30));
  EXPECT_THAT(waiting->Await(), HasReason("POOL_TIMEOUT"));
}

TEST_F(ThePool, PausesAndGoesOn) {
  auto test = Make(2, 0);
  test.pool->Pause();
  const CallRef waiting = test.Start();
  EXPECT_EQ(test.connector->attempts(), 0);
  EXPECT_EQ(test.pool->numbers().counts.waiting, 1);
  test.pool->Resume();
  EXPECT_THAT(waiting->Await(), IsOk());
}

TEST_F(ThePool, GrowsWhileItLives) {
  auto test = Make(1, 0);
  test.StartHanging();
  const CallRef waiting = test.Start();
  test.pool->Resize(1, 1);
  EXPECT_THAT(waiting->Await(), IsOk());
  EXPECT_EQ(test.pool->limits().overflow, 1);
}

TEST_F(ThePool, ListsWhoHoldsItsConnectionsLongestFirst) {
  auto test = Make(3, 0);
  test.StartHanging({.caller = "cad"});
  clock.Advance(seconds(2));
  test.StartHanging({.caller = "billing"});
  clock.Advance(seconds(1));
  const auto holders = test.pool->holders(5);
  ASSERT_EQ(holders.size(), 2u);
  EXPECT_EQ(holders[0].who.caller, "cad");
  EXPECT_EQ(holders[0].held, seconds(3));
  EXPECT_EQ(holders[1].who.caller, "billing");
  EXPECT_EQ(test.pool->holders(1).size(), 1u);
  EXPECT_EQ(test.pool->numbers().longest_held, seconds(3));
}

TEST_F(ThePool, AnswersACallersShorterDeadlineAsSuch) {  // T9
  auto test = Make(1, 0);
  test.StartHanging();
  const CallRef late = test.Start(Sql("SELECT 2"), {.deadline = clock.Now() + seconds(1)});
  clock.Advance(seconds(1));
  EXPECT_THAT(late->Await(), StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_THAT(late->Await(), HasDetail(Field(&ErrorDetail::stage, Stage::kWaiting)));
  EXPECT_EQ(test.pool->numbers().timeouts_total, 0);
}

TEST_F(ThePool, LetsTheNextProceedWhenAnOpeningFails) {  // T30
  auto test = Make(1, 0);
  test.connector->Next(Operation::kOpen,
                       {.pace = Pace::kHangs, .status = absl::UnavailableError("refused")});
  const CallRef first = test.Start();
  const CallRef second = test.Start();
  test.connector->Release();
  EXPECT_THAT(first->Await(), HasMessage("refused"));
  EXPECT_THAT(first->Await(), HasDetail(Field(&ErrorDetail::stage, Stage::kConnecting)));
  EXPECT_THAT(second->Await(), IsOk());
}

// The time of the opening was over, not the caller's.
TEST_F(ThePool, AnswersUnavailableWhenTheDatabaseLetsAnOpeningHang) {
  auto test = Make(1, 0);
  test.connector->Next(Operation::kOpen, {.pace = Pace::kHangs});
  const CallRef call = test.Start();
  test.connector->AwaitHanging(1);
  clock.Advance(kConnectTimeout);
  EXPECT_THAT(call->Await(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(ThePool, SaysSoSoonerThanAHangingOpeningTimesOut) {
  auto test = Make(1, 0);
  test.connector->Next(Operation::kOpen, {.pace = Pace::kHangs});
  const CallRef call = test.Start();
  test.connector->AwaitHanging(1);
  clock.Advance(Outage::kLongestSilence);
  EXPECT_THAT(call->Await(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(call->Await(), HasMessage("the database did not answer in time to an attempt to "
                                        "connect"));
  EXPECT_THAT(call->Await(), HasDetail(Field(&ErrorDetail::retry_after, Outage::kLongestPause)));
  EXPECT_EQ(test.pool->numbers().mode, PoolMode::kDown);
  test.connector->Release();
}

TEST_F(ThePool, ReplacesAConnectionWhoseSocketWasClosed) {
  auto test = Make(1, 0);
  test.Start()->AwaitEnd();
  test.connector->Kill(1);
  EXPECT_THAT(test.Start()->Await(), IsOk());
  EXPECT_EQ(test.connector->opened(), 2);
  EXPECT_EQ(test.pool->numbers().stale_total, 1);
  EXPECT_EQ(test.connector->pings(), 0);
}

TEST_F(ThePool, ReplacesAllConnectionsOfAServerThatHasGone) {  // T29
  auto test = Make(3, 0);
  std::vector<CallRef> calls;
  calls.reserve(3);
  for (int i = 0; i < 3; ++i) calls.push_back(test.StartHanging());
  test.connector->ReleaseAll();
  for (const CallRef& call : calls) call->AwaitEnd();
  test.connector->KillAll(Death::kSilent);
  clock.Advance(seconds(1));
  calls.clear();
  for (int i = 0; i < 3; ++i) calls.push_back(test.Start(Sql("UPDATE units SET free = true")));
  for (const CallRef& call : calls) EXPECT_THAT(call->Await(), IsOk());
}

TEST_F(ThePool, PingsOnceForOneThatHasRested) {
  auto test = Make(1, 0);
  test.Start()->AwaitEnd();
  clock.Advance(milliseconds(499));
  test.Start()->AwaitEnd();
  EXPECT_EQ(test.connector->pings(), 0);
  clock.Advance(milliseconds(500));
  test.Start()->AwaitEnd();
  EXPECT_EQ(test.connector->pings(), 1);
}

TEST_F(ThePool, TakesAPingCutShortByItsCallersDeadlineForNoDisconnect) {
  auto test = Make(1, 0);
  test.Start()->AwaitEnd();
  clock.Advance(seconds(1));
  test.connector->Next(Operation::kPing, {.pace = Pace::kHangs});
  const CallRef hasty = test.Start(Sql("SELECT 2"), {.deadline = clock.Now() + milliseconds(1)});
  test.connector->AwaitHanging(1);
  clock.Advance(milliseconds(1));
  EXPECT_THAT(hasty->Await(), StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_THAT(test.Start()->Await(), IsOk());
  EXPECT_EQ(test.connector->opened(), 1);
  EXPECT_EQ(test.pool->numbers().stale_total, 0);
}

TEST_F(ThePool, RecyclesAnOldConnectionBeforeItsNextUse) {  // T25
  auto test = Make(1, 0);
  test.Start()->AwaitEnd();
  clock.Advance(seconds(1800));
  EXPECT_EQ(test.connector->closed(), 0);
  EXPECT_THAT(test.Start()->Await(), IsOk());
  EXPECT_EQ(test.connector->opened(), 2);
}

TEST_F(ThePool, RollsBackWhatACallLeavesOpen) {  // T26
  auto test = Make(1, 0);
  test.Start([](Connection& connection, const Bounds& bounds, Lease&) {
        return connection.Begin({}, {}, bounds);
      })
      ->AwaitEnd();
  EXPECT_THAT(test.Start()->Await(), IsOk());
  EXPECT_THAT(test.connector->log(), Contains("1 rollback"));
  EXPECT_EQ(test.connector->opened(), 1);
}

// T29: what the driver gave up says nothing about the server.
TEST_F(ThePool, KeepsTheOthersWhenTheDriverGaveOneUp) {
  auto test = Make(2, 0);
  const CallRef first = test.StartHanging();
  test.connector->Next(Operation::kExecute, {.status = absl::DeadlineExceededError("late"),
                                             .aftermath = Aftermath::kGivenUp});
  EXPECT_THAT(test.Start()->Await(), StatusIs(absl::StatusCode::kDeadlineExceeded));
  test.connector->AwaitClosed(1);
  test.connector->Release();
  EXPECT_THAT(first->Await(), IsOk());
  EXPECT_THAT(test.Start(Sql("SELECT 2"))->Await(), IsOk());
  EXPECT_THAT(test.connector->log(), Contains("1 execute SELECT 2"));
  EXPECT_EQ(test.pool->numbers().stale_total, 0);
}

// T40: the others have nothing to do with it.
TEST_F(ThePool, ClosesOnlyTheConnectionWhoseSessionWasChanged) {
  RecordingObserver observer;
  auto connector = std::make_unique<ScriptedConnector>(clock);
  ScriptedConnector& script = *connector;
  {
    Pool pool(Limits(2, 0), std::move(connector), clock, upkeep, observer);
    const auto start = [&](const char* sql) {
      auto call = std::make_shared<RecordedCall>(CallOptions{}, clock, Sql(sql));
      call->Start(pool, Purpose::kStatement);
      return call;
    };
    script.Next(Operation::kExecute, {.pace = Pace::kHangs});
    const auto first = start("SELECT 1");
    script.AwaitHanging(1);
    script.Next(Operation::kExecute, {.aftermath = Aftermath::kSessionChanged});
    script.Next(Operation::kReset, {.status = absl::InternalError("no")});
    EXPECT_THAT(start("SET search_path = x")->Await(), IsOk());
    script.AwaitClosed(1);
    script.Release();
    EXPECT_THAT(first->Await(), IsOk());
    EXPECT_THAT(start("SELECT 2")->Await(), IsOk());
    EXPECT_THAT(script.log(), Contains("2 close"));
    EXPECT_THAT(script.log(), Contains("1 execute SELECT 2"));  // not invalidated
    EXPECT_EQ(pool.numbers().stale_total, 0);
    ASSERT_FALSE(observer.closed().empty());
    EXPECT_EQ(observer.closed().front(), CloseReason::kDirty);
  }
}

TEST_F(ThePool, ClosesAConnectionThatCannotBeRolledBack) {  // T26
  auto test = Make(1, 0);
  test.connector->Next(Operation::kRollBack, {.status = absl::InternalError("no")});
  test.Start([](Connection& connection, const Bounds& bounds, Lease&) {
        return connection.Begin({}, {}, bounds);
      })
      ->AwaitEnd();
  EXPECT_THAT(test.Start()->Await(), IsOk());
  EXPECT_EQ(test.connector->opened(), 2);
}

TEST_F(ThePool, LosesNothingWhenAWaiterLeaves) {  // T31
  auto test = Make(1, 0);
  const CallRef holder = test.StartHanging();
  const CallRef gone = test.Start();
  const CallRef next = test.Start();
  gone->Cancel(StopReason::kCallerLeft);
  EXPECT_THAT(gone->Await(), StatusIs(absl::StatusCode::kCancelled));
  test.connector->Release();
  EXPECT_THAT(next->Await(), IsOk());
  EXPECT_THAT(holder->Await(), IsOk());
}

// It was out of the line, but not running yet; then it goes back to the line.
TEST_F(ThePool, LetsAWaiterLeaveWhoseConnectionProvesDeadAtThatMoment) {  // T31
  auto test = Make(1, 0);
  test.Start()->AwaitEnd();
  clock.Advance(seconds(1));
  test.connector->Next(Operation::kPing, {.pace = Pace::kHangs});
  test.connector->Next(Operation::kOpen, {.pace = Pace::kHangs});
  const CallRef gone = test.Start();
  test.connector->AwaitHanging(1);
  gone->Cancel(StopReason::kCallerLeft);
  EXPECT_EQ(gone->answers(), 0);
  test.connector->Kill(1);
  EXPECT_THAT(gone->Await(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(test.pool->numbers().counts.waiting, 0);
}

TEST_F(ThePool, AnswersWhenTheConnectionIsFreeForTheCallersNextCall) {
  PoolLimits limits = Limits(1, 0);
  limits.timeout = Duration::zero();
  auto test = Make(limits);
  const CallRef second = test.Make();
  const CallRef first = test.Make();
  first->OnAnswer([&] { second->Start(*test.pool, Purpose::kStatement); });
  first->Start(*test.pool, Purpose::kStatement);
  EXPECT_THAT(second->Await(), IsOk());
  first->AwaitEnd();
}

TEST_F(ThePool, AnswersAtOnceWithATimeOutOfZero) {
  PoolLimits limits = Limits(1, 0);
  limits.timeout = Duration::zero();
  auto test = Make(limits);
  test.StartHanging();
  EXPECT_THAT(test.Start()->Await(), HasMessage(HasSubstr("timed out, timeout 0.00")));
  EXPECT_EQ(test.pool->numbers().timeouts_total, 1);
}

TEST_F(ThePool, RefusesWhenItsLineIsFullAndSaysTheNumbers) {
  PoolLimits limits = Limits(1, 0);
  limits.max_waiters = 1;
  auto test = Make(limits);
  test.StartHanging();
  test.Start();
  const CallRef third = test.Start();
  EXPECT_THAT(third->Await(), HasReason("LINE_FULL"));
  EXPECT_THAT(third->Await(), HasMessage(HasSubstr("1 wait, at most 1 may; 1 of 1")));
  EXPECT_TRUE(DetailOf(third->Await()).retry_after.has_value());
}

TEST_F(ThePool, DrainsWhenWhatRunsAndWaitsIsDone) {  // T39
  auto test = Make(1, 0);
  const CallRef running = test.StartHanging();
  const CallRef waiting = test.Start();
  EXPECT_FALSE(test.pool->Drain(clock.Now()));
  EXPECT_THAT(test.Start()->Await(), HasReason("SHUTDOWN"));
  test.connector->Release();
  EXPECT_TRUE(test.pool->Drain(kNever));
  EXPECT_THAT(running->Await(), IsOk());
  EXPECT_THAT(waiting->Await(), IsOk());
  EXPECT_EQ(test.connector->open_now(), 0);
}

TEST_F(ThePool, StopsWhatRunsAndRefusesWhatWaits) {  // T39
  auto test = Make(1, 0);
  const CallRef running = test.StartHanging();
  const CallRef waiting = test.Start();
  test.pool->Stop();
  EXPECT_THAT(waiting->Await(), HasReason("SHUTDOWN"));
  EXPECT_THAT(running->Await(), HasReason("SHUTDOWN"));
  EXPECT_TRUE(test.pool->Drain(kNever));
}

TEST_F(ThePool, EndsWhileAnOpeningHangs) {
  auto test = Make(1, 0);
  test.connector->Next(Operation::kOpen, {.pace = Pace::kHangs});
  const CallRef call = test.Start();
  test.connector->AwaitHanging(1);
  test.pool.reset();
  EXPECT_THAT(call->Await(), HasReason("SHUTDOWN"));
}

// The stop ends the ping, and its waiter would go back to a line that nobody serves.
TEST_F(ThePool, EndsWhileAPingHangs) {
  auto test = Make(2, 0);
  test.StartHanging();
  test.Start()->AwaitEnd();
  clock.Advance(seconds(1));
  test.connector->Next(Operation::kPing, {.pace = Pace::kHangs});
  const CallRef call = test.Start();
  test.connector->AwaitHanging(2);
  test.pool.reset();
  EXPECT_THAT(call->Await(), HasReason("SHUTDOWN"));
}

}  // namespace
}  // namespace emsdb
