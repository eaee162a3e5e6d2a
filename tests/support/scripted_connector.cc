#include "tests/support/scripted_connector.h"

#include <gtest/gtest.h>

#include <atomic>
#include <utility>

#include "pool/errors.h"
#include "pool/statement_text.h"
#include "tests/support/collecting_sink.h"
#include "tests/support/scripted_stage.h"

namespace emsdb {
namespace {

absl::Status EndedEarly(Ending ending, const Bounds& bounds, Stage stage) {
  switch (ending) {
    case Ending::kDeadline:
      return DeadlineExceeded(stage);
    case Ending::kStopped:
      return Stopped(bounds.stop->raised(), stage);
    case Ending::kKilled:
      return ConnectionUnavailable("the scripted server has gone", stage);
    case Ending::kReleased:
      break;
  }
  return absl::OkStatus();
}

absl::Status GiveRows(const Step& step, RowSink& sink) {
  if (step.columns.empty()) return absl::OkStatus();
  if (absl::Status status = sink.OnColumns(step.columns); !status.ok()) return status;
  for (const Row& row : step.rows) {
    std::vector<Cell> cells;
    for (const Value& value : row) cells.push_back(ToCell(value));
    if (absl::Status status = sink.OnRow(cells); !status.ok()) return status;
  }
  return absl::OkStatus();
}

class ScriptedConnection final : public Connection {
 public:
  ScriptedConnection(std::shared_ptr<ScriptedStage> stage, int number)
      : stage_(std::move(stage)), number_(number) {}

  ~ScriptedConnection() override {
    const Use use(*this, "destroyed");
    stage_->Closed(number_);
  }

  absl::StatusOr<Completion> Execute(const Statement& statement, const RunOptions& /*options*/,
                                     const Bounds& bounds, RowSink& sink) override {
    const Use use(*this, "Execute");
    if (const std::string keyword = TransactionControl(statement.sql); !keyword.empty()) {
      return TransactionControlRefused(keyword);
    }
    if (absl::Status ready = Ready(bounds, Stage::kRunning); !ready.ok()) return ready;
    if (state_ == TransactionState::kFailed) return InFailedTransaction();
    stage_->Executed(number_, statement.sql);
    const bool may_write = !LooksLikeRead(statement.sql);
    const Step step = stage_->Take(Operation::kExecute);
    absl::Status status = Perform(step, bounds, Stage::kRunning, may_write);
    if (status.ok()) status = GiveRows(step, sink);
    if (status.ok()) return step.completion;
    if (state_ == TransactionState::kOpen) state_ = TransactionState::kFailed;
    return status;
  }

  absl::Status ExecuteBatch(std::span<const GuardedStatement> statements,
                            const TransactionOptions& /*transaction*/, const RunOptions& options,
                            const Bounds& bounds, BatchSink& sink) override {
    {
      const Use use(*this, "ExecuteBatch");
      RequireIdle("ExecuteBatch");
      if (absl::Status ready = Ready(bounds, Stage::kRunning); !ready.ok()) return ready;
      stage_->Log(number_, "batch");
      const Step step = stage_->Take(Operation::kExecuteBatch);
      absl::Status status = Perform(step, bounds, Stage::kRunning, true);
      if (!status.ok()) return status;
    }
    for (std::size_t i = 0; i < statements.size(); ++i) {
      const auto done = Execute(statements[i].statement, options, bounds, sink.Rows(i));
      if (!done.ok()) return AtStatement(done.status(), static_cast<int>(i));
      const auto expected = statements[i].expect_rows;
      if (expected && *expected != done->rows_affected) {
        return RowsMismatch(static_cast<int>(i), *expected, done->rows_affected);
      }
      sink.Completed(i, *done);
    }
    return absl::OkStatus();
  }

  // Takes all rows after what the script says.
  absl::StatusOr<std::int64_t> CopyIn(const CopyTarget& target, const RunOptions& /*options*/,
                                      const Bounds& bounds, RowSource& source) override {
    const Use use(*this, "CopyIn");
    RequireIdle("CopyIn");
    if (absl::Status ready = Ready(bounds, Stage::kRunning); !ready.ok()) return ready;
    stage_->Log(number_, "copy " + target.table);
    absl::Status status =
        Perform(stage_->Take(Operation::kExecuteBatch), bounds, Stage::kRunning, true);
    if (!status.ok()) return status;
    for (std::int64_t rows = 0;;) {
      std::span<const Cell> cells;
      const auto supply = source.Next(cells);
      if (!supply.ok()) return supply.status();
      if (*supply == RowSource::Supply::kEnd) return rows;
      if (*supply == RowSource::Supply::kRow) ++rows;
    }
  }

  absl::Status Begin(const TransactionOptions& /*transaction*/, const RunOptions& /*options*/,
                     const Bounds& bounds) override {
    const Use use(*this, "Begin");
    RequireIdle("Begin");
    if (absl::Status ready = Ready(bounds, Stage::kRunning); !ready.ok()) return ready;
    stage_->Log(number_, "begin");
    absl::Status status = Perform(stage_->Take(Operation::kBegin), bounds, Stage::kRunning, false);
    if (status.ok()) state_ = TransactionState::kOpen;
    return status;
  }

  absl::Status Commit(const Bounds& bounds, CommitWitness* /*witness*/) override {
    const Use use(*this, "Commit");
    if (absl::Status ready = Ready(bounds, Stage::kCommitting); !ready.ok()) return ready;
    stage_->Log(number_, "commit");
    const bool failed = std::exchange(state_, TransactionState::kIdle) == TransactionState::kFailed;
    if (failed) return CommitRolledBack();
    return Perform(stage_->Take(Operation::kCommit), bounds, Stage::kCommitting, true);
  }

  absl::Status Savepoint(const SavepointAction& action, const Bounds& bounds) override {
    const Use use(*this, "Savepoint");
    if (absl::Status ready = Ready(bounds, Stage::kRunning); !ready.ok()) return ready;
    const bool revives = action.verb == SavepointVerb::kRollBackTo;
    if (state_ == TransactionState::kFailed && !revives) return InFailedTransaction();
    stage_->Log(number_, std::string(SavepointVerbName(action.verb)) + " " + action.name);
    absl::Status status =
        Perform(stage_->Take(Operation::kSavepoint), bounds, Stage::kRunning, false);
    if (state_ != TransactionState::kIdle) {
      state_ = status.ok() ? TransactionState::kOpen : TransactionState::kFailed;
    }
    return status;
  }

  absl::Status RollBack(const Bounds& bounds) override {
    const Use use(*this, "RollBack");
    if (absl::Status ready = Ready(bounds, Stage::kRunning); !ready.ok()) return Break(ready);
    stage_->Log(number_, "rollback");
    absl::Status status =
        Perform(stage_->Take(Operation::kRollBack), bounds, Stage::kRunning, false);
    if (!status.ok()) return Break(status);
    state_ = TransactionState::kIdle;
    return status;
  }

  absl::Status Ping(const Bounds& bounds) override {
    const Use use(*this, "Ping");
    RequireIdle("Ping");
    stage_->Pinged(number_);
    if (absl::Status ready = Ready(bounds, Stage::kConnecting); !ready.ok()) return ready;
    return Perform(stage_->Take(Operation::kPing), bounds, Stage::kConnecting, false);
  }

  bool LooksAlive() override {
    const Use use(*this, "LooksAlive");
    return !broken_ && stage_->LooksAlive(number_);
  }

  TransactionState transaction_state() const override {
    return broken_ ? TransactionState::kUnknown : state_;
  }
  bool broken() const override { return broken_; }
  bool given_up() const override { return given_up_; }
  bool session_changed() const override { return session_changed_; }
  bool outgrown() const override { return outgrown_; }

  absl::Status ResetSession(const Bounds& bounds) override {
    const Use use(*this, "ResetSession");
    RequireIdle("ResetSession");
    if (absl::Status ready = Ready(bounds, Stage::kRunning); !ready.ok()) return ready;
    if (!session_changed_) return absl::OkStatus();
    stage_->Log(number_, "reset");
    absl::Status status = Perform(stage_->Take(Operation::kReset), bounds, Stage::kRunning, false);
    if (status.ok()) session_changed_ = false;
    return status;
  }

 private:
  // Notices a second thread that comes in while one is inside.
  class Use {
   public:
    Use(ScriptedConnection& connection, const char* operation) : connection_(connection) {
      if (connection_.users_.fetch_add(1) != 0) {
        connection_.stage_->Breach(connection_.number_, std::string(operation) + " while in use");
      }
    }
    ~Use() { connection_.users_.fetch_sub(1); }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    ScriptedConnection& connection_;
  };

  void RequireIdle(const std::string& operation) {
    if (state_ == TransactionState::kIdle || broken_) return;
    stage_->Breach(number_, operation + " inside a transaction");
  }

  absl::Status Break(absl::Status status) {
    broken_ = true;
    return status;
  }

  absl::Status InFailedTransaction() const {
    return WithDetail(absl::AbortedError("the transaction has failed: roll it back"),
                      {.reason = "SQL_ERROR", .sqlstate = "25P02", .stage = Stage::kRunning});
  }

  // What keeps a call from being sent at all.
  absl::Status Ready(const Bounds& bounds, Stage stage) {
    if (broken_) return ConnectionUnavailable("the connection is broken", stage);
    const Ending ending = stage_->Look(number_, bounds);
    if (ending == Ending::kKilled) broken_ = true;
    return EndedEarly(ending, bounds, stage);
  }

  absl::Status Perform(const Step& step, const Bounds& bounds, Stage stage, bool may_write) {
    if (step.pace == Pace::kHangs) {
      const Ending ending = stage_->Hang(number_, bounds);
      const bool in_doubt = stage == Stage::kCommitting && ending != Ending::kReleased;
      if (ending == Ending::kKilled || in_doubt) {
        broken_ = true;
        if (may_write) return OutcomeUnknown("the scripted server has gone", stage);
      }
      if (ending != Ending::kReleased) return EndedEarly(ending, bounds, stage);
    }
    if (step.aftermath == Aftermath::kBroken) broken_ = true;
    if (step.aftermath == Aftermath::kGivenUp) broken_ = given_up_ = true;
    if (step.aftermath == Aftermath::kSessionChanged) session_changed_ = true;
    if (step.aftermath == Aftermath::kOutgrown) outgrown_ = true;
    return step.status;
  }

  const std::shared_ptr<ScriptedStage> stage_;
  const int number_;
  std::atomic<int> users_{0};
  TransactionState state_ = TransactionState::kIdle;
  bool broken_ = false;
  bool given_up_ = false;
  bool session_changed_ = false;
  bool outgrown_ = false;
};

}  // namespace

ScriptedConnector::ScriptedConnector(Clock& clock)
    : stage_(std::make_shared<ScriptedStage>(clock)) {}

ScriptedConnector::~ScriptedConnector() {
  for (const std::string& breach : TakeBreaches()) ADD_FAILURE() << breach;
}

absl::StatusOr<std::unique_ptr<Connection>> ScriptedConnector::Open(const Bounds& bounds) {
  stage_->OpenBegun();
  const Step step = stage_->Take(Operation::kOpen);
  Ending ending = stage_->Look(0, bounds);
  if (ending == Ending::kReleased && step.pace == Pace::kHangs) ending = stage_->Hang(0, bounds);
  absl::Status status = EndedEarly(ending, bounds, Stage::kConnecting);
  if (status.ok()) status = step.status;
  if (!status.ok()) {
    stage_->OpenFailed();
    return status;
  }
  return std::make_unique<ScriptedConnection>(stage_, stage_->OpenDone());
}

void ScriptedConnector::Next(Operation operation, Step step) {
  stage_->Next(operation, std::move(step));
}
void ScriptedConnector::Always(Operation operation, Step step) {
  stage_->Always(operation, std::move(step));
}
void ScriptedConnector::AwaitHanging(int count) { stage_->AwaitHanging(count); }
void ScriptedConnector::Release() { stage_->Release(); }
void ScriptedConnector::ReleaseAll() { stage_->ReleaseAll(); }
void ScriptedConnector::Kill(int connection, Death death) { stage_->Kill(connection, death); }
void ScriptedConnector::KillAll(Death death) { stage_->KillAll(death); }
void ScriptedConnector::AwaitClosed(int count) { stage_->AwaitClosed(count); }

int ScriptedConnector::opened() const { return stage_->counters().opened; }
int ScriptedConnector::attempts() const { return stage_->counters().attempts; }
int ScriptedConnector::closed() const { return stage_->counters().closed; }
int ScriptedConnector::open_now() const { return stage_->counters().open_now(); }
int ScriptedConnector::most_open() const { return stage_->counters().most_open; }
int ScriptedConnector::hanging() const { return stage_->hanging(); }
int ScriptedConnector::pings() const { return stage_->counters().pings; }
std::vector<std::string> ScriptedConnector::executed() const { return stage_->executed(); }
std::vector<std::string> ScriptedConnector::log() const { return stage_->log(); }
std::vector<std::string> ScriptedConnector::TakeBreaches() { return stage_->TakeBreaches(); }

}  // namespace emsdb
