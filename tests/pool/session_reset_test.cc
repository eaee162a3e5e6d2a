// What the pool does with a connection whose session its holder has changed.
#include <gmock/gmock.h>

#include <vector>

#include "tests/pool/recorded_call.h"
#include "tests/pool/recording_observer.h"
#include "tests/pool/state_play.h"
#include "tests/support/status_matchers.h"

namespace emsdb {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;

class ChangedSession : public ::testing::Test {
 protected:
  ChangedSession() {
    auto scripted = std::make_unique<ScriptedConnector>(clock);
    script = scripted.get();
    pool = std::make_unique<Pool>(Limits(1, 0), std::move(scripted), clock, upkeep, observer);
  }
  ~ChangedSession() override { script->ReleaseAll(); }

  CallRef Start(Body body) {
    auto call = std::make_shared<RecordedCall>(CallOptions{}, clock, std::move(body));
    call->Start(*pool, Purpose::kStatement);
    return call;
  }
  CallRef StartChanging() {
    script->Next(Operation::kExecute, {.aftermath = Aftermath::kSessionChanged});
    return Start(Sql("SET a.b = 'c'"));
  }

  FakeClock clock;
  Upkeep upkeep{clock};
  RecordingObserver observer;
  ScriptedConnector* script = nullptr;  // the pool's
  std::unique_ptr<Pool> pool;
};

// T40
TEST_F(ChangedSession, IsResetAndServesTheNext) {
  EXPECT_THAT(StartChanging()->Await(), IsOk());
  EXPECT_THAT(Start(Sql("SELECT 2"))->Await(), IsOk());
  EXPECT_THAT(Start(Sql("SELECT 3"))->Await(), IsOk());
  EXPECT_THAT(script->log(), ElementsAre("1 open", "1 execute SET a.b = 'c'", "1 reset",
                                         "1 execute SELECT 2", "1 execute SELECT 3"));
  EXPECT_THAT(observer.resets(), ElementsAre(ResetResult::kDone));
}

TEST_F(ChangedSession, IsRolledBackBeforeItIsReset) {
  script->Next(Operation::kExecute, {.aftermath = Aftermath::kSessionChanged});
  Start([](Connection& connection, const Bounds& bounds, Lease&) {
    const absl::Status begun = connection.Begin({}, {}, bounds);
    CollectingSink sink;
    return begun.ok() ? connection.Execute({"SET a.b = 'c'", {}}, {}, bounds, sink).status()
                      : begun;
  })->AwaitEnd();
  EXPECT_THAT(Start(Sql("SELECT 2"))->Await(), IsOk());
  EXPECT_THAT(script->log(), ElementsAre("1 open", "1 begin", "1 execute SET a.b = 'c'",
                                         "1 rollback", "1 reset", "1 execute SELECT 2"));
}

TEST_F(ChangedSession, DoesNotMakeItsHolderWaitForTheReset) {
  script->Next(Operation::kReset, {.pace = Pace::kHangs});
  EXPECT_THAT(StartChanging()->Await(), IsOk());  // or this never ends
  const CallRef next = Start(Sql("SELECT 2"));
  script->AwaitHanging(1);
  EXPECT_EQ(next->answers(), 0);
  script->Release();
  EXPECT_THAT(next->Await(), IsOk());
}

TEST_F(ChangedSession, IsClosedWhenItsResetFails) {
  script->Next(Operation::kReset, {.status = absl::InternalError("no")});
  EXPECT_THAT(StartChanging()->Await(), IsOk());
  EXPECT_THAT(Start(Sql("SELECT 2"))->Await(), IsOk());
  EXPECT_THAT(script->log(), ElementsAre("1 open", "1 execute SET a.b = 'c'", "1 reset", "1 close",
                                         "2 open", "2 execute SELECT 2"));
  EXPECT_THAT(observer.resets(), ElementsAre(ResetResult::kFailed));
  EXPECT_EQ(pool->numbers().stale_total, 0);
}

TEST_F(ChangedSession, IsClosedWhenItsResetTakesSeconds) {
  script->Next(Operation::kReset, {.pace = Pace::kHangs});
  EXPECT_THAT(StartChanging()->Await(), IsOk());
  const CallRef next = Start(Sql("SELECT 2"));
  script->AwaitHanging(1);
  clock.Advance(seconds(3));
  EXPECT_THAT(next->Await(), IsOk());
  EXPECT_EQ(script->opened(), 2);
}

TEST_F(ChangedSession, CountsAsLostWhenItsServerGoesInTheReset) {
  script->Next(Operation::kReset, {.pace = Pace::kHangs});
  EXPECT_THAT(StartChanging()->Await(), IsOk());
  script->AwaitHanging(1);
  script->Kill(1);
  EXPECT_THAT(Start(Sql("SELECT 2"))->Await(), IsOk());
  EXPECT_EQ(pool->numbers().stale_total, 1);
}

TEST_F(ChangedSession, IsKeptAndNotTheConnectionThatHasOutgrownItsMemory) {
  script->Next(Operation::kExecute, {.aftermath = Aftermath::kOutgrown});
  EXPECT_THAT(Start(Sql("SELECT huge"))->Await(), IsOk());
  EXPECT_THAT(Start(Sql("SELECT 2"))->Await(), IsOk());
  script->AwaitClosed(1);
  EXPECT_THAT(script->log(), ElementsAre("1 open", "1 execute SELECT huge", "1 close", "2 open",
                                         "2 execute SELECT 2"));
}

}  // namespace
}  // namespace emsdb
