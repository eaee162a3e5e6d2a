// What a connection keeps prepared: sent, dropped, found outdated.
#include "pool/errors.h"
#include "pool/postgres/connection.h"
#include "pool/postgres/session.h"

namespace emsdb {

bool PostgresConnection::UsesStatementCache() const {
  if (shared_->statement_cache == 0 || shared_->session_reset != SessionReset::kWhenChanged ||
      !changes_.empty() || sets_locally_) {
    return false;
  }
  // Outside a transaction NoteReports has looked.
  return state_ == TransactionState::kIdle || ReadsLiteralsAsIn(literal_settings_, wire_->handle());
}

bool PostgresConnection::QueueStatement(Member& member) {
  const Statement& statement = *member.statement;
  const BoundParameters& parameters = member.parameters;
  PGconn* handle = wire_->handle();
  const std::span<const Oid> types(parameters.types(), parameters.count());
  member.use = {};
  if (UsesStatementCache()) {
    const std::uint64_t schema = shared_->schema_changes.load();
    if (std::exchange(schema_seen_, schema) != schema) statements_.Distrust();
    member.use = statements_.Next(statement.sql, types, shared_->clock.Now());
  }
  if (member.use.form == StatementCache::Form::kOnce) {
    return PQsendQueryParams(handle, statement.sql.c_str(), parameters.count(), parameters.types(),
                             parameters.values(), parameters.lengths(), parameters.formats(),
                             0) == 1;
  }
  if (member.use.form == StatementCache::Form::kPrepare &&
      PQsendPrepare(handle, member.use.name.c_str(), statement.sql.c_str(), parameters.count(),
                    parameters.types()) != 1) {
    return false;
  }
  return PQsendQueryPrepared(handle, member.use.name.c_str(), parameters.count(),
                             parameters.values(), parameters.lengths(), parameters.formats(),
                             0) == 1;
}

StepEnd PostgresConnection::ReadStatement(Exchange& exchange, const Member& member,
                                          RowForwarder& rows) {
  StepEnd parsed;
  if (member.use.form == StatementCache::Form::kPrepare) {
    parsed = ReadStep(exchange, nullptr, Stage::kRunning);
    if (!parsed.done()) statements_.NotPrepared(member.use);
  }
  StepEnd ran = ReadStep(exchange, &rows, Stage::kRunning);
  return parsed.failed() ? parsed : ran;
}

void PostgresConnection::SkipStatement(Exchange& exchange, const Member& member) {
  if (member.use.form == StatementCache::Form::kPrepare &&
      !ReadStep(exchange, nullptr, Stage::kRunning).done()) {
    statements_.NotPrepared(member.use);
  }
  ReadStep(exchange, nullptr, Stage::kRunning);
}

bool PostgresConnection::WasOutdated(const StepEnd& end, const Member& member,
                                     const RowForwarder& rows, Access access) {
  using enum StepEnd::Outdated;
  // With rows before it, it is an error of the statement's work.
  if (!end.failed() || end.fatal || rows.started() || end.outdated == kNo ||
      member.use.form != StatementCache::Form::kPrepared) {
    return false;
  }
  if (end.outdated == kNotThere) {
    // Somebody dropped it where it could not be seen, and perhaps others.
    changes_ |= SessionChange::kPrepared;
    statements_.NotPrepared(member.use);
    return true;
  }
  statements_.Forget(member.use);
  // T16: what may have called a function is not run a second time on a suspicion.
  return end.outdated == kYes || access == Access::kReadOnly || member.facts->calls_no_function;
}

// In a transaction a failure would end it: it waits until that is over.
bool PostgresConnection::QueueDrops() {
  drops_ = 0;
  if (state_ != TransactionState::kIdle || !UsesStatementCache()) return true;
  for (const std::string& name : statements_.TakeToDrop()) {
    if (!QueueText("DEALLOCATE " + name) || !QueueSync()) return false;
    ++drops_;
  }
  return true;
}

void PostgresConnection::ReadDrops(Exchange& exchange) {
  for (; drops_ > 0; --drops_) {
    ReadStep(exchange, nullptr, Stage::kRunning);
    ReadSync(exchange, Stage::kRunning);
  }
}

void PostgresConnection::NoteSchemaChange() {
  if (!may_change_schema_) return;
  may_change_schema_ = false;
  shared_->schema_changes.fetch_add(1);
}

}  // namespace emsdb
