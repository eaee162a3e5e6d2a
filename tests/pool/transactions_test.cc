#include "pool/transactions.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <string>

#include "tests/pool/recorded_call.h"
#include "tests/pool/state_play.h"
#include "tests/support/status_matchers.h"

namespace emsdb {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class TransactionsTest : public ::testing::Test {
 protected:
  // One connection, so that the next call proves that it came back.
  TransactionsTest() { Open(); }

  void Open() { transactions = std::make_unique<Transactions>(clock, upkeep); }

  Body BeginBody(std::string* id) {
    return [this, id](Connection& connection, const Bounds& bounds, Lease& lease) {
      if (absl::Status begun = connection.Begin({}, {}, bounds); !begun.ok()) return begun;
      *id = transactions->Add(std::move(lease), {.caller = "cad", .database = "main"});
      return absl::OkStatus();
    };
  }
  std::string Begin() {
    std::string id;
    const CallRef call = test.Make(BeginBody(&id));
    call->Start(*test.pool, Purpose::kLease);
    EXPECT_THAT(call->Await(), IsOk());
    return id;
  }
  CallRef Run(const std::string& id, TransactionStep step, const Body& body,
              const std::string& caller = "cad") {
    CallRef call = test.Make(body);
    transactions->Run(id, caller, step, call);
    return call;
  }
  CallRef Statement(const std::string& id, const std::string& caller = "cad") {
    return Run(id, TransactionStep::kStatement, Sql("UPDATE units SET free = false"), caller);
  }
  CallRef Commit(const std::string& id) { return Run(id, TransactionStep::kCommit, kCommit); }
  CallRef RollBack(const std::string& id) { return Run(id, TransactionStep::kRollBack, kRollBack); }
  CallRef HangingStatement(const std::string& id) {
    test.connector->Next(Operation::kExecute, {.pace = Pace::kHangs});
    CallRef call = Statement(id);
    test.connector->AwaitHanging(1);
    return call;
  }
  // Blocks until the only connection is free.
  void AwaitFree() { EXPECT_THAT(test.Start()->Await(), IsOk()); }
  int Count(const std::string& entry) {
    const auto log = test.connector->log();
    return static_cast<int>(std::count(log.begin(), log.end(), entry));
  }

  FakeClock clock;
  UpkeepThread upkeep{clock};
  PoolUnderTest test{Limits(1, 0), clock, upkeep};
  std::unique_ptr<Transactions> transactions;
};

using ATransaction = TransactionsTest;

TEST_F(ATransaction, KeepsItsConnectionFromBeginToCommit) {
  const std::string id = Begin();
  const CallRef other = test.Start(Sql("SELECT 'other'"));
  EXPECT_THAT(Statement(id)->Await(), IsOk());
  EXPECT_EQ(transactions->OpenIn("main"), 1);
  EXPECT_EQ(transactions->OpenIn("fire"), 0);
  EXPECT_THAT(Commit(id)->Await(), IsOk());
  EXPECT_THAT(other->Await(), IsOk());
  EXPECT_EQ(transactions->OpenIn("main"), 0);
  EXPECT_THAT(test.connector->executed(),
              ::testing::ElementsAre("UPDATE units SET free = false", "SELECT 'other'"));
  EXPECT_EQ(Count("1 rollback"), 0);
}

TEST_F(ATransaction, IsUsedByOneCallAtATime) {  // T18
  const std::string id = Begin();
  const CallRef running = HangingStatement(id);
  const CallRef second = Statement(id);
  EXPECT_THAT(second->Await(), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(second->Await(), HasReason("TX_BUSY"));
  test.connector->Release();
  EXPECT_THAT(running->Await(), IsOk());
  EXPECT_THAT(Statement(id)->Await(), IsOk());
  EXPECT_THAT(RollBack(id)->Await(), IsOk());
}

TEST_F(ATransaction, IsUnknownToEveryOtherCaller) {  // T19
  const std::string id = Begin();
  EXPECT_THAT(Statement(id, "billing")->Await(), HasReason("TX_UNKNOWN"));
  EXPECT_EQ(transactions->DatabaseOf(id, "billing"), std::nullopt);
  EXPECT_EQ(transactions->DatabaseOf(id, "cad"), "main");
  EXPECT_THAT(Commit(id)->Await(), IsOk());
  EXPECT_EQ(transactions->DatabaseOf(id, "cad"), std::nullopt);
}

TEST_F(ATransaction, OfAnotherProcessIsNamedAsSuch) {  // T19
  Transactions elsewhere(clock, upkeep);
  const std::string id = Begin();
  const CallRef call = test.Make();
  elsewhere.Run(id, "cad", TransactionStep::kCommit, call);
  EXPECT_THAT(call->Await(), StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(call->Await(), HasReason("TX_ELSEWHERE"));
  EXPECT_THAT(Commit(id)->Await(), IsOk());
}

TEST_F(ATransaction, HasAnIdThatNobodyCanGuessOrMisspell) {  // T19
  const std::string one = Begin();
  EXPECT_THAT(Commit(one)->Await(), IsOk());
  const std::string two = Begin();
  EXPECT_THAT(Commit(two)->Await(), IsOk());
  EXPECT_EQ(one.size(), 16 + 1 + 32);
  EXPECT_EQ(one.substr(0, 17), two.substr(0, 17));
  EXPECT_NE(one.substr(17), two.substr(17));
  for (const std::string& bad : {std::string(), one + "0", std::string(49, 'x'), one.substr(1)}) {
    EXPECT_THAT(Statement(bad)->Await(), StatusIs(absl::StatusCode::kInvalidArgument)) << bad;
  }
  std::string other = two;
  other.back() = other.back() == '0' ? '1' : '0';
  EXPECT_THAT(Statement(other)->Await(), HasReason("TX_UNKNOWN"));
}

TEST_F(ATransaction, MayBeCommittedTwiceAndIsCommittedOnce) {
  const std::string id = Begin();
  EXPECT_THAT(Commit(id)->Await(), IsOk());
  const CallRef again = Commit(id);
  EXPECT_THAT(again->Await(), IsOk());
  EXPECT_EQ(again->times().waiting, Duration::zero());
  EXPECT_EQ(Count("1 commit"), 1);
  EXPECT_THAT(RollBack(id)->Await(), HasReason("TX_COMMITTED"));
  EXPECT_THAT(Statement(id)->Await(), StatusIs(absl::StatusCode::kAborted));
}

TEST_F(ATransaction, MayBeRolledBackTwiceButNotCommittedAfterwards) {
  const std::string id = Begin();
  EXPECT_THAT(RollBack(id)->Await(), IsOk());
  EXPECT_THAT(RollBack(id)->Await(), IsOk());
  EXPECT_EQ(Count("1 rollback"), 1);
  EXPECT_THAT(Commit(id)->Await(), HasReason("TX_ROLLED_BACK"));
}

TEST_F(ATransaction, ThatIsForgottenIsRolledBackAndNeverLooksCommitted) {  // T11 T23
  const std::string id = Begin();
  clock.Advance(seconds(15));
  AwaitFree();
  EXPECT_EQ(Count("1 rollback"), 1);
  clock.Advance(seconds(4));
  for (const CallRef& late : {Commit(id), Statement(id)}) {
    EXPECT_THAT(late->Await(), StatusIs(absl::StatusCode::kAborted));
    EXPECT_THAT(late->Await(), HasReason("TX_EXPIRED"));
    EXPECT_THAT(late->Await(), HasMessage(AllOf(HasSubstr("4.0 s ago"), HasSubstr("15.0 s old"))));
  }
  EXPECT_THAT(RollBack(id)->Await(), IsOk());
  EXPECT_EQ(Count("1 commit"), 0);
}

TEST_F(ATransaction, IsKeptWhileItIsUsedOftenEnough) {
  const std::string id = Begin();
  for (int i = 0; i < 5; ++i) {
    clock.Advance(seconds(14));
    EXPECT_THAT(Statement(id)->Await(), IsOk());
  }
  EXPECT_THAT(Commit(id)->Await(), IsOk());
}

TEST_F(ATransaction, EndsAfterItsTotalTimeAlsoWhileACallUsesIt) {  // T11 T23
  const std::string id = Begin();
  const CallRef running = HangingStatement(id);
  clock.Advance(seconds(120));
  EXPECT_THAT(running->Await(), StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(running->Await(), HasReason("TX_EXPIRED"));
  AwaitFree();
  EXPECT_EQ(Count("1 rollback"), 1);
  EXPECT_THAT(Commit(id)->Await(), HasReason("TX_EXPIRED"));
  EXPECT_THAT(Commit(id)->Await(), HasMessage(HasSubstr("its total time is 120.0 s")));
}

// The stop costs the connection, but it is not why the transaction ended.
TEST_F(ATransaction, KeepsTheReasonOfItsEndWhenTheStopBreaksTheConnection) {  // T23
  const std::string id = Begin();
  test.connector->Next(Operation::kRollBack, {.pace = Pace::kHangs});
  const CallRef running = RollBack(id);
  test.connector->AwaitHanging(1);
  clock.Advance(seconds(120));
  running->AwaitEnd();
  EXPECT_THAT(Commit(id)->Await(), HasReason("TX_EXPIRED"));
}

TEST_F(ATransaction, IsDeadForEverOnceItsConnectionIsLost) {  // T12
  const std::string id = Begin();
  test.connector->Kill(1);
  EXPECT_THAT(Statement(id)->Await(), Not(IsOk()));
  EXPECT_THAT(Statement(id)->Await(), HasReason("TX_CONNECTION_LOST"));
  EXPECT_THAT(Commit(id)->Await(), StatusIs(absl::StatusCode::kAborted));
  AwaitFree();
  EXPECT_EQ(Count("2 commit"), 0);
}

TEST_F(ATransaction, StaysInDoubtWhenItsCommitGotNoAnswer) {  // T14
  const std::string id = Begin();
  test.connector->Next(Operation::kCommit, {.pace = Pace::kHangs});
  const CallRef commit = Commit(id);
  test.connector->AwaitHanging(1);
  test.connector->Kill(1);
  EXPECT_THAT(commit->Await(), StatusIs(absl::StatusCode::kUnknown));
  EXPECT_THAT(Commit(id)->Await(), StatusIs(absl::StatusCode::kUnknown));
  EXPECT_THAT(RollBack(id)->Await(), StatusIs(absl::StatusCode::kUnknown));
}

TEST_F(ATransaction, RemembersTheTokenOfACommitInDoubt) {  // T14
  const std::string id = Begin();
  const Body lost = [](Connection& connection, const Bounds& bounds, Lease&) {
    return WithCommitToken(connection.Commit(bounds), "c1.token");
  };
  test.connector->Next(Operation::kCommit, {.pace = Pace::kHangs});
  const CallRef commit = Run(id, TransactionStep::kCommit, lost);
  test.connector->AwaitHanging(1);
  test.connector->Kill(1);
  EXPECT_EQ(DetailOf(commit->Await()).commit_token, "c1.token");
  EXPECT_EQ(DetailOf(Commit(id)->Await()).commit_token, "c1.token");
}

TEST_F(ATransaction, IsRolledBackWhenACommitWasCancelledBeforeItRan) {  // T2
  const std::string id = Begin();
  const CallRef commit = test.Make(kCommit);
  commit->Cancel(StopReason::kCallerLeft);
  transactions->Run(id, "cad", TransactionStep::kCommit, commit);
  EXPECT_THAT(commit->Await(), StatusIs(absl::StatusCode::kCancelled));
  AwaitFree();
  EXPECT_EQ(Count("1 commit"), 0);
  EXPECT_EQ(Count("1 rollback"), 1);
  EXPECT_THAT(Commit(id)->Await(), HasReason("TX_ROLLED_BACK"));
}

TEST_F(ATransaction, ThatIsAbandonedIsRolledBack) {  // T11
  const std::string id = Begin();
  transactions->Abandon(id);
  AwaitFree();
  EXPECT_EQ(Count("1 rollback"), 1);
  transactions->Abandon(id);
  transactions->Abandon("nobody's");
}

TEST_F(ATransaction, ThatIsAbandonedWhileInUseIsRolledBackAfterwards) {  // T11
  const std::string id = Begin();
  const CallRef running = HangingStatement(id);
  transactions->Abandon(id);
  test.connector->Release();
  EXPECT_THAT(running->Await(), IsOk());
  AwaitFree();
  EXPECT_EQ(Count("1 rollback"), 1);
  EXPECT_THAT(Commit(id)->Await(), HasReason("TX_ROLLED_BACK"));
}

TEST_F(ATransaction, GivesItsConnectionBackBeforeItsCommitIsAnswered) {
  PoolLimits limits = Limits(1, 0);
  limits.timeout = Duration::zero();  // whoever would have to wait is refused
  PoolUnderTest impatient(limits, clock, upkeep);
  std::string id, next_id;
  const CallRef begin = impatient.Make(BeginBody(&id));
  begin->Start(*impatient.pool, Purpose::kLease);
  EXPECT_THAT(begin->Await(), IsOk());
  const CallRef next = impatient.Make(BeginBody(&next_id));
  const CallRef commit = impatient.Make(kCommit);
  commit->OnAnswer([&] { next->Start(*impatient.pool, Purpose::kLease); });
  transactions->Run({.id = id, .caller = "cad", .step = TransactionStep::kCommit}, commit);
  EXPECT_THAT(next->Await(), IsOk());
  EXPECT_THAT(commit->Await(), IsOk());
  EXPECT_THAT(Commit(next_id)->Await(), IsOk());
}

TEST_F(ATransaction, IsRolledBackByADrainAndNoneBeginsAfterIt) {  // T39
  const std::string id = Begin();
  transactions->Drain();
  AwaitFree();
  EXPECT_EQ(Count("1 rollback"), 1);
  EXPECT_THAT(Commit(id)->Await(), HasReason("TX_SHUTDOWN"));
  const std::string late = Begin();
  AwaitFree();
  EXPECT_THAT(Statement(late)->Await(), HasReason("TX_SHUTDOWN"));
}

TEST_F(ATransaction, FinishesItsCallBeforeADrainEndsIt) {  // T39
  const std::string id = Begin();
  const CallRef running = HangingStatement(id);
  transactions->Drain();
  test.connector->Release();
  EXPECT_THAT(running->Await(), IsOk());
  AwaitFree();
  EXPECT_THAT(Commit(id)->Await(), HasReason("TX_SHUTDOWN"));
}

TEST_F(ATransaction, IsStoppedAndAwaitedAtTheEnd) {  // T39
  const std::string id = Begin();
  const CallRef running = HangingStatement(id);
  transactions.reset();
  EXPECT_THAT(running->Await(), HasReason("SHUTDOWN"));
  AwaitFree();
  EXPECT_EQ(Count("1 rollback"), 1);
  Open();
}

TEST_F(ATransaction, IsForgottenLongAfterItsEnd) {
  const std::string id = Begin();
  EXPECT_THAT(Commit(id)->Await(), IsOk());
  clock.Advance(std::chrono::minutes(10));
  const std::string other = Begin();  // with a deadline: the next round has come by its end
  clock.Advance(seconds(15));
  AwaitFree();
  EXPECT_THAT(Statement(id)->Await(), HasReason("TX_UNKNOWN"));
  EXPECT_THAT(Commit(other)->Await(), HasReason("TX_EXPIRED"));
}

}  // namespace
}  // namespace emsdb
