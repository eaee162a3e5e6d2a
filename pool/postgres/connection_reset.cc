// What of a session would reach its next user, and how it is undone.
#include <random>
#include <utility>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "pool/postgres/connection.h"
#include "pool/postgres/session.h"
#include "pool/postgres/session_reset.h"
#include "pool/postgres/sqlstate.h"

namespace emsdb {
namespace {

// No two uses of any session have the same.
std::string NewMark() {
  thread_local std::mt19937_64 source{std::random_device{}()};
  return absl::StrFormat("%016x", source());
}

}  // namespace

absl::Status PostgresConnection::ResetSession(const Bounds& bounds) {
  if (changes_.empty()) return absl::OkStatus();
  if (absl::Status ready = CheckReady(bounds, Stage::kRunning); !ready.ok()) return ready;
  if (absl::Status idle = CheckIdle(); !idle.ok()) return idle;
  if (changes_.Has(SessionChange::kBeyondReset)) {
    return absl::FailedPreconditionError("a statement changed the session beyond a reset");
  }
  int commands = 0;
  if (!QueueReset(wire_->handle(), changes_, commands) || !QueueSync()) {
    return SendFailed(Stage::kRunning);
  }
  Exchange exchange(*wire_, shared_->clock, nullptr, bounds, shared_->cancel_grace);
  absl::Status status = ReadReset(exchange, commands);
  Settle(exchange);
  if (!exchange.answered()) return NoAnswer(exchange, Stage::kRunning, Doubt::kNone);
  if (status.ok() && !ReportsAsIn(reports_, wire_->handle())) {
    status = absl::InternalError("a setting is not as it was when the session began");
  }
  if (status.ok()) {
    if (changes_.Has(SessionChange::kPrepared)) statements_.Clear();
    changes_ = SessionChanges::None();
  }
  return status;
}

bool PostgresConnection::QueueFreshSession() {
  fresh_commands_ = 0;
  const bool begins_use = state_ == TransactionState::kIdle;
  if (shared_->session_reset != SessionReset::kBeforeEveryUse || !begins_use) return true;
  reset_mark_ = NewMark();
  return QueueFullReset(wire_->handle(), reset_mark_, fresh_commands_) && QueueSync();
}

// If nothing is said of it the unit behind it has no answer either, and that one is judged.
absl::Status PostgresConnection::ReadFreshSession(Exchange& exchange) {
  const int commands = std::exchange(fresh_commands_, 0);
  if (commands == 0) return absl::OkStatus();
  const absl::Status failure = ReadReset(exchange, commands);
  if (failure.ok()) return absl::OkStatus();
  exchange.Finish();
  if (!exchange.farewell().empty()) {
    farewell_ = exchange.farewell();
    return SendFailed(Stage::kRunning);
  }
  absl::Status why = Explain(failure, exchange, Stage::kRunning);
  GiveUp();
  const std::string sqlstate = DetailOf(why).sqlstate;
  if (sqlstate.empty()) return why;  // the caller's own deadline or stop
  return SessionNotReset(absl::StrFormat("SQLSTATE %s", sqlstate));
}

// The first failure of any of its commands or of its commit.
absl::Status PostgresConnection::ReadReset(Exchange& exchange, int commands) {
  absl::Status failure;
  for (int i = 0; i <= commands; ++i) {
    const StepEnd end = i < commands ? ReadStep(exchange, nullptr, Stage::kRunning)
                                     : ReadSync(exchange, Stage::kRunning);
    if (failure.ok() && end.failed()) failure = end.status;
  }
  return failure;
}

// The driver's prepared statements are dropped by each full reset; and their names may stand for
// something else once somebody has prepared or dropped statements of his own.
bool PostgresConnection::UsesPreparedSettings() const {
  return shared_->session_reset == SessionReset::kWhenChanged &&
         !changes_.Has(SessionChange::kPrepared);
}

bool PostgresConnection::SettingsAreMissing(const StepEnd& settings) const {
  return settings.failed() && UsesPreparedSettings() &&
         DetailOf(settings.status).sqlstate == kUnknownPreparedStatement;
}

void PostgresConnection::NoteText(const PostgresFacts& facts) {
  changes_ |= facts.changes;
  if (facts.may_change_schema) {
    may_change_schema_ = true;
    statements_.Distrust();
  }
  if (facts.sets) sets_locally_ = true;
}

void PostgresConnection::NoteReports() {
  if (state_ == TransactionState::kIdle && !reports_.empty() &&
      !ReportsAsIn(reports_, wire_->handle())) {
    changes_ |= SessionChange::kSettings | SessionChange::kRole;
  }
}

}  // namespace emsdb
