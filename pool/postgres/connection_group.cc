// Several callers' reads in one packet, each a unit of its own.
#include <algorithm>
#include <utility>
#include <vector>

#include "pool/errors.h"
#include "pool/postgres/connection.h"
#include "pool/postgres/sqlstate.h"

namespace emsdb {
namespace {

// It took longer than it may in a group, or tried to write.
bool MetItsBounds(const StepEnd& end) {
  if (end.status.ok()) return false;
  const std::string sqlstate = DetailOf(end.status).sqlstate;
  return sqlstate == kQueryCanceled || sqlstate == kReadOnlyTransaction;
}

}  // namespace

GroupSettings PostgresConnection::SettingsFor(const GroupedRead& read) const {
  return {.statement_timeout = StatementTimeout(Instant(), After(Instant(), read.time_limit())),
          .application_name = ApplicationName(read.identity(), shared_->application_name)};
}

bool PostgresConnection::QueueRead(SentRead& sent) {
  NoteText(*sent.member.facts);
  sent.carries_settings = !kept_ || !kept_->certain || kept_->settings != sent.settings;
  if (kept_ && !sent.member.facts->calls_no_function) kept_->certain = false;
  if (sent.carries_settings &&
      !QueueTransactionSettings(
          wire_->handle(),
          {.statement_timeout = sent.settings.statement_timeout,
           .application_name = sent.settings.application_name,
           .access = Access::kReadOnly,
           .reset_mark = {}},
          UsesPreparedSettings() ? SettingsForm::kPrepared : SettingsForm::kText)) {
    return false;
  }
  return QueueStatement(sent.member) && QueueSync();
}

// What two groups on end have asked for is worth a command more.
bool PostgresConnection::QueueKept(std::span<const SentRead> sent) {
  to_keep_.reset();
  if (sent.empty()) return true;
  const GroupSettings& wanted = sent.back().settings;
  const bool again = wanted == std::exchange(last_wanted_, wanted);
  const bool is_kept = kept_ && kept_->certain && kept_->settings == wanted;
  if (is_kept || !again || !changes_.empty() || !CanKeepGroupSettings(wire_->handle())) {
    return true;
  }
  to_keep_ = wanted;
  return QueueGroupSettings(wire_->handle(), wanted) && QueueSync();
}

absl::StatusOr<Completion> PostgresConnection::ReadRead(Exchange& exchange, const SentRead& sent) {
  const Member& member = sent.member;
  RowForwarder rows(sent.read->sink(), decoder_, shared_->types);
  StepEnd settings{.how = StepEnd::How::kDone};
  if (sent.carries_settings) settings = ReadStep(exchange, nullptr, Stage::kRunning);
  const StepEnd end = ReadStatement(exchange, member, rows);
  const StepEnd sync = ReadSync(exchange, Stage::kRunning);
  if (settings.failed() && UsesPreparedSettings()) changes_ |= SessionChange::kPrepared;
  const bool outdated = WasOutdated(end, member, rows, Access::kReadOnly);
  if (!settings.done() || sync.lost() || end.fatal || outdated) return RunAlone();
  if (MetItsBounds(end)) return UnfitForGroup();
  // Their names are asked for in a trip that would hold up those behind it.
  if (!rows.unknown_types().empty()) return RunAlone();
  if (!end.status.ok()) return end.status;
  if (sync.failed()) return sync.status;
  if (!end.done()) return RunAlone();
  return end.completion;
}

void PostgresConnection::ExecuteGroup(std::span<GroupedRead* const> reads, const Bounds& bounds) {
  // A reset before every use would be one between any two of them.
  const bool possible = shared_->session_reset == SessionReset::kWhenChanged &&
                        CheckReady(bounds, Stage::kRunning).ok() && CheckIdle().ok();
  std::vector<GroupedRead*> alone;
  std::vector<SentRead> sent;
  bool queued = possible;
  if (possible) {
    sent.reserve(reads.size());
    const Wire::OnePacket packet(*wire_);
    queued = QueueDrops();
    for (GroupedRead* read : reads) {
      auto member = MemberFor(read->statement());
      if (!queued || !member.ok()) {
        alone.push_back(read);
        continue;
      }
      sent.push_back({.read = read, .member = *std::move(member), .settings = SettingsFor(*read)});
      queued = QueueRead(sent.back());
    }
    queued = queued && QueueKept(sent);
  } else {
    alone.assign(reads.begin(), reads.end());
  }
  if (possible && !queued) SendFailed(Stage::kRunning).IgnoreError();
  ReadGroup(sent, bounds);
  ReadKept(bounds);
  for (GroupedRead* read : alone) read->Ended(RunAlone(), Duration::zero());
}

void PostgresConnection::ReadGroup(std::span<const SentRead> sent, const Bounds& bounds) {
  Instant before = shared_->clock.Now();
  for (std::size_t i = 0; i < sent.size(); ++i) {
    absl::StatusOr<Completion> result;
    if (broken()) {
      result = RunAlone();
    } else {
      // Of its own: what one of them does to its exchange is nothing to the next.
      Exchange exchange(*wire_, shared_->clock, nullptr, bounds, shared_->cancel_grace);
      ReadDrops(exchange);
      result = ReadRead(exchange, sent[i]);
      const bool last = i + 1 == sent.size() && !to_keep_;
      if (last || !exchange.answered()) Settle(exchange);
    }
    const Instant now = shared_->clock.Now();
    sent[i].read->Ended(std::move(result), now - std::exchange(before, now));
  }
}

void PostgresConnection::ReadKept(const Bounds& bounds) {
  const std::optional<GroupSettings> asked = std::exchange(to_keep_, std::nullopt);
  if (!asked || broken()) return;
  Exchange exchange(*wire_, shared_->clock, nullptr, bounds, shared_->cancel_grace);
  const StepEnd set = ReadStep(exchange, nullptr, Stage::kRunning);
  const StepEnd sync = ReadSync(exchange, Stage::kRunning);
  if (set.done() && sync.done()) {
    kept_ = {.settings = *asked, .certain = true, .reports = ReportsWith(reports_, *asked)};
  } else {
    last_wanted_ = {};
  }
  Settle(exchange);
}

}  // namespace emsdb
