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
bool MetItsBounds(const absl::Status& status) {
  if (status.ok()) return false;
  const std::string sqlstate = DetailOf(status).sqlstate;
  return sqlstate == kQueryCanceled || sqlstate == kReadOnlyTransaction;
}

}  // namespace

bool PostgresConnection::FindMembers(SentRead& sent) {
  const auto add = [&sent](const Statement& statement,
                           std::optional<std::int64_t> expect_rows = std::nullopt) {
    auto member = MemberFor(statement, expect_rows);
    if (!member.ok()) return false;
    sent.members.push_back(*std::move(member));
    return true;
  };
  if (!sent.batch) return add(sent.read->statement());
  // What calls a function may have something to take back.
  return std::all_of(sent.batch->statements.begin(), sent.batch->statements.end(),
                     [&](const GuardedStatement& one) {
                       return add(one.statement, one.expect_rows) &&
                              sent.members.back().facts->harmless();
                     });
}

bool PostgresConnection::QueueRead(SentRead& sent) {
  for (const Member& member : sent.members) NoteText(*member.facts);
  const RunOptions options = {.access = Access::kReadOnly, .identity = sent.read->identity()};
  const Instant limit = After(shared_->clock.Now(), sent.read->time_limit());
  bool queued = QueueSettings(options, {.deadline = limit});
  for (Member& member : sent.members) queued = queued && QueueStatement(member);
  return queued && QueueSync();
}

StepEnd PostgresConnection::ReadGroupSettings(Exchange& exchange) {
  StepEnd settings = ReadStep(exchange, nullptr, Stage::kRunning);
  if (settings.failed() && UsesPreparedSettings()) changes_ |= SessionChange::kPrepared;
  return settings;
}

absl::StatusOr<Completion> PostgresConnection::ReadRead(Exchange& exchange, const SentRead& sent) {
  if (sent.batch) return ReadReads(exchange, sent);
  const Member& member = sent.members.front();
  RowForwarder rows(sent.read->sink(), decoder_, shared_->types);
  const StepEnd settings = ReadGroupSettings(exchange);
  const StepEnd end = ReadStatement(exchange, member, rows);
  const StepEnd sync = ReadSync(exchange, Stage::kRunning);
  const bool outdated = WasOutdated(end, member, rows, Access::kReadOnly);
  if (!settings.done() || sync.lost() || end.fatal || outdated) return RunAlone();
  if (MetItsBounds(end.status)) return UnfitForGroup();
  // Their names are asked for in a trip that would hold up those behind it.
  if (!rows.unknown_types().empty()) return RunAlone();
  if (!end.status.ok()) return end.status;
  if (sync.failed()) return sync.status;
  if (!end.done()) return RunAlone();
  return end.completion;
}

absl::StatusOr<Completion> PostgresConnection::ReadReads(Exchange& exchange, const SentRead& sent) {
  BatchEnd end;
  std::vector<RowForwarder> rows;
  const StepEnd settings = ReadGroupSettings(exchange);
  end.Note(settings, -1);
  ReadMembers(exchange, sent.members, Access::kReadOnly, *sent.batch->sink, rows, end);
  const StepEnd sync = ReadSync(exchange, Stage::kRunning);
  if (!settings.done() || sync.lost() || end.outdated) return RunAlone();
  if (MetItsBounds(end.status)) return UnfitForGroup();
  const bool named = std::all_of(rows.begin(), rows.end(), [](const RowForwarder& forwarder) {
    return forwarder.unknown_types().empty();
  });
  if (!named) return RunAlone();
  if (!end.status.ok()) {
    return end.failed_at < 0 ? end.status : AtStatement(end.status, end.failed_at);
  }
  if (sync.failed()) return sync.status;
  if (end.done < sent.members.size()) return RunAlone();
  return Completion{};
}

void PostgresConnection::ExecuteGroup(std::span<GroupedRead* const> reads, const Bounds& bounds) {
  // A reset before every use would be one between any two of them.
  const bool possible = sends_ahead() && CheckReady(bounds, Stage::kRunning).ok();
  const std::vector<GroupedRead*> alone =
      possible ? SendGroup(reads) : std::vector<GroupedRead*>(reads.begin(), reads.end());
  ReadGroup(bounds);
  for (GroupedRead* read : alone) read->Ended(RunAlone(), Duration::zero());
}

bool PostgresConnection::sends_ahead() const {
  return shared_->session_reset == SessionReset::kWhenChanged && CheckIdle().ok();
}

bool PostgresConnection::SendRead(GroupedRead& read) {
  GroupedRead* const reads[] = {&read};
  return sends_ahead() && !broken() && SendGroup(reads).empty();
}

void PostgresConnection::EndRead(const Bounds& bounds) { ReadGroup(bounds); }

// Those that cannot be sent come back.
std::vector<GroupedRead*> PostgresConnection::SendGroup(std::span<GroupedRead* const> reads) {
  std::vector<GroupedRead*> alone;
  sent_.reserve(reads.size());
  for (GroupedRead* read : reads) {
    sent_.push_back({.read = read, .batch = read->batch()});
    if (FindMembers(sent_.back())) continue;
    sent_.pop_back();
    alone.push_back(read);
  }
  if (sent_.empty()) return alone;  // nor are there answers to be read
  bool queued = true;
  {
    const Wire::OnePacket packet(*wire_);
    queued = QueueDrops();
    for (SentRead& sent : sent_) queued = queued && QueueRead(sent);
  }
  if (!queued) SendFailed(Stage::kRunning).IgnoreError();
  return alone;
}

void PostgresConnection::ReadGroup(const Bounds& bounds) {
  const std::vector<SentRead> sent = std::exchange(sent_, {});
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
      const bool last = i + 1 == sent.size();
      if (last || !exchange.answered()) Settle(exchange);
    }
    const Instant now = shared_->clock.Now();
    sent[i].read->Ended(std::move(result), now - std::exchange(before, now));
  }
}

}  // namespace emsdb
