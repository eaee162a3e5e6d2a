// The small parts of which connection.cc puts its units together, and what an end means.
#include <algorithm>
#include <array>
#include <chrono>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "pool/postgres/connection.h"
#include "pool/postgres/server_error.h"
#include "pool/postgres/session.h"
#include "pool/postgres/sqlstate.h"
#include "pool/postgres/text_facts.h"
#include "pool/postgres/type_sink.h"

namespace emsdb {
namespace {

// For the question what a type is called: an answer that is nice to have.
constexpr Duration kTypeLookup = std::chrono::seconds(2);
constexpr std::size_t kMostTypesAsked = 100;

}  // namespace

absl::Status PostgresConnection::CheckTime(const Bounds& bounds, Stage stage) const {
  if (bounds.stop != nullptr && bounds.stop->raised() != StopReason::kNone) {
    return Stopped(bounds.stop->raised(), stage);
  }
  if (bounds.deadline <= shared_->clock.Now()) return DeadlineExceeded(stage);
  return absl::OkStatus();
}

absl::Status PostgresConnection::CheckReady(const Bounds& bounds, Stage stage) {
  if (state_ == TransactionState::kFailed) return TransactionHasFailed();
  // A look at the socket costs a microsecond, and spares a write the doubt whether it was done on a
  // connection that was dead before it was sent.
  if (broken() || !LooksAlive()) return SendFailed(stage);
  return CheckTime(bounds, stage);
}

absl::Status PostgresConnection::CheckIdle() const {
  if (state_ == TransactionState::kIdle) return absl::OkStatus();
  return WithDetail(absl::FailedPreconditionError("a transaction is open on this connection"),
                    {.reason = "TX_OPEN", .retry = Retry::kNo});
}

PostgresConnection::Doubt PostgresConnection::DoubtOf(const PostgresFacts& facts,
                                                      const RunOptions& options) const {
  if (state_ != TransactionState::kIdle) return Doubt::kTransaction;
  const bool harmless = options.access == Access::kReadOnly || facts.harmless();
  return harmless ? Doubt::kNone : Doubt::kWrite;
}

Exchange PostgresConnection::Start(const Bounds& bounds) {
  return Exchange(*wire_, shared_->clock, &shared_->canceller, bounds, shared_->cancel_grace);
}

bool PostgresConnection::QueueText(const std::string& sql) {
  return PQsendQueryParams(wire_->handle(), sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr,
                           0) == 1;
}

bool PostgresConnection::QueueSettings(const RunOptions& options, const Bounds& bounds) {
  return QueueTransactionSettings(
      wire_->handle(),
      {.statement_timeout = StatementTimeout(shared_->clock.Now(), bounds.deadline),
       .application_name = ApplicationName(options.identity, shared_->application_name),
       .access = state_ == TransactionState::kIdle ? options.access : Access::kReadWrite,
       .reset_mark = fresh_commands_ > 0 ? reset_mark_ : std::string()},
      UsesPreparedSettings() ? SettingsForm::kPrepared : SettingsForm::kText);
}

bool PostgresConnection::QueueIdleTimeout(Duration timeout) {
  if (timeout <= Duration::zero()) return true;
  const std::string text = StatementTimeout(Instant(), Instant() + timeout);
  const std::array<const char*, 1> values = {text.c_str()};
  return PQsendQueryParams(
             wire_->handle(),
             "SELECT pg_catalog.set_config('idle_in_transaction_session_timeout', $1, true)", 1,
             nullptr, values.data(), nullptr, nullptr, 0) == 1;
}

bool PostgresConnection::QueueSync() { return PQpipelineSync(wire_->handle()) == 1; }

void PostgresConnection::Settle(const Exchange& exchange) {
  const bool was_open = state_ != TransactionState::kIdle;
  if (!exchange.answered()) {
    if (farewell_.empty()) farewell_ = exchange.farewell();
    if (was_open) loss_ = Loss::kInTransaction;
    if (exchange.answer() == Exchange::Answer::kGivenUp) given_up_ = true;
    Close();
    return;
  }
  switch (PQtransactionStatus(wire_->handle())) {
    case PQTRANS_IDLE:
      state_ = TransactionState::kIdle;
      NoteReports();
      NoteSchemaChange();
      sets_locally_ = false;
      break;
    case PQTRANS_INTRANS:
      state_ = TransactionState::kOpen;
      break;
    case PQTRANS_INERROR:
      state_ = TransactionState::kFailed;
      break;
    default:
      // Something is still to come although all answers are there.
      if (was_open) loss_ = Loss::kInTransaction;
      GiveUp();
  }
}

void PostgresConnection::Close() {
  state_ = TransactionState::kUnknown;
  NoteSchemaChange();  // it may have been committed
  if (farewell_.empty() && wire_ != nullptr) farewell_ = wire_->farewell();
  wire_.reset();
  link_.reset();
}

void PostgresConnection::GiveUp() {
  given_up_ = true;
  Close();
}

absl::Status PostgresConnection::SendFailed(Stage stage) {
  if (!broken()) {
    if (state_ != TransactionState::kIdle) loss_ = Loss::kInTransaction;
    Close();
  }
  switch (loss_) {
    case Loss::kInCommit:
      return OutcomeUnknown(LossCause(), Stage::kCommitting);
    case Loss::kInTransaction:
      return WithFarewell(TransactionConnectionLost(LossCause(), stage));
    case Loss::kIdle:
      break;
  }
  return WithFarewell(ConnectionUnavailable(LossCause(), stage));
}

absl::Status PostgresConnection::WithFarewell(absl::Status status) const {
  if (farewell_.empty()) return status;
  ErrorDetail detail = DetailOf(status);
  detail.sqlstate = farewell_;
  return WithDetail(std::move(status), detail);
}

std::string PostgresConnection::LossCause() const {
  if (farewell_.empty()) return "the database server closed the connection";
  return absl::StrFormat("the database server ended the session (SQLSTATE %s)", farewell_);
}

absl::Status PostgresConnection::NoAnswer(const Exchange& exchange, Stage stage,
                                          Doubt doubt) const {
  if (doubt == Doubt::kCommit) {
    const bool in_time = exchange.asked() == Exchange::Asked::kNobody;
    return WithFarewell(OutcomeUnknown(
        in_time ? LossCause() : "the database server did not answer in time", stage));
  }
  switch (exchange.asked()) {
    case Exchange::Asked::kDeadline:
    case Exchange::Asked::kStop:
      break;
    case Exchange::Asked::kSink:
    case Exchange::Asked::kNobody:
      if (doubt == Doubt::kWrite) return WithFarewell(OutcomeUnknown(LossCause(), stage));
      if (doubt == Doubt::kTransaction) {
        return WithFarewell(TransactionConnectionLost(LossCause(), stage));
      }
      return WithFarewell(ReadConnectionLost(LossCause(), stage));
  }
  const absl::Status status = exchange.WhyAsked(stage);
  return doubt == Doubt::kWrite ? InDoubt(status) : status;
}

// T3: three kinds of cancel have one SQLSTATE; who asked tells them apart.
absl::Status PostgresConnection::Explain(const absl::Status& status, const Exchange& exchange,
                                         Stage stage) const {
  if (DetailOf(status).sqlstate != kQueryCanceled) return status;
  if (exchange.asked() == Exchange::Asked::kStop) return Stopped(exchange.stop_reason(), stage);
  if (exchange.DeadlineIsOver()) return DeadlineExceeded(stage);
  return status;
}

// Only where it can harm nothing: neither in a transaction, which its failure would end, nor when
// the time is over.
void PostgresConnection::NameTypes(RowForwarder& rows, const Bounds& bounds) {
  const bool idle = state_ == TransactionState::kIdle;
  if (rows.unknown_types().empty() || !idle || !CheckTime(bounds, Stage::kRunning).ok()) return;
  std::string oids;
  for (std::size_t i = 0; i < std::min(rows.unknown_types().size(), kMostTypesAsked); ++i) {
    oids += absl::StrFormat("%s%d", i == 0 ? "{" : ",", rows.unknown_types()[i]);
  }
  const Statement question{
      .sql = "SELECT oid, typname FROM pg_catalog.pg_type WHERE oid = ANY ($1)",
      .parameters = {oids + "}"},
      .parameter_types = {"_oid"}};
  auto member = MemberFor(question);
  if (!member.ok()) return;
  const Bounds bound = {
      .deadline = std::min(bounds.deadline, After(shared_->clock.Now(), kTypeLookup)),
      .stop = bounds.stop};
  TypeSink sink(shared_->types);
  // Its failure is nobody's: the names stay empty, the oids are right.
  if (RunOne(*std::move(member), {.access = Access::kReadOnly}, bound, sink).ok()) {
    rows.NameColumns();
  }
}

}  // namespace emsdb
