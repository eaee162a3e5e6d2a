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

bool PostgresConnection::Board(Passenger& passenger, std::vector<Member>& members) {
  passenger.first = members.size();
  const auto add = [&members](const Statement& statement,
                              std::optional<std::int64_t> expect_rows = std::nullopt) {
    auto member = MemberFor(statement, expect_rows);
    if (member.ok()) members.push_back(*std::move(member));
    return member.ok();
  };
  bool added = true;
  if (passenger.batch) {
    for (const GuardedStatement& one : passenger.batch->statements) {
      // What calls a function may have something to take back.
      added = added && add(one.statement, one.expect_rows) && members.back().facts->harmless();
    }
  } else {
    added = add(passenger.read->statement());
  }
  if (!added) members.erase(members.begin() + static_cast<int>(passenger.first), members.end());
  passenger.count = members.size() - passenger.first;
  return added;
}

bool PostgresConnection::QueueRead(const GroupedRead& read, std::span<Member> members) {
  for (const Member& member : members) NoteText(*member.facts);
  const RunOptions options = {.access = Access::kReadOnly, .identity = read.identity()};
  const Instant limit = After(shared_->clock.Now(), read.time_limit());
  bool queued = QueueSettings(options, {.deadline = limit});
  for (Member& member : members) queued = queued && QueueStatement(member);
  return queued && QueueSync();
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
  if (MetItsBounds(end.status)) return UnfitForGroup();
  // Their names are asked for in a trip that would hold up those behind it.
  if (!rows.unknown_types().empty()) return RunAlone();
  if (!end.status.ok()) return end.status;
  if (sync.failed()) return sync.status;
  if (!end.done()) return RunAlone();
  return end.completion;
}

absl::StatusOr<Completion> PostgresConnection::ReadReads(Exchange& exchange,
                                                         std::span<const Member> members,
                                                         BatchSink& sink) {
  BatchEnd end;
  std::vector<RowForwarder> rows;
  const StepEnd settings = ReadSettings(exchange, end);
  ReadMembers(exchange, members, Access::kReadOnly, sink, rows, end);
  const StepEnd sync = ReadSync(exchange, Stage::kRunning);
  if (settings.failed() && UsesPreparedSettings()) changes_ |= SessionChange::kPrepared;
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
  if (end.done < members.size()) return RunAlone();
  return Completion{};
}

void PostgresConnection::ExecuteGroup(std::span<GroupedRead* const> reads, const Bounds& bounds) {
  // A reset before every use would be one between any two of them.
  const bool possible = shared_->session_reset == SessionReset::kWhenChanged &&
                        CheckReady(bounds, Stage::kRunning).ok() && CheckIdle().ok();
  std::vector<GroupedRead*> alone;
  std::vector<Passenger> sent;
  std::vector<Member> members;
  bool queued = possible;
  if (possible) {
    members.reserve(reads.size());
    const Wire::OnePacket packet(*wire_);
    queued = QueueDrops();
    for (GroupedRead* read : reads) {
      Passenger passenger{.read = read, .batch = read->batch()};
      if (!queued || !Board(passenger, members)) {
        alone.push_back(read);
        continue;
      }
      sent.push_back(passenger);
      queued = QueueRead(*read, std::span(members).subspan(passenger.first));
    }
  } else {
    alone.assign(reads.begin(), reads.end());
  }
  if (possible && !queued) SendFailed(Stage::kRunning).IgnoreError();
  ReadGroup(sent, members, bounds);
  for (GroupedRead* read : alone) read->Ended(RunAlone(), Duration::zero());
}

void PostgresConnection::ReadGroup(std::span<const Passenger> sent, std::span<const Member> members,
                                   const Bounds& bounds) {
  Instant before = shared_->clock.Now();
  for (std::size_t i = 0; i < sent.size(); ++i) {
    absl::StatusOr<Completion> result;
    if (broken()) {
      result = RunAlone();
    } else {
      // Of its own: what one of them does to its exchange is nothing to the next.
      Exchange exchange(*wire_, shared_->clock, nullptr, bounds, shared_->cancel_grace);
      ReadDrops(exchange);
      const auto own = members.subspan(sent[i].first, sent[i].count);
      result = sent[i].batch ? ReadReads(exchange, own, *sent[i].batch->sink)
                             : ReadRead(exchange, own.front(), sent[i].read->sink());
      const bool last = i + 1 == sent.size();
      if (last || !exchange.answered()) Settle(exchange);
    }
    const Instant now = shared_->clock.Now();
    sent[i].read->Ended(std::move(result), now - std::exchange(before, now));
  }
}

}  // namespace emsdb
