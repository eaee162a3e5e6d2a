#include "pool/postgres/connection.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "pool/postgres/server_error.h"
#include "pool/postgres/server_identity.h"
#include "pool/postgres/session.h"
#include "pool/postgres/sqlstate.h"
#include "pool/postgres/text_facts.h"
#include "pool/postgres/type_sink.h"

namespace emsdb {
namespace {

// A batch of one, seen as a statement.
class SingleSink final : public BatchSink {
 public:
  explicit SingleSink(RowSink& sink) : sink_(sink) {}
  RowSink& Rows(std::size_t) override { return sink_; }
  void Completed(std::size_t, const Completion& completion) override { completion_ = completion; }
  const Completion& completion() const { return completion_; }

 private:
  RowSink& sink_;
  Completion completion_;
};

}  // namespace

PostgresConnection::PostgresConnection(std::unique_ptr<Link> link,
                                       std::shared_ptr<PostgresShared> shared)
    : shared_(std::move(shared)),
      link_(std::move(link)),
      wire_(std::make_unique<Wire>(link_->handle(), shared_->clock, shared_->server_detail)),
      statements_(shared_->statement_cache) {}

absl::Status PostgresConnection::Prepare(const Bounds& bounds) {
  const bool asks_types = !shared_->types.complete();
  if (!wire_->ok() || !QueuePreparedSettings(wire_->handle()) ||
      (asks_types && !QueueTypeQuestion(wire_->handle())) || !QueueSync() ||
      !QueueIdentityQuestion(wire_->handle()) || !QueueSync()) {
    return SendFailed(Stage::kConnecting);
  }
  Exchange exchange(*wire_, shared_->clock, nullptr, bounds, shared_->cancel_grace);
  const StepEnd usual = ReadStep(exchange, nullptr, Stage::kConnecting);
  const StepEnd read_only = ReadStep(exchange, nullptr, Stage::kConnecting);
  if (asks_types) {
    // Without an answer the names stay empty until they are looked up, the oids are right.
    TypeSink types(shared_->types);
    RowForwarder rows(types, decoder_, shared_->types);
    if (ReadStep(exchange, &rows, Stage::kConnecting).done()) shared_->types.SetComplete();
  }
  ReadSync(exchange, Stage::kConnecting);
  // Behind a Sync of its own: a login that may not ask only has no commit tokens.
  IdentitySink identity(server_);
  RowForwarder identity_rows(identity, decoder_, shared_->types);
  const StepEnd named = ReadStep(exchange, &identity_rows, Stage::kConnecting);
  ReadSync(exchange, Stage::kConnecting);
  Settle(exchange);
  if (!exchange.answered()) return NoAnswer(exchange, Stage::kConnecting, Doubt::kNone);
  if (!usual.done()) return usual.status;
  if (!read_only.done()) return read_only.status;
  // Somebody's cancel may meet this question: without its answer no commit of this session, however
  // long it lives, could be asked about.
  if (named.failed() && DetailOf(named.status).sqlstate == kQueryCanceled) return named.status;
  reports_ = ReportedSettings(wire_->handle());
  literal_settings_ = LiteralSettings(wire_->handle());
  return absl::OkStatus();
}

absl::StatusOr<PostgresConnection::Member> PostgresConnection::MemberFor(
    const Statement& statement, std::optional<std::int64_t> expect_rows) {
  auto facts = PostgresFactsOf(statement.sql);
  if (!facts->check.ok()) return facts->check;
  auto parameters = BoundParameters::Bind(statement);
  if (!parameters.ok()) return std::move(parameters).status();
  return Member{&statement, std::move(facts), expect_rows, *std::move(parameters), {}};
}

absl::StatusOr<Completion> PostgresConnection::Execute(const Statement& statement,
                                                       const RunOptions& options,
                                                       const Bounds& bounds, RowSink& sink) {
  auto member = MemberFor(statement);
  if (!member.ok()) return std::move(member).status();
  if (absl::Status ready = CheckReady(bounds, Stage::kRunning); !ready.ok()) return ready;
  if (options.wrapping == Wrapping::kNone) return RunUnwrapped(*member, options, bounds, sink);
  const PostgresFacts& facts = *member->facts;
  // What only may read is no different: a block that commits in its middle would leave the setting
  // behind that keeps it from writing.
  const bool in_transaction = state_ == TransactionState::kOpen;
  const bool to_be_named = AskIdFor(options.witness, options.access) == AskId::kYes &&
                           DoubtOf(facts, options) == Doubt::kWrite;
  if (!in_transaction && ((!facts.looks_like_read && facts.may_return_rows) || to_be_named)) {
    return RunHeld(*std::move(member), options, bounds, sink);
  }
  return RunOne(*std::move(member), options, bounds, sink);
}

absl::StatusOr<Completion> PostgresConnection::RunOne(Member member, const RunOptions& options,
                                                      const Bounds& bounds, RowSink& sink) {
  const bool in_transaction = state_ == TransactionState::kOpen;
  const Doubt doubt = DoubtOf(*member.facts, options);
  RowForwarder rows(sink, decoder_, shared_->types);
  NoteText(*member.facts);
  if (!QueueFreshSession() || !QueueDrops() || !QueueSettings(options, bounds) ||
      !QueueStatement(member) || !QueueSync()) {
    return SendFailed(Stage::kRunning);
  }
  Exchange exchange = Start(bounds);
  if (absl::Status fresh = ReadFreshSession(exchange); !fresh.ok()) return fresh;
  ReadDrops(exchange);
  const StepEnd settings = ReadStep(exchange, nullptr, Stage::kRunning);
  StepEnd end = ReadStatement(exchange, member, rows);
  const StepEnd sync = ReadSync(exchange, Stage::kRunning);
  exchange.Finish();
  Settle(exchange);

  if (SettingsAreMissing(settings)) {
    // Somebody ran DEALLOCATE ALL where it could not be seen. Nothing else was run.
    changes_ |= SessionChange::kPrepared;
    if (!in_transaction && !broken()) return RunOne(std::move(member), options, bounds, sink);
  }
  if (WasOutdated(end, member, rows, options.access) && !broken()) {
    if (!in_transaction) return RunOne(std::move(member), options, bounds, sink);
    if (end.outdated != StepEnd::Outdated::kPerhaps) return PlanChanged(end.status);
  }
  // Whether the server's word on the whole unit came, even if the connection was given up after it.
  const bool heard = !sync.lost();
  const StepEnd& first = settings.failed() ? settings : end;
  if (first.failed() && (heard || doubt != Doubt::kTransaction)) {
    return Explain(first.status, exchange, Stage::kRunning);
  }
  if (end.how == StepEnd::How::kRefused) {
    if (in_transaction && !broken()) state_ = TransactionState::kFailed;
    // A function in a SELECT may have written, and a rule may give rows to a write that says
    // nothing of them: it is committed all the same, unless the server said that it failed.
    const bool undone = end.undone || sync.failed();
    return doubt == Doubt::kWrite && !undone ? InDoubt(end.status) : end.status;
  }
  if (!heard) return NoAnswer(exchange, Stage::kRunning, doubt);
  if (sync.failed()) return Explain(sync.status, exchange, Stage::kRunning);
  if (!end.done()) {
    GiveUp();
    return absl::InternalError("the server's answers are out of order");
  }
  NameTypes(rows, bounds);
  return end.completion;
}

absl::StatusOr<Completion> PostgresConnection::RunHeld(Member member, const RunOptions& options,
                                                       const Bounds& bounds, RowSink& sink) {
  SingleSink single(sink);
  const TransactionOptions transaction = {.access = options.access};
  BatchEnd end = RunBatch(std::span(&member, 1), transaction, options, bounds, single);
  // No row of it has come: the first that is read is its failure.
  if (end.outdated && !broken()) {
    end = RunBatch(std::span(&member, 1), transaction, options, bounds, single);
  }
  if (!end.status.ok()) return end.status;
  return single.completion();
}

absl::Status PostgresConnection::Begin(const TransactionOptions& transaction,
                                       const RunOptions& options, const Bounds& bounds) {
  if (absl::Status ready = CheckReady(bounds, Stage::kRunning); !ready.ok()) return ready;
  if (absl::Status idle = CheckIdle(); !idle.ok()) return idle;
  if (!QueueFreshSession() || !QueueDrops() || !QueueText(BeginText(transaction)) ||
      !QueueSettings({.identity = options.identity}, bounds) ||
      !QueueIdleTimeout(transaction.server_idle_timeout) || !QueueSync()) {
    return SendFailed(Stage::kRunning);
  }
  transaction_access_ = transaction.access;
  // A DEFERRABLE transaction may wait long for its snapshot: it is cancelled as a statement is.
  Exchange exchange = Start(bounds);
  if (absl::Status fresh = ReadFreshSession(exchange); !fresh.ok()) return fresh;
  ReadDrops(exchange);
  std::vector<RowForwarder> no_rows;
  struct NoSink final : BatchSink {
    RowSink& Rows(std::size_t) override { std::abort(); }
    void Completed(std::size_t, const Completion&) override {}
  } no_sink;
  BatchEnd end = ReadBatch(exchange, transaction, {}, AskId::kNo, no_sink, no_rows);
  exchange.Finish();
  Settle(exchange);
  if (!exchange.answered()) {
    loss_ = Loss::kIdle;  // there was none yet
    return NoAnswer(exchange, Stage::kRunning, Doubt::kNone);
  }
  if (end.status.ok() && state_ == TransactionState::kOpen) return absl::OkStatus();
  end.status = Explain(end.status, exchange, Stage::kRunning);
  CleanUp();
  if (end.settings_missing && !broken()) {
    changes_ |= SessionChange::kPrepared;
    return Begin(transaction, options, bounds);
  }
  return end.status;
}

absl::Status PostgresConnection::RollBack(const Bounds& bounds) {
  if (state_ == TransactionState::kIdle || broken()) return absl::OkStatus();
  const absl::Status status = RunPlain("ROLLBACK", bounds, Stage::kRunning, Doubt::kTransaction);
  if (state_ != TransactionState::kIdle) Close();
  // Without its connection the server rolls it back by itself.
  loss_ = Loss::kIdle;
  return broken() ? status : absl::OkStatus();
}

void PostgresConnection::CleanUp() {
  if (broken() || state_ == TransactionState::kIdle) return;
  static_cast<void>(RollBack({.deadline = After(shared_->clock.Now(), shared_->cancel_grace)}));
}

absl::Status PostgresConnection::Ping(const Bounds& bounds) {
  if (absl::Status ready = CheckReady(bounds, Stage::kConnecting); !ready.ok()) return ready;
  if (absl::Status idle = CheckIdle(); !idle.ok()) return idle;
  return RunPlain("SELECT 1", bounds, Stage::kConnecting, Doubt::kNone);
}

absl::Status PostgresConnection::RunPlain(const char* sql, const Bounds& bounds, Stage stage,
                                          Doubt doubt) {
  if (broken() || !QueueText(sql) || !QueueSync()) return SendFailed(stage);
  Exchange exchange(*wire_, shared_->clock, nullptr, bounds, shared_->cancel_grace);
  const StepEnd end = ReadStep(exchange, nullptr, stage);
  const StepEnd sync = ReadSync(exchange, stage);
  Settle(exchange);
  if (!exchange.answered()) return NoAnswer(exchange, stage, doubt);
  if (!end.done()) return end.status;
  return sync.status;
}

bool PostgresConnection::LooksAlive() {
  if (broken()) return false;
  if (wire_->LooksAlive()) return true;
  if (state_ != TransactionState::kIdle) loss_ = Loss::kInTransaction;
  Close();
  return false;
}

}  // namespace emsdb
