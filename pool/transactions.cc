#include "pool/transactions.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "pool/errors.h"

namespace emsdb {
namespace {

constexpr std::size_t kProcessBytes = 8;
constexpr std::size_t kIdBytes = 16;
// How long, and how many, ends are remembered.
constexpr Duration kMemory = std::chrono::minutes(10);
constexpr std::size_t kMostEnds = 100000;

template <std::size_t N>
std::string RandomHex() {
  std::array<char, N> bytes;
  std::size_t filled = 0;
  while (filled < N) {
    const ssize_t got = getrandom(bytes.data() + filled, N - filled, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw std::system_error(errno, std::generic_category(), "getrandom");
    filled += static_cast<std::size_t>(got);
  }
  return absl::BytesToHexString({bytes.data(), bytes.size()});
}

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

absl::Status WrongNumber(const std::string& message) {
  return WithDetail(absl::FailedPreconditionError(message),
                    {.reason = "TX_SEQUENCE", .retry = Retry::kNo});
}

// What the driver says has come to it: only a call that was stopped earlier waited to its end.
bool HasNotRun(const absl::Status& outcome) { return DetailOf(outcome).stage == Stage::kWaiting; }

absl::Status Over(std::string reason, const std::string& message) {
  return WithDetail(absl::AbortedError(message),
                    {.reason = std::move(reason), .retry = Retry::kNo});
}

}  // namespace

Transactions::Transactions(Clock& clock, Upkeep& upkeep)
    : clock_(clock), upkeep_(upkeep), process_(RandomHex<kProcessBytes>()) {
  upkeep_.Add(*this);
}

Transactions::~Transactions() {
  Drain();
  upkeep_.Remove(*this);
  std::vector<std::shared_ptr<Call>> running;
  {
    MutexLock lock(mutex_);
    for (auto& [id, entry] : entries_) {
      if (auto call = entry.running.lock()) running.push_back(std::move(call));
    }
  }
  for (const auto& call : running) call->Cancel(StopReason::kShutdown);
  MutexLock lock(mutex_);
  while (busy_ > 0) checked_in_.Wait(mutex_);
}

std::string Transactions::Add(Lease lease, TransactionTerms terms) {
  std::string id = absl::StrFormat("%s.%s", process_, RandomHex<kIdBytes>());
  Ended refused;
  Instant due{};
  {
    MutexLock lock(mutex_);
    Entry& entry = entries_[id];
    open_.insert(id);
    entry.terms = std::move(terms);
    entry.lease = std::move(lease);
    entry.began = entry.idle_since = clock_.Now();
    due = After(entry.began, std::min(entry.terms.idle_timeout, entry.terms.total_timeout));
    if (draining_) refused = EndEntry(id, entry, End::kShutdown, Telling::kHolder, entry.began);
  }
  Settle(std::move(refused));
  upkeep_.Nudge(due);
  return id;
}

void Transactions::Run(TransactionUse use, std::shared_ptr<Call> call) {
  Lease lease;
  absl::Status begun = Begun(use, call, lease);
  if (!lease) return call->Refuse(std::move(begun));
  std::move(lease).Run([this, use = std::move(use), call = std::move(call)](Lease held) {
    held.AnswerAfterwards(call);
    const absl::Status outcome = call->RunOn(held);
    CheckIn(use, outcome, std::move(held));
  });
}

// Checks the transaction out into `lease`, or leaves it empty and says what the call's answer is.
absl::Status Transactions::Begun(const TransactionUse& use, const std::shared_ptr<Call>& call,
                                 Lease& lease) {
  MutexLock lock(mutex_);
  const auto found = entries_.find(use.id);
  // Another caller's transaction is as unknown as one that never was.
  if (found == entries_.end() || found->second.terms.caller != use.caller) {
    return WhyUnknown(use.id);
  }
  Entry& entry = found->second;
  if (entry.busy) {
    return WithDetail(
        absl::FailedPreconditionError("another call is using this transaction: one at a time"),
        {.reason = "TX_BUSY", .retry = Retry::kNo});
  }
  if (auto again = AnswerAgain(use, entry)) return *std::move(again);
  if (entry.end) return WhyOver(entry, use.step, clock_.Now());
  if (absl::Status number = CheckNumber(use, entry); !number.ok()) return number;
  entry.busy = true;
  ++busy_;
  entry.running = call;
  lease = std::move(entry.lease);
  return absl::OkStatus();
}

// The first answer to the last numbered call, if this is that call.
std::optional<absl::Status> Transactions::AnswerAgain(const TransactionUse& use,
                                                      const Entry& entry) {
  if (use.sequence == 0 || use.sequence != entry.sequence) return std::nullopt;
  if (use.request != entry.request) {
    return WrongNumber(absl::StrFormat("call %d was another request: it is not run", use.sequence));
  }
  const KeptAnswer* kept = answers_.Find(use.id);
  if (kept != nullptr) {
    if (kept->status.ok()) use.repeatable->Repeat(kept->body);
    return kept->status;
  }
  return WrongNumber(absl::StrFormat(
      "call %d was run before, and is not run again; its answer is not kept: it had more than %d "
      "KiB, or gave way to newer ones%s",
      use.sequence, answers_.most_bytes() >> 10,
      entry.end == End::kCommitted ? "; the transaction is committed" : ""));
}

absl::Status Transactions::CheckNumber(const TransactionUse& use, const Entry& entry) {
  if (use.sequence == 0 || use.sequence == entry.sequence + 1) return absl::OkStatus();
  return WrongNumber(
      absl::StrFormat("expected number %d, given %d", entry.sequence + 1, use.sequence));
}

// How the transaction ended with this call, if it did.
std::optional<Transactions::End> Transactions::EndAfter(TransactionStep step,
                                                        const absl::Status& outcome,
                                                        const Connection& connection,
                                                        std::optional<End> wanted) {
  const bool commits =
      step == TransactionStep::kCommit || step == TransactionStep::kStatementAndCommit;
  if (commits && outcome.ok()) return End::kCommitted;
  if (commits && DetailOf(outcome).outcome == Outcome::kUnknown) return End::kInDoubt;
  // Decided while it ran: that is why the call was stopped, or the connection lost.
  if (wanted) return wanted;
  if (connection.broken()) return End::kConnectionLost;
  const bool closed = connection.transaction_state() == TransactionState::kIdle;
  if (closed || step != TransactionStep::kStatement) return End::kRolledBack;
  return std::nullopt;
}

void Transactions::CheckIn(const TransactionUse& use, const absl::Status& outcome, Lease lease) {
  // A call that was stopped before it ran has not used its number up.
  const bool counts = use.sequence != 0 && (outcome.ok() || !HasNotRun(outcome));
  KeptAnswer answer = {outcome, {}};
  bool keep = counts;
  if (counts && outcome.ok()) {
    auto body = use.repeatable->AnswerWithin(KeptAnswers::Limits{}.one);
    keep = body.has_value();
    if (body) answer.body = *std::move(body);
  }
  const Instant now = clock_.Now();
  Upkeep& upkeep = upkeep_;  // once nothing is checked out, this may be destroyed
  Ended ended;
  Instant due = kNever;
  {
    MutexLock lock(mutex_);
    --busy_;
    checked_in_.NotifyAll();
    Entry& entry = entries_.find(use.id)->second;  // what is busy is never forgotten
    const std::optional<End> end =
        EndAfter(use.step, outcome, lease.connection(), entry.wanted_end);
    if (end == End::kInDoubt) entry.commit_token = DetailOf(outcome).commit_token;
    entry.busy = false;
    entry.running.reset();
    entry.lease = std::move(lease);
    entry.idle_since = now;
    if (counts) {
      entry.sequence = use.sequence;
      entry.request = use.request;
      answers_.Drop(use.id);
      if (keep) answers_.Put(use.id, std::move(answer));
    }
    if (end) {
      const bool asked_for = use.step != TransactionStep::kStatement;
      ended = EndEntry(use.id, entry, *end, asked_for ? Telling::kNobody : Telling::kHolder, now);
    } else {
      due = std::min(After(now, entry.terms.idle_timeout),
                     After(entry.began, entry.terms.total_timeout));
    }
  }
  Settle(std::move(ended));
  upkeep.Nudge(due);
}

void Transactions::Abandon(const std::string& id) {
  Ended ended;
  MutexLock lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.end) return;
  found->second.terms.on_end = nullptr;
  if (found->second.busy) {
    found->second.wanted_end = End::kRolledBack;
  } else {
    ended = EndEntry(id, found->second, End::kRolledBack, Telling::kNobody, clock_.Now());
  }
}

std::optional<std::string> Transactions::DatabaseOf(const std::string& id,
                                                    std::string_view caller) const {
  MutexLock lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.end || found->second.terms.caller != caller) {
    return std::nullopt;
  }
  return found->second.terms.database;
}

int Transactions::OpenIn(std::string_view database) const {
  MutexLock lock(mutex_);
  int open = 0;
  for (const std::string& id : open_) {
    if (entries_.find(id)->second.terms.database == database) ++open;
  }
  return open;
}

Duration Transactions::OldestIn(std::string_view database) const {
  const Instant now = clock_.Now();
  MutexLock lock(mutex_);
  Duration oldest = Duration::zero();
  for (const std::string& id : open_) {
    const Entry& entry = entries_.find(id)->second;
    if (entry.terms.database == database) oldest = std::max(oldest, now - entry.began);
  }
  return oldest;
}

void Transactions::Drain() {
  std::vector<Ended> ended;
  {
    MutexLock lock(mutex_);
    draining_ = true;
    const Instant now = clock_.Now();
    for (auto each = open_.begin(); each != open_.end();) {
      const std::string& id = *each++;  // EndEntry takes it out
      Entry& entry = entries_.find(id)->second;
      if (entry.busy) {
        entry.wanted_end = End::kShutdown;
      } else {
        ended.push_back(EndEntry(id, entry, End::kShutdown, Telling::kHolder, now));
      }
    }
  }
  for (Ended& each : ended) Settle(std::move(each));
}

Instant Transactions::Tick(Instant now) {
  std::vector<Ended> ended;
  std::vector<std::shared_ptr<Call>> late;
  Instant next = kNever;
  {
    MutexLock lock(mutex_);
    for (auto each = open_.begin(); each != open_.end();) {
      const std::string& id = *each++;  // EndEntry takes it out
      Entry& entry = entries_.find(id)->second;
      const Instant too_old = After(entry.began, entry.terms.total_timeout);
      const Instant too_idle =
          entry.busy ? kNever : After(entry.idle_since, entry.terms.idle_timeout);
      if (now < too_old && now < too_idle) {
        next = std::min({next, too_old, too_idle});
      } else if (!entry.busy) {
        const End how = now >= too_old ? End::kTooOld : End::kIdleTooLong;
        ended.push_back(EndEntry(id, entry, how, Telling::kHolder, now));
      } else {
        if (!entry.wanted_end) entry.wanted_end = End::kTooOld;
        if (auto call = entry.running.lock()) late.push_back(std::move(call));
      }
    }
    Forget(now);
    if (!ended_.empty()) next = std::min(next, entries_[ended_.front()].ended + kMemory);
  }
  for (const auto& call : late) call->Cancel(StopReason::kExpired);
  for (Ended& each : ended) Settle(std::move(each));
  return next;
}

absl::Status Transactions::WhyOver(const Entry& entry, TransactionStep step, Instant now) const {
  const std::string when = absl::StrFormat("%.1f s ago, %.1f s old", Seconds(now - entry.ended),
                                           Seconds(entry.ended - entry.began));
  switch (*entry.end) {
    case End::kCommitted:
      if (step == TransactionStep::kCommit) return absl::OkStatus();
      if (step == TransactionStep::kRollBack) {
        return WithDetail(absl::FailedPreconditionError(absl::StrFormat(
                              "the transaction was committed %s: it cannot be undone", when)),
                          {.reason = "TX_COMMITTED", .retry = Retry::kNo});
      }
      return Over("TX_COMMITTED", absl::StrFormat("the transaction was committed %s", when));
    case End::kInDoubt: {
      absl::Status status =
          OutcomeUnknown("nobody knows whether it took effect", Stage::kCommitting);
      return WithCommitToken(std::move(status), entry.commit_token);
    }
    default:
      break;
  }
  if (step == TransactionStep::kRollBack) return absl::OkStatus();
  switch (*entry.end) {
    case End::kIdleTooLong:
      return Over("TX_EXPIRED",
                  absl::StrFormat("the transaction was rolled back %s: no call used it for %.1f s",
                                  when, Seconds(entry.terms.idle_timeout)));
    case End::kTooOld:
      return Over("TX_EXPIRED",
                  absl::StrFormat("the transaction was rolled back %s: its total time is %.1f s",
                                  when, Seconds(entry.terms.total_timeout)));
    case End::kConnectionLost:
      return Over("TX_CONNECTION_LOST",
                  absl::StrFormat("the transaction ended %s: its connection was lost, nothing of "
                                  "it took effect",
                                  when));
    case End::kShutdown:
      return Over("TX_SHUTDOWN", absl::StrFormat("the transaction was rolled back %s: the gateway "
                                                 "is shutting down",
                                                 when));
    default:
      return Over("TX_ROLLED_BACK", absl::StrFormat("the transaction was rolled back %s", when));
  }
}

absl::Status Transactions::WhyUnknown(const std::string& id) const {
  const std::size_t length = 2 * kProcessBytes + 1 + 2 * kIdBytes;
  const bool digits = std::all_of(
      id.begin(), id.end(), [](unsigned char c) { return std::isxdigit(c) != 0 || c == '.'; });
  if (id.size() != length || id[2 * kProcessBytes] != '.' || !digits) {
    return InvalidField("transaction_id", "not an id that BeginTransaction returns");
  }
  if (id.compare(0, process_.size(), process_) != 0) {
    return Over("TX_ELSEWHERE",
                "the transaction belongs to another gateway process and cannot be used here");
  }
  return Over("TX_UNKNOWN",
              "there is no such transaction of this caller here, or it ended long ago");
}

Transactions::Ended Transactions::EndEntry(const std::string& id, Entry& entry, End how,
                                           Telling telling, Instant now) {
  entry.end = how;
  entry.ended = now;
  ended_.push_back(id);
  Ended ended;
  ended.lease = std::move(entry.lease);
  auto on_end = std::exchange(entry.terms.on_end, nullptr);
  if (on_end && telling == Telling::kHolder) {
    ended.why = WhyOver(entry, TransactionStep::kStatement, now);
    ended.tell = std::move(on_end);
  }
  open_.erase(id);  // last: `id` may be the very string in it
  return ended;
}

void Transactions::Settle(Ended ended) {
  ended.lease = Lease();  // the locks first
  if (ended.tell) ended.tell(ended.why);
}

void Transactions::Forget(Instant now) {
  while (!ended_.empty()) {
    const auto oldest = entries_.find(ended_.front());
    if (ended_.size() <= kMostEnds && oldest->second.ended + kMemory > now) return;
    answers_.Drop(ended_.front());
    entries_.erase(oldest);
    ended_.pop_front();
  }
}

}  // namespace emsdb
