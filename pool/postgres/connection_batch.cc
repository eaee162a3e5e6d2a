// Batches: as a transaction that is committed once every promise was looked at, or, where there is
// nothing to commit, in one trip.
#include <algorithm>
#include <chrono>
#include <utility>

#include "pool/errors.h"
#include "pool/postgres/connection.h"
#include "pool/postgres/server_error.h"
#include "pool/postgres/server_identity.h"
#include "pool/postgres/session.h"

namespace emsdb {

void PostgresConnection::BatchEnd::Note(const StepEnd& end, int statement) {
  if (end.done() || !status.ok() || end.status.ok()) return;
  status = end.status;
  failed_at = statement;
}

absl::Status PostgresConnection::ExecuteBatch(std::span<const GuardedStatement> statements,
                                              const TransactionOptions& transaction,
                                              const RunOptions& options, const Bounds& bounds,
                                              BatchSink& sink) {
  std::vector<Member> members;
  members.reserve(statements.size());
  for (std::size_t i = 0; i < statements.size(); ++i) {
    auto member = MemberFor(statements[i].statement, statements[i].expect_rows);
    if (!member.ok()) return AtStatement(member.status(), static_cast<int>(i));
    members.push_back(*std::move(member));
  }
  if (absl::Status ready = CheckReady(bounds, Stage::kRunning); !ready.ok()) return ready;
  if (absl::Status idle = CheckIdle(); !idle.ok()) return idle;
  BatchEnd end = HasNothingToCommit(members, transaction)
                     ? RunReadBatch(members, options, bounds, sink)
                     : RunBatch(members, transaction, options, bounds, sink);
  // Rows of others have been handed on: whoever has the sink runs it again.
  if (end.outdated && !end.suspected && !broken()) end.status = PlanChanged(end.status);
  return end.failed_at < 0 ? end.status : AtStatement(end.status, end.failed_at);
}

// An implicit transaction is as the session's defaults say, and has no time-out of its own.
bool PostgresConnection::HasNothingToCommit(std::span<const Member> members,
                                            const TransactionOptions& transaction) {
  return transaction.access == Access::kReadOnly && transaction.isolation == Isolation::kDefault &&
         !transaction.deferrable && transaction.server_idle_timeout <= Duration::zero() &&
         std::all_of(members.begin(), members.end(),
                     [](const Member& member) { return member.facts->harmless(); });
}

PostgresConnection::BatchEnd PostgresConnection::RunReadBatch(std::span<Member> members,
                                                              const RunOptions& options,
                                                              const Bounds& bounds,
                                                              BatchSink& sink) {
  for (const Member& member : members) NoteText(*member.facts);
  bool queued = QueueFreshSession() && QueueDrops() &&
                QueueSettings({.access = Access::kReadOnly, .identity = options.identity}, bounds);
  for (Member& member : members) queued = queued && QueueStatement(member);
  if (!queued || !QueueSync()) return {SendFailed(Stage::kRunning)};

  BatchEnd end;
  std::vector<RowForwarder> rows;
  Exchange exchange = Start(bounds);
  if (absl::Status fresh = ReadFreshSession(exchange); !fresh.ok()) return {fresh};
  ReadDrops(exchange);
  ReadSettings(exchange, end);
  ReadMembers(exchange, members, Access::kReadOnly, sink, rows, end);
  const StepEnd sync = ReadSync(exchange, Stage::kRunning);
  end.Note(sync, -1);
  exchange.Finish();
  Settle(exchange);
  if (end.settings_missing && !broken()) {
    // Nothing else was run.
    changes_ |= SessionChange::kPrepared;
    return RunReadBatch(members, options, bounds, sink);
  }
  if (!end.status.ok()) {
    end.status = Explain(end.status, exchange, Stage::kRunning);
  } else if (sync.lost()) {
    end.status = NoAnswer(exchange, Stage::kRunning, Doubt::kNone);
  } else if (end.done < members.size() || state_ == TransactionState::kOpen) {
    GiveUp();
    end.status = absl::InternalError("the server's answers are out of order");
  }
  for (RowForwarder& forwarder : rows) {
    if (end.status.ok()) NameTypes(forwarder, bounds);
  }
  return end;
}

PostgresConnection::BatchEnd PostgresConnection::RunBatch(std::span<Member> members,
                                                          const TransactionOptions& transaction,
                                                          const RunOptions& options,
                                                          const Bounds& bounds, BatchSink& sink) {
  for (const Member& member : members) NoteText(*member.facts);
  bool queued = QueueFreshSession() && QueueDrops() && QueueText(BeginText(transaction)) &&
                QueueSettings({.identity = options.identity}, bounds) &&
                QueueIdleTimeout(transaction.server_idle_timeout);
  for (Member& member : members) queued = queued && QueueStatement(member);
  // What only reads has no id: not even the question is sent.
  const bool may_write = std::any_of(members.begin(), members.end(), [&](const Member& member) {
    return DoubtOf(*member.facts, options) == Doubt::kWrite;
  });
  const AskId ask_id = may_write ? AskIdFor(options.witness, transaction.access) : AskId::kNo;
  if (ask_id == AskId::kYes) queued = queued && QueueText(kTransactionIdQuestion);
  if (!queued || !QueueSync()) return {SendFailed(Stage::kRunning)};

  std::vector<RowForwarder> rows;
  Exchange exchange = Start(bounds);
  if (absl::Status fresh = ReadFreshSession(exchange); !fresh.ok()) return {fresh};
  ReadDrops(exchange);
  BatchEnd end = ReadBatch(exchange, transaction, members, ask_id, sink, rows);
  exchange.Finish();
  Settle(exchange);
  if (!exchange.answered() && (end.status.ok() || DetailOf(end.status).reason == "SQL_ERROR")) {
    end.status = NoAnswer(exchange, Stage::kRunning, Doubt::kTransaction);
  }
  if (end.status.ok() && state_ != TransactionState::kOpen) {
    GiveUp();
    end.status = TransactionGone();
  }
  if (end.status.ok()) end.status = CheckTime(bounds, Stage::kRunning);
  if (end.status.ok()) end.status = TellWitness(options.witness, end.transaction, bounds);
  if (!end.status.ok()) {
    end.status = Explain(end.status, exchange, Stage::kRunning);
    CleanUp();
    if (!end.settings_missing || broken()) return end;
    changes_ |= SessionChange::kPrepared;
    return RunBatch(members, transaction, options, bounds, sink);
  }
  end.status = RunCommit(bounds);
  for (RowForwarder& forwarder : rows) {
    if (end.status.ok()) NameTypes(forwarder, bounds);
  }
  return end;
}

// Reads everything up to the Sync.
PostgresConnection::BatchEnd PostgresConnection::ReadBatch(Exchange& exchange,
                                                           const TransactionOptions& transaction,
                                                           std::span<const Member> members,
                                                           AskId ask_id, BatchSink& sink,
                                                           std::vector<RowForwarder>& rows) {
  BatchEnd batch;
  batch.Note(ReadStep(exchange, nullptr, Stage::kRunning), -1);
  ReadSettings(exchange, batch);
  if (transaction.server_idle_timeout > Duration::zero()) {
    batch.Note(ReadStep(exchange, nullptr, Stage::kRunning), -1);
  }
  ReadMembers(exchange, members, transaction.access, sink, rows, batch);
  if (ask_id == AskId::kYes) {
    TransactionIdSink id(batch.transaction);
    RowForwarder id_rows(id, decoder_, shared_->types);
    batch.Note(ReadStep(exchange, &id_rows, Stage::kRunning), -1);
  }
  batch.Note(ReadSync(exchange, Stage::kRunning), -1);
  return batch;
}

void PostgresConnection::ReadSettings(Exchange& exchange, BatchEnd& batch) {
  const StepEnd settings = ReadStep(exchange, nullptr, Stage::kRunning);
  batch.Note(settings, -1);
  batch.settings_missing = SettingsAreMissing(settings);
}

void PostgresConnection::ReadMembers(Exchange& exchange, std::span<const Member> members,
                                     Access access, BatchSink& sink,
                                     std::vector<RowForwarder>& rows, BatchEnd& batch) {
  rows.reserve(members.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    const int index = static_cast<int>(i);
    if (!batch.status.ok()) {
      SkipStatement(exchange, members[i]);
      continue;
    }
    RowForwarder& forwarder = rows.emplace_back(sink.Rows(i), decoder_, shared_->types);
    const StepEnd end = ReadStatement(exchange, members[i], forwarder);
    batch.Note(end, index);
    batch.outdated = WasOutdated(end, members[i], forwarder, access);
    batch.suspected = end.outdated == StepEnd::Outdated::kPerhaps;
    if (!end.done()) continue;
    ++batch.done;
    sink.Completed(i, end.completion);
    const std::int64_t found = end.completion.rows_affected;
    if (members[i].expect_rows.value_or(found) != found) {
      batch.status = RowsMismatch(index, *members[i].expect_rows, found);
      batch.failed_at = index;
    }
  }
}

}  // namespace emsdb
