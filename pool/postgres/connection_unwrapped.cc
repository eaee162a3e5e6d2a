// Statements that refuse to be in a transaction.
#include "pool/errors.h"
#include "pool/postgres/connection.h"
#include "pool/postgres/server_error.h"
#include "pool/postgres/session.h"
#include "pool/postgres/sqlstate.h"

namespace emsdb {
namespace {

// One huge value, and a connection would hold its memory until it is recycled.
constexpr std::size_t kMostResult = std::size_t{16} << 20;

// Refused before it did anything: it was not understood, not allowed, or not possible here.
bool WasRefused(const std::string& sqlstate) {
  return sqlstate.starts_with("42") || sqlstate.starts_with("0A") || sqlstate.starts_with("25");
}

}  // namespace

absl::Status PostgresConnection::BeginFresh(const Bounds& bounds) {
  struct NoSink final : RowSink {
    absl::Status OnColumns(std::span<const Column>) override { return absl::OkStatus(); }
    absl::Status OnRow(std::span<const Cell>) override { return absl::OkStatus(); }
  } sink;
  const Statement nothing{.sql = "SELECT 1", .parameters = {}, .parameter_types = {}};
  auto member = MemberFor(nothing);
  if (!member.ok()) return member.status();
  return RunOne(*std::move(member), {.access = Access::kReadOnly}, bounds, sink).status();
}

bool PostgresConnection::outgrown() const {
  return wire_ != nullptr && wire_->largest_result() > kMostResult;
}

absl::StatusOr<Completion> PostgresConnection::RunUnwrapped(const Member& member,
                                                            const RunOptions& options,
                                                            const Bounds& bounds, RowSink& sink) {
  if (absl::Status idle = CheckIdle(); !idle.ok()) return idle;
  if (options.access == Access::kReadOnly) {
    return InvalidField("read_only", "only a transaction can be read-only");
  }
  if (shared_->session_reset == SessionReset::kBeforeEveryUse) {
    // The reset must be known to be done before a statement without a transaction is sent.
    if (absl::Status fresh = BeginFresh(bounds); !fresh.ok()) return fresh;
  }
  PGconn* handle = wire_->handle();
  const Statement& statement = *member.statement;
  const BoundParameters& parameters = member.parameters;
  NoteText(*member.facts);
  RowForwarder rows(sink, decoder_, shared_->types);
  const TransactionSettings settings = {
      .statement_timeout = StatementTimeout(shared_->clock.Now(), bounds.deadline),
      .application_name = ApplicationName(options.identity, shared_->application_name),
      .reset_mark = {}};
  if (!QueueDrops() || !QueueSessionSettings(handle, settings) || !QueueSync() ||
      PQsendQueryParams(handle, statement.sql.c_str(), parameters.count(), parameters.types(),
                        parameters.values(), parameters.lengths(), parameters.formats(), 0) != 1 ||
      !QueueSync() || !QueueSessionSettingsReset(handle) || !QueueSync()) {
    return SendFailed(Stage::kRunning);
  }
  Exchange exchange = Start(bounds);
  ReadDrops(exchange);
  ReadStep(exchange, nullptr, Stage::kRunning);
  ReadSync(exchange, Stage::kRunning);
  const StepEnd end = ReadStep(exchange, &rows, Stage::kRunning);
  const StepEnd sync = ReadSync(exchange, Stage::kRunning);
  bool as_before = true;
  for (int i = 0; i < kSessionSettingsResets; ++i) {
    as_before = ReadStep(exchange, nullptr, Stage::kRunning).done() && as_before;
  }
  ReadSync(exchange, Stage::kRunning);
  exchange.Finish();
  if (!as_before) changes_ |= SessionChange::kSettings;
  Settle(exchange);
  if (end.failed()) {
    const absl::Status status = Explain(end.status, exchange, Stage::kRunning);
    return WasRefused(DetailOf(status).sqlstate) ? status : InDoubt(status);
  }
  // It was done all the same.
  if (end.how == StepEnd::How::kRefused) return InDoubt(end.status);
  if (sync.lost()) return NoAnswer(exchange, Stage::kRunning, Doubt::kWrite);
  if (sync.failed()) return InDoubt(Explain(sync.status, exchange, Stage::kRunning));
  if (!end.done()) {
    GiveUp();
    return InDoubt(absl::InternalError("the server's answers are out of order"));
  }
  return end.completion;
}

}  // namespace emsdb
