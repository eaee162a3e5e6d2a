// The commit: named before it leaves, sent, heard or lost, and asked about afterwards.
#include <algorithm>
#include <chrono>
#include <string>

#include "pool/errors.h"
#include "pool/postgres/commit_fate.h"
#include "pool/postgres/connection.h"
#include "pool/postgres/server_error.h"
#include "pool/postgres/server_identity.h"

namespace emsdb {
namespace {

// pg_xact_status() refuses a number from the future with it.
constexpr char kInvalidParameter[] = "22023";

// The first cell as text; empty for NULL.
class TextSink final : public RowSink {
 public:
  absl::Status OnColumns(std::span<const Column>) override { return absl::OkStatus(); }
  absl::Status OnRow(std::span<const Cell> cells) override {
    if (const auto* text = std::get_if<std::string_view>(&cells[0])) text_ = *text;
    return absl::OkStatus();
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace

PostgresConnection::AskId PostgresConnection::AskIdFor(const CommitWitness* witness,
                                                       Access access) const {
  const bool wanted = witness != nullptr && access == Access::kReadWrite && server_.known();
  return wanted ? AskId::kYes : AskId::kNo;
}

absl::Status PostgresConnection::TellWitness(CommitWitness* witness, std::uint64_t transaction,
                                             const Bounds& bounds) {
  if (witness == nullptr || transaction == 0) return absl::OkStatus();
  absl::Status told = witness->WillCommit({transaction, server_}, bounds);
  // It may have taken a while.
  return told.ok() ? CheckTime(bounds, Stage::kCommitting) : told;
}

absl::StatusOr<std::uint64_t> PostgresConnection::AskTransactionId(const Bounds& bounds) {
  if (!QueueText(kTransactionIdQuestion) || !QueueSync()) return SendFailed(Stage::kCommitting);
  std::uint64_t id = 0;
  TransactionIdSink sink(id);
  RowForwarder rows(sink, decoder_, shared_->types);
  Exchange exchange = Start(bounds);
  const StepEnd end = ReadStep(exchange, &rows, Stage::kCommitting);
  ReadSync(exchange, Stage::kCommitting);
  exchange.Finish();
  Settle(exchange);
  if (!exchange.answered()) return NoAnswer(exchange, Stage::kCommitting, Doubt::kTransaction);
  if (end.done()) return id;
  return Explain(end.status, exchange, Stage::kCommitting);
}

absl::Status PostgresConnection::Commit(const Bounds& bounds, CommitWitness* witness) {
  if (state_ == TransactionState::kFailed) {
    CleanUp();
    return CommitRolledBack();
  }
  if (state_ == TransactionState::kIdle) return NoTransaction();
  if (absl::Status ready = CheckReady(bounds, Stage::kCommitting); !ready.ok()) return ready;
  if (AskIdFor(witness, transaction_access_) == AskId::kYes) {
    const auto transaction = AskTransactionId(bounds);
    absl::Status told = transaction.status();
    if (told.ok()) told = TellWitness(witness, *transaction, bounds);
    if (!told.ok()) {
      CleanUp();
      return told;
    }
  }
  return RunCommit(bounds);
}

absl::Status PostgresConnection::RunCommit(const Bounds& bounds) {
  if (!LooksAlive() || !QueueText("COMMIT")) return SendFailed(Stage::kCommitting);
  if (!QueueSync()) {
    loss_ = Loss::kInCommit;  // the server does not wait for the Sync
    Close();
    return SendFailed(Stage::kCommitting);
  }
  Exchange exchange = Start(bounds);
  const StepEnd end = ReadStep(exchange, nullptr, Stage::kCommitting);
  ReadSync(exchange, Stage::kCommitting);
  exchange.Finish();
  Settle(exchange);
  // What the server said wins, also if the link was lost right after it. Only an end of the session
  // in place of the answer says nothing: it may come behind the commit.
  loss_ = Loss::kIdle;
  if (end.done() && end.completion.command == "COMMIT") return absl::OkStatus();
  if (end.done()) return CommitRolledBack();
  if (end.failed() && !end.fatal) {
    CleanUp();
    return Explain(end.status, exchange, Stage::kCommitting);
  }
  loss_ = Loss::kInCommit;
  Close();
  return NoAnswer(exchange, Stage::kCommitting, Doubt::kCommit);
}

absl::StatusOr<CommitFate> PostgresConnection::OutcomeOf(const CommitId& id, const Bounds& bounds) {
  if (!server_.known() || server_.system != id.server.system) return OutcomeElsewhere();
  const Statement question{.sql = "SELECT pg_catalog.pg_xact_status($1::pg_catalog.xid8)",
                           .parameters = {std::to_string(id.transaction)},
                           .parameter_types = {}};
  TextSink sink;
  const auto done = Execute(question, {.access = Access::kReadOnly}, bounds, sink);
  if (done.ok()) return FateOf(id, server_, NumberStatusOf(sink.text()));
  const bool future = DetailOf(done.status()).sqlstate == kInvalidParameter;
  return future ? FateOf(id, server_, NumberStatus::kFuture) : done.status();
}

}  // namespace emsdb
