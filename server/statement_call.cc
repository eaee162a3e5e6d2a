#include "server/statement_call.h"

#include <algorithm>
#include <utility>

#include "pool/errors.h"

namespace emsdb {
namespace {

// A read that has nobody else in its group: its end is kept for who waits for it.
class LoneRead final : public GroupedRead {
 public:
  explicit LoneRead(GroupedRead& read) : read_(read) {}

  const Statement& statement() const override { return read_.statement(); }
  std::string_view identity() const override { return read_.identity(); }
  Duration time_limit() const override { return read_.time_limit(); }
  Instant deadline() const override { return read_.deadline(); }
  RowSink& sink() override { return read_.sink(); }
  void Ended(absl::StatusOr<Completion> result, Duration took) override {
    result_ = std::move(result);
    took_ = took;
  }

  absl::StatusOr<Completion> TakeResult() { return std::move(result_); }
  Duration took() const { return took_; }

 private:
  GroupedRead& read_;
  absl::StatusOr<Completion> result_ = RunAlone();
  Duration took_{};
};

// The server ends an idle session only after the gateway should have: its own watch comes first.
constexpr Duration kServerMargin = std::chrono::seconds(5);
constexpr Duration kRollBackPatience = std::chrono::seconds(5);

}  // namespace

absl::StatusOr<Beginning> ToBeginning(const v1::TransactionOptions& options,
                                      const CallBasics& basics, std::string_view field) {
  auto converted = ToTransactionOptions(options, field);
  if (!converted.ok()) return std::move(converted).status();
  auto terms = ToTransactionTerms(options, field);
  if (!terms.ok()) return std::move(terms).status();
  converted->access = basics.Allowed(converted->access);
  terms->caller = basics.caller.owner();
  terms->database = basics.database;
  converted->server_idle_timeout = terms->idle_timeout + kServerMargin;
  return Beginning{*converted, *std::move(terms)};
}

StatementCall::StatementCall(Gateway& gateway, CallBasics basics, UnaryReactor& reactor,
                             grpc::CallbackServerContext& context, v1::QueryResponse& response,
                             Work work)
    : UnaryCall(gateway, std::move(basics), reactor, response),
      context_(context),
      work_(std::move(work)),
      share_(gateway.result_memory),
      budget_(Budget()),
      sink_(*response.mutable_columns(), *response.mutable_rows(), budget_) {}

ResultBudget StatementCall::Budget() {
  ResultBudget budget{.share = &share_};
  if (work_.max_rows != 0) budget.rows = budget.row_limit = work_.max_rows;
  return budget;
}

// A call with little time left has none to spend on the members before it.
Grouping StatementCall::grouping(Pool& pool) {
  ProvenReads* proven = work_.by_itself ? pool.proven_reads() : nullptr;
  if (proven == nullptr) return Grouping::kAlone;
  proven_ = proven;
  key_ = ProvenReads::KeyOf(work_.statement.sql, work_.access);
  const auto limit = proven->LimitOf(key_, work_.statement.sql, work_.access);
  const Duration left = options().deadline - gateway().pools.clock().Now();
  if (!limit || left < 2 * kLeastTimeForGroup) return Grouping::kAlone;
  time_limit_ = *limit;
  return Grouping::kGroup;
}

void StatementCall::Ended(absl::StatusOr<Completion> result, Duration took) {
  Learn(result, took);
  if (result.ok()) Take(*result);
  LeaveGroup(result.status());
}

void StatementCall::Learn(const absl::StatusOr<Completion>& result, Duration took) {
  if (result.ok()) {
    proven_->RanInGroup(key_, took);
  } else if (IsUnfitForGroup(result.status())) {
    proven_->FailedInGroup(key_);
  }
}

// What a session keeps for groups serves one read as well.
absl::StatusOr<Completion> StatementCall::ExecuteInGroup(Connection& connection,
                                                         const Bounds& bounds) {
  LoneRead read(*this);
  GroupedRead* const reads[] = {&read};
  const Instant latest = After(gateway().pools.clock().Now(), kLongestGroup);
  connection.ExecuteGroup(reads, {std::min(bounds.deadline, latest), bounds.stop});
  auto completion = read.TakeResult();
  Learn(completion, read.took());
  return completion;
}

void StatementCall::StartOver() {
  time_limit_ = {};
  response().Clear();
  share_.GiveBack();
  budget_ = Budget();
}

absl::StatusOr<Completion> StatementCall::Execute(Connection& connection, const RunOptions& run,
                                                  const Bounds& bounds) {
  if (proven_ == nullptr) return connection.Execute(work_.statement, run, bounds, sink_);
  Clock& clock = gateway().pools.clock();
  const Instant began = clock.Now();
  const bool proved = time_limit_ > Duration::zero();
  if (proved && bounds.deadline - began >= kLeastTimeForGroup) {
    return ExecuteInGroup(connection, bounds);
  }
  auto completion = connection.Execute(work_.statement, run, bounds, sink_);
  if (completion.ok()) {
    const bool harmless = completion->command == "SELECT" && !connection.session_changed() &&
                          connection.transaction_state() == TransactionState::kIdle;
    proven_->RanAlone(key_, clock.Now() - began, harmless);
  }
  return completion;
}

void StatementCall::Take(const Completion& completion) {
  response().set_rows_affected(completion.rows_affected);
  response().set_command(completion.command);
}

absl::Status StatementCall::Run(Connection& connection, const Bounds& bounds, Lease& lease) {
  TokenWitness witness(basics().database, announcer());
  RunOptions run = run_options(work_.access);
  run.wrapping = work_.wrapping;
  if (work_.naming == CommitNaming::kResolvable) run.witness = &witness;
  if (work_.beginning) {
    absl::Status begun = connection.Begin(work_.beginning->options, run, bounds);
    if (!begun.ok()) return begun;
  }
  // If this fails in a transaction it began, the end of the lease rolls back.
  const auto completion = Execute(connection, run, bounds);
  if (work_.step == TransactionStep::kStatementAndCommit) {
    absl::Status ended = CommitOrRollBack(connection, bounds, completion.status(), witness);
    if (!ended.ok()) return witness.Marked(std::move(ended));
  }
  if (!completion.ok()) return WithoutToken(witness.Marked(completion.status()), work_.naming);
  Take(*completion);
  if (work_.beginning) {
    begun_.id = gateway().pools.transactions().Add(std::move(lease), work_.beginning->terms);
    response().set_transaction_id(begun_.id);
  }
  return absl::OkStatus();
}

// The statement's own error is the answer also where the roll-back fails: the connection is closed
// then, which rolls back as well.
absl::Status StatementCall::CommitOrRollBack(Connection& connection, const Bounds& bounds,
                                             const absl::Status& ran, TokenWitness& witness) {
  if (ran.ok()) return connection.Commit(bounds, &witness);
  // Not by the call's bounds, which may be why the statement failed.
  connection.RollBack({.deadline = After(gateway().pools.clock().Now(), kRollBackPatience)})
      .IgnoreError();
  return ran;
}

void StatementCall::Finish(absl::Status status, const CallTimes& times) {
  if (context_.IsCancelled()) begun_.Abandon(gateway());
  UnaryCall::Finish(std::move(status), times);
}

}  // namespace emsdb
