// Numbered calls of a transaction, its end by itself, and its end with a statement.
#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "pool/errors.h"
#include "pool/transactions.h"
#include "tests/pool/recorded_call.h"
#include "tests/pool/state_play.h"
#include "tests/support/status_matchers.h"

namespace emsdb {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// What a call answers beside its status, of any size.
class TextAnswer final : public Repeatable {
 public:
  explicit TextAnswer(std::string text) : text_(std::move(text)) {}
  std::optional<std::string> AnswerWithin(std::size_t most) const override {
    if (text_.size() > most) return std::nullopt;
    return text_;
  }
  void Repeat(const std::string& answer) override { repeated_ = answer; }
  const std::optional<std::string>& repeated() const { return repeated_; }

 private:
  const std::string text_;
  std::optional<std::string> repeated_;
};

class NumberedCalls : public ::testing::Test {
 protected:
  struct Numbered {
    CallRef call;
    std::shared_ptr<TextAnswer> answer;
    absl::Status Await() const { return call->Await(); }
    const std::optional<std::string>& repeated() const { return answer->repeated(); }
  };

  std::string Begin(TransactionTerms terms = {.caller = "cad", .database = "main"}) {
    std::string id;
    const CallRef call = test.Make([&](Connection& connection, const Bounds& bounds, Lease& lease) {
      if (absl::Status begun = connection.Begin({}, {}, bounds); !begun.ok()) return begun;
      id = transactions->Add(std::move(lease), std::move(terms));
      return absl::OkStatus();
    });
    call->Start(*test.pool, Purpose::kLease);
    EXPECT_THAT(call->Await(), IsOk());
    return id;
  }
  Numbered Run(const std::string& id, std::uint64_t number, TransactionStep step, const Body& body,
               const std::string& text = "first", std::uint64_t request = 7) {
    Numbered numbered{test.Make(body), std::make_shared<TextAnswer>(text)};
    answers.push_back(numbered.answer);
    transactions->Run({.id = id,
                       .caller = "cad",
                       .step = step,
                       .sequence = number,
                       .request = request,
                       .repeatable = numbered.answer.get()},
                      numbered.call);
    return numbered;
  }
  Numbered Statement(const std::string& id, std::uint64_t number, const std::string& text = "first",
                     std::uint64_t request = 7) {
    return Run(id, number, TransactionStep::kStatement, Sql("UPDATE units SET free = false"), text,
               request);
  }
  Numbered Commit(const std::string& id, std::uint64_t number) {
    return Run(id, number, TransactionStep::kCommit, kCommit);
  }
  void AwaitFree() { EXPECT_THAT(test.Start()->Await(), IsOk()); }
  int Count(const std::string& entry) {
    const auto log = test.connector->log();
    return static_cast<int>(std::count(log.begin(), log.end(), entry));
  }

  FakeClock clock;
  UpkeepThread upkeep{clock};
  PoolUnderTest test{Limits(1, 0), clock, upkeep};
  std::unique_ptr<Transactions> transactions = std::make_unique<Transactions>(clock, upkeep);
  std::vector<std::shared_ptr<TextAnswer>> answers;
};

TEST_F(NumberedCalls, GiveTheirFirstAnswerAgainAndRunOnce) {  // T18
  const std::string id = Begin();
  EXPECT_THAT(Statement(id, 1, "one").Await(), IsOk());
  for (int round = 0; round < 2; ++round) {
    const Numbered again = Statement(id, 1, "other");
    EXPECT_THAT(again.Await(), IsOk());
    EXPECT_EQ(again.repeated(), "one");
  }
  const Numbered next = Statement(id, 2, "two");
  EXPECT_THAT(next.Await(), IsOk());
  EXPECT_EQ(next.repeated(), std::nullopt);
  EXPECT_EQ(test.connector->executed().size(), 2U);
  EXPECT_THAT(Commit(id, 3).Await(), IsOk());
}

TEST_F(NumberedCalls, RepeatAnErrorAsItWas) {
  const std::string id = Begin();
  test.connector->Next(Operation::kExecute,
                       {.status = WithDetail(absl::AlreadyExistsError("twice"),
                                             {.reason = "SQL_ERROR", .sqlstate = "23505"})});
  EXPECT_THAT(Statement(id, 1).Await(), HasReason("SQL_ERROR"));
  const Numbered again = Statement(id, 1);
  EXPECT_THAT(again.Await(), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(again.Await(), HasReason("SQL_ERROR"));
  EXPECT_EQ(again.repeated(), std::nullopt);
  EXPECT_EQ(test.connector->executed().size(), 1U);
}

TEST_F(NumberedCalls, AreRefusedUnlessTheyAreNext) {  // T18
  const std::string id = Begin();
  EXPECT_THAT(Statement(id, 1).Await(), IsOk());
  EXPECT_THAT(Statement(id, 2).Await(), IsOk());
  for (const std::uint64_t wrong : {std::uint64_t{1}, std::uint64_t{4}, ~std::uint64_t{0}}) {
    const Numbered refused = Statement(id, wrong);
    EXPECT_THAT(refused.Await(), StatusIs(absl::StatusCode::kFailedPrecondition));
    EXPECT_THAT(refused.Await(), HasReason("TX_SEQUENCE"));
    EXPECT_THAT(refused.Await(), HasMessage(AllOf(HasSubstr("expected number 3"),
                                                  HasSubstr("given " + std::to_string(wrong)))));
  }
  EXPECT_THAT(Commit(id, 9).Await(), HasReason("TX_SEQUENCE"));
  EXPECT_EQ(test.connector->executed().size(), 2U);
  EXPECT_THAT(Commit(id, 3).Await(), IsOk());
}

TEST_F(NumberedCalls, AreNotTakenForAnotherRequestOfTheSameNumber) {
  const std::string id = Begin();
  EXPECT_THAT(Statement(id, 1, "one", 7).Await(), IsOk());
  const Numbered other = Statement(id, 1, "one", 8);
  EXPECT_THAT(other.Await(), HasReason("TX_SEQUENCE"));
  EXPECT_THAT(other.Await(), HasMessage(HasSubstr("another request")));
  EXPECT_EQ(test.connector->executed().size(), 1U);
}

TEST_F(NumberedCalls, MayBeMixedWithOthersThatHaveNone) {
  const std::string id = Begin();
  EXPECT_THAT(Statement(id, 1, "one").Await(), IsOk());
  EXPECT_THAT(Statement(id, 0).Await(), IsOk());
  EXPECT_EQ(Statement(id, 1).repeated(), "one");
  EXPECT_THAT(Statement(id, 2).Await(), IsOk());
  EXPECT_EQ(test.connector->executed().size(), 3U);
}

TEST_F(NumberedCalls, AreBusyWhileTheFirstStillRuns) {  // T18
  const std::string id = Begin();
  test.connector->Next(Operation::kExecute, {.pace = Pace::kHangs});
  const Numbered first = Statement(id, 1, "one");
  test.connector->AwaitHanging(1);
  EXPECT_THAT(Statement(id, 1).Await(), HasReason("TX_BUSY"));
  test.connector->Release();
  EXPECT_THAT(first.Await(), IsOk());
  EXPECT_EQ(Statement(id, 1).repeated(), "one");
}

TEST_F(NumberedCalls, SayWhenTheirAnswerWasTooLargeToKeepAndAreStillRunOnce) {
  const std::string id = Begin();
  EXPECT_THAT(Statement(id, 1, std::string(100 << 10, 'x')).Await(), IsOk());
  const Numbered again = Statement(id, 1);
  EXPECT_THAT(again.Await(), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(again.Await(), HasReason("TX_SEQUENCE"));
  EXPECT_THAT(again.Await(), HasMessage(HasSubstr("more than 64 KiB")));
  EXPECT_EQ(test.connector->executed().size(), 1U);
  EXPECT_THAT(Statement(id, 2).Await(), IsOk());
}

TEST_F(NumberedCalls, KeepTheirNumberWhenTheyWereStoppedBeforeTheyRan) {
  const std::string id = Begin();
  EXPECT_THAT(Statement(id, 1, "one").Await(), IsOk());
  const CallRef left = test.Make();
  const auto answer = std::make_shared<TextAnswer>("");
  left->Cancel(StopReason::kCallerLeft);
  transactions->Run(
      {.id = id, .caller = "cad", .sequence = 2, .request = 7, .repeatable = answer.get()}, left);
  EXPECT_THAT(left->Await(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(Statement(id, 1).repeated(), "one");
  EXPECT_THAT(Statement(id, 2).Await(), IsOk());
  EXPECT_EQ(test.connector->executed().size(), 2U);
}

TEST_F(NumberedCalls, RepeatACommitAlsoWhenTheTransactionIsOver) {
  const std::string id = Begin();
  EXPECT_THAT(Statement(id, 1).Await(), IsOk());
  EXPECT_THAT(Commit(id, 2).Await(), IsOk());
  EXPECT_THAT(Commit(id, 2).Await(), IsOk());
  EXPECT_EQ(Commit(id, 2).repeated(), "first");
  EXPECT_EQ(Count("1 commit"), 1);
  EXPECT_THAT(Statement(id, 3).Await(), HasReason("TX_COMMITTED"));
}

TEST_F(NumberedCalls, RepeatACommitThatFailedWithItsFirstError) {
  const std::string id = Begin();
  const absl::Status conflict =
      WithDetail(absl::AbortedError("conflict"), {.reason = "SQL_ERROR", .sqlstate = "40001"});
  test.connector->Next(Operation::kCommit, {.status = conflict});
  EXPECT_THAT(Commit(id, 1).Await(), HasReason("SQL_ERROR"));
  EXPECT_THAT(Commit(id, 1).Await(), HasReason("SQL_ERROR"));
  EXPECT_THAT(Commit(id, 2).Await(), HasReason("TX_ROLLED_BACK"));
}

TEST_F(NumberedCalls, AreNobodysBusinessButTheirCallers) {  // T19
  const std::string id = Begin();
  EXPECT_THAT(Statement(id, 1, "secret").Await(), IsOk());
  const CallRef other = test.Make();
  TextAnswer answer("");
  transactions->Run(
      {.id = id, .caller = "billing", .sequence = 1, .request = 7, .repeatable = &answer}, other);
  EXPECT_THAT(other->Await(), HasReason("TX_UNKNOWN"));
  EXPECT_EQ(answer.repeated(), std::nullopt);
}

// A statement that commits.

const Body kRunAndCommit = [](Connection& connection, const Bounds& bounds, Lease& lease) {
  absl::Status ran = Sql("UPDATE units SET free = true")(connection, bounds, lease);
  if (!ran.ok()) {
    EXPECT_THAT(connection.RollBack(bounds), IsOk());
    return ran;
  }
  return connection.Commit(bounds);
};

TEST_F(NumberedCalls, EndATransactionWithItsLastStatement) {
  const std::string id = Begin();
  const auto last = [&] {
    return Run(id, 1, TransactionStep::kStatementAndCommit, kRunAndCommit, "rows");
  };
  EXPECT_THAT(last().Await(), IsOk());
  AwaitFree();
  EXPECT_EQ(Count("1 rollback"), 0);
  EXPECT_EQ(last().repeated(), "rows");
  EXPECT_EQ(Count("1 commit"), 1);
  EXPECT_THAT(Statement(id, 0).Await(), HasReason("TX_COMMITTED"));
}

TEST_F(NumberedCalls, RollBackWhenTheLastStatementFails) {
  const std::string id = Begin();
  test.connector->Next(Operation::kExecute, {.status = absl::InvalidArgumentError("no such unit")});
  EXPECT_THAT(Run(id, 0, TransactionStep::kStatementAndCommit, kRunAndCommit).Await(),
              StatusIs(absl::StatusCode::kInvalidArgument));
  AwaitFree();
  EXPECT_EQ(Count("1 commit"), 0);
  EXPECT_EQ(Count("1 rollback"), 1);
  EXPECT_THAT(Commit(id, 0).Await(), HasReason("TX_ROLLED_BACK"));
}

TEST_F(NumberedCalls, SayTheyAreCommittedWhenTheLastAnswerWasTooLargeToKeep) {
  const std::string id = Begin();
  const std::string large(100 << 10, 'x');
  const auto last = [&] {
    return Run(id, 1, TransactionStep::kStatementAndCommit, kRunAndCommit, large);
  };
  EXPECT_THAT(last().Await(), IsOk());
  EXPECT_THAT(last().Await(), HasReason("TX_SEQUENCE"));
  EXPECT_THAT(last().Await(), HasMessage(HasSubstr("the transaction is committed")));
}

// Who wants to know that it has ended.

class Ends : public NumberedCalls {
 protected:
  std::string BeginTold() {
    return Begin({.caller = "cad", .database = "main", .on_end = [this](const absl::Status& why) {
                    MutexLock lock(mutex);
                    told.push_back(DetailOf(why).reason);
                    changed.NotifyAll();
                  }});
  }
  void AwaitTold() {
    MutexLock lock(mutex);
    while (told.empty()) changed.Wait(mutex);
  }
  std::vector<std::string> Told() {
    MutexLock lock(mutex);
    return told;
  }
  Mutex mutex;
  CondVar changed;
  std::vector<std::string> told ABSL_GUARDED_BY(mutex);
};

TEST_F(Ends, AreToldWhenNobodyAskedForThem) {  // T11, T23
  BeginTold();
  clock.Advance(seconds(15));
  AwaitTold();
  AwaitFree();
  EXPECT_THAT(Told(), ElementsAre("TX_EXPIRED"));
  EXPECT_EQ(Count("1 rollback"), 1);
}

TEST_F(Ends, AreToldBeforeTheCallIsAnsweredDuringWhichTheyCame) {  // T12
  const std::string id = BeginTold();
  test.connector->Kill(1);
  const Numbered lost = Statement(id, 0);
  lost.call->AwaitEnd();
  EXPECT_THAT(Told(), ElementsAre("TX_CONNECTION_LOST"));
}

TEST_F(Ends, AreToldByADrain) {  // T39
  BeginTold();
  transactions->Drain();
  EXPECT_THAT(Told(), ElementsAre("TX_SHUTDOWN"));
  BeginTold();
  EXPECT_THAT(Told(), ElementsAre("TX_SHUTDOWN", "TX_SHUTDOWN"));
}

TEST_F(Ends, AreNotToldToThoseWhoBroughtThemAbout) {
  EXPECT_THAT(Commit(BeginTold(), 0).Await(), IsOk());
  transactions->Abandon(BeginTold());
  AwaitFree();
  const std::string id = BeginTold();
  test.connector->Next(Operation::kExecute, {.pace = Pace::kHangs});
  const Numbered running = Statement(id, 0);
  test.connector->AwaitHanging(1);
  transactions->Abandon(id);
  test.connector->Release();
  EXPECT_THAT(running.Await(), IsOk());
  AwaitFree();
  EXPECT_THAT(Told(), IsEmpty());
  EXPECT_EQ(Count("1 rollback"), 2);
}

TEST_F(NumberedCalls, AreWhatAWaiterIsToldOfWhereNothingElseHoldsThePool) {
  const std::string id = Begin({.caller = "cad", .database = "main", .idle_timeout = seconds(100)});
  const CallRef late = test.Start();
  clock.Advance(seconds(30));
  EXPECT_THAT(late->Await(),
              HasMessage(HasSubstr("; all of them are kept by leased transactions")));
  EXPECT_THAT(Commit(id, 0).Await(), IsOk());
  const CallRef running = test.StartHanging();
  const CallRef other = test.Start();
  clock.Advance(seconds(30));
  EXPECT_THAT(other->Await(), HasMessage(Not(HasSubstr("leased"))));
  test.connector->Release();
  EXPECT_THAT(running->Await(), IsOk());
}

TEST_F(NumberedCalls, KnowTheAgeOfTheOldestTransaction) {  // T24
  EXPECT_EQ(transactions->OldestIn("main"), Duration::zero());
  const std::string id = Begin();
  clock.Advance(seconds(10));
  EXPECT_THAT(Statement(id, 0).Await(), IsOk());
  clock.Advance(seconds(4));
  EXPECT_EQ(transactions->OldestIn("main"), seconds(14));
  EXPECT_EQ(transactions->OldestIn("fire"), Duration::zero());
  EXPECT_THAT(Commit(id, 0).Await(), IsOk());
  EXPECT_EQ(transactions->OldestIn("main"), Duration::zero());
}

}  // namespace
}  // namespace emsdb
