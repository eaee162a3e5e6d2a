// Several callers' reads, one after the other: one change of threads and one look at the file for
// all of them.
#include <algorithm>
#include <utility>

#include "pool/errors.h"
#include "pool/sqlite/connection.h"
#include "pool/sqlite/refusals.h"
#include "pool/sqlite/values.h"
#include "pool/statement_facts.h"

namespace emsdb::sqlite {
namespace {

// Who has not begun by then is better off on a connection of his own: those before him were slow.
constexpr Duration kGroupPatience = std::chrono::milliseconds(20);

bool CallsAFunction(const GroupedRead* read) {
  return !FactsOf(read->statement().sql)->calls_no_function;
}

}  // namespace

// What SQLite may do better a moment later is run alone, and so is what fails for a reason that
// cannot be told from a write: alone it ends as it must.
absl::Status SqliteConnection::InGroup(const absl::Status& failure) {
  if (failure == ReadOnlyRefused()) return UnfitForGroup();
  const bool again = absl::IsFailedPrecondition(failure) || DetailOf(failure).retry == Retry::kYes;
  return broken() || again ? RunAlone() : failure;
}

absl::StatusOr<Completion> SqliteConnection::Read(GroupedRead& read) {
  const Statement& statement = read.statement();
  if (absl::Status status = CheckStatement(statement); !status.ok()) return status;
  ForgetRowid();
  const auto prepared = Prepare(statement, Access::kReadOnly);
  if (!prepared.ok()) return prepared.status();
  return RunPrepared(prepared->get(), statement.sql, read.sink());
}

absl::StatusOr<Completion> SqliteConnection::RunMember(GroupedRead& read, Instant since,
                                                       const Bounds& group) {
  const Instant limit = After(since, read.time_limit());
  const Interruption::Within within(session_->interruption(),
                                    {std::min(limit, group.deadline), group.stop});
  auto completion = Read(read);
  if (completion.ok()) return completion;
  const absl::Status cause = session_->interruption().Cause(Stage::kRunning);
  if (cause.ok()) return InGroup(completion.status());
  const bool own = absl::IsDeadlineExceeded(cause) && limit < group.deadline;
  return own ? UnfitForGroup() : RunAlone();
}

void SqliteConnection::ExecuteGroup(std::span<GroupedRead* const> reads, const Bounds& bounds) {
  const Interruption::Impatient impatient(session_->interruption());
  // What calls none cannot write once SQLite says that it does not: no need to forbid it, which
  // costs more than a read.
  const bool harmless =
      role_ == SqliteRole::kReader || std::none_of(reads.begin(), reads.end(), CallsAFunction);
  const Access access = harmless ? Access::kReadWrite : Access::kReadOnly;
  const bool possible = state_ == TransactionState::kIdle && Restrict(access).ok();
  Instant before = session_->interruption().Now();
  const Instant last = std::min(After(before, kGroupPatience), bounds.deadline);
  for (GroupedRead* read : reads) {
    const bool begins = possible && !broken() && before < last;
    // When it is told of its end it may be gone, and nothing of it is bound any more.
    absl::StatusOr<Completion> result =
        begins ? RunMember(*read, before, bounds) : absl::StatusOr<Completion>(RunAlone());
    const Instant now = session_->interruption().Now();
    read->Ended(std::move(result), now - std::exchange(before, now));
  }
  if (possible) Unrestrict(access);
}

}  // namespace emsdb::sqlite
