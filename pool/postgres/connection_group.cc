// Several callers' reads in one packet, each a unit of its own.
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

bool PostgresConnection::QueueRead(const GroupedRead& read, Member& member) {
  NoteText(*member.facts);
  const RunOptions options = {.access = Access::kReadOnly, .identity = read.identity()};
  const Instant limit = After(shared_->clock.Now(), read.time_limit());
  return QueueSettings(options, {.deadline = limit}) && QueueStatement(member) && QueueSync();
}

absl::StatusOr<Completion> PostgresConnection::ReadRead(Exchange& exchange, const Member& member,
                                                        RowSink& sink) {
  RowForwarder rows(sink, decoder_, shared_->types);
  const StepEnd settings = ReadStep(exchange, nullptr, Stage::kRunning);
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
  std::vector<GroupedRead*> sent;
  std::vector<Member> members;
  bool queued = possible;
  if (possible) {
    members.reserve(reads.size());
    const Wire::OnePacket packet(*wire_);
    queued = QueueDrops();
    for (GroupedRead* read : reads) {
      auto member = MemberFor(read->statement());
      if (!queued || !member.ok()) {
        alone.push_back(read);
        continue;
      }
      sent.push_back(read);
      members.push_back(*std::move(member));
      queued = QueueRead(*read, members.back());
    }
  } else {
    alone.assign(reads.begin(), reads.end());
  }
  if (possible && !queued) SendFailed(Stage::kRunning).IgnoreError();
  ReadGroup(sent, members, bounds);
  for (GroupedRead* read : alone) read->Ended(RunAlone(), Duration::zero());
}

void PostgresConnection::ReadGroup(std::span<GroupedRead* const> sent,
                                   std::span<const Member> members, const Bounds& bounds) {
  Instant before = shared_->clock.Now();
  for (std::size_t i = 0; i < sent.size(); ++i) {
    absl::StatusOr<Completion> result;
    if (broken()) {
      result = RunAlone();
    } else {
      // Of its own: what one of them does to its exchange is nothing to the next.
      Exchange exchange(*wire_, shared_->clock, nullptr, bounds, shared_->cancel_grace);
      ReadDrops(exchange);
      result = ReadRead(exchange, members[i], sent[i]->sink());
      const bool last = i + 1 == sent.size();
      if (last || !exchange.answered()) Settle(exchange);
    }
    const Instant now = shared_->clock.Now();
    sent[i]->Ended(std::move(result), now - std::exchange(before, now));
  }
}

}  // namespace emsdb
