#include "server/batch_call.h"

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "server/bound_values.h"

namespace emsdb {
namespace {

constexpr int kMostStatements = 1000;

// In a group: so many that what they may take at most is within what a call in a group has left.
constexpr std::size_t kMostInGroup = 8;
static_assert(kMostInGroup * ProvenReads::kLimits.front() <= Call::kLeastTimeForGroup);

// Spreads batches that met each other.
double Jitter() {
  thread_local std::minstd_rand generator{std::random_device()()};
  return std::uniform_real_distribution<double>()(generator);
}

const char* FoundName(CommitFate found) {
  return found == CommitFate::kCommitted ? "committed" : "rolled_back";
}

absl::StatusOr<GuardedStatement> ToGuarded(const v1::BatchStatement& guarded, int index) {
  const std::string field = absl::StrFormat("statements[%d]", index);
  auto statement = ToStatement(guarded.statement(), field + ".statement");
  if (!statement.ok()) return AtStatement(std::move(statement).status(), index);
  GuardedStatement converted{*std::move(statement), std::nullopt};
  if (guarded.has_expect_rows()) {
    if (guarded.expect_rows() < 0) {
      return AtStatement(InvalidField(field + ".expect_rows", "a number of rows is 0 or more"),
                         index);
    }
    converted.expect_rows = guarded.expect_rows();
  }
  return converted;
}

}  // namespace

absl::StatusOr<Batch> ToBatch(const v1::ExecuteBatchRequest& request) {
  if (request.statements().empty() || request.statements_size() > kMostStatements) {
    return InvalidField("statements", absl::StrFormat("%d statements: 1 to %d are allowed",
                                                      request.statements_size(), kMostStatements));
  }
  if (request.options().has_idle_timeout() || request.options().has_total_timeout()) {
    return InvalidField("options",
                        "a batch has no idle_timeout and no total_timeout: its deadline "
                        "is the call's");
  }
  auto options = ToTransactionOptions(request.options(), "options");
  if (!options.ok()) return std::move(options).status();
  Batch batch{{}, *options};
  batch.statements.reserve(request.statements_size());
  for (int i = 0; i < request.statements_size(); ++i) {
    auto guarded = ToGuarded(request.statements(i), i);
    if (!guarded.ok()) return std::move(guarded).status();
    batch.statements.push_back(*std::move(guarded));
  }
  return batch;
}

BatchCall::BatchCall(Gateway& gateway, CallBasics basics, UnaryReactor& reactor,
                     v1::ExecuteBatchResponse& response, Batch batch)
    : UnaryCall(gateway, std::move(basics), reactor, response),
      batch_(std::move(batch)),
      course_(options().deadline),
      witness_(this->basics().database, announcer()),
      share_(gateway.result_memory) {}

Grouping BatchCall::grouping(Pool& pool) {
  const TransactionOptions& options = batch_.options;
  const bool usual = options.access == Access::kReadOnly &&
                     options.isolation == Isolation::kDefault && !options.deferrable;
  ProvenReads* proven = usual ? pool.proven_batches() : nullptr;
  if (proven == nullptr || batch_.statements.size() > kMostInGroup) return Grouping::kAlone;
  proven_ = proven;
  key_ = ProvenReads::KeyOf(batch_.statements);
  const auto limit = proven->LimitOf(key_, batch_.statements);
  const Duration left = this->options().deadline - gateway().pools.clock().Now();
  if (!limit || left < 2 * kLeastTimeForGroup) return Grouping::kAlone;
  time_limit_ = *limit;
  return Grouping::kGroup;
}

GroupedRead* BatchCall::grouped_read() {
  ForgetResults();
  return this;
}

void BatchCall::Ended(absl::StatusOr<Completion> result, Duration took) {
  if (result.ok()) {
    proven_->RanInGroup(key_, took);
  } else if (IsUnfitForGroup(result.status())) {
    proven_->FailedInGroup(key_);
  }
  if (!IsRunAlone(result.status())) course_.AttemptBegins();
  LeaveGroup(result.status());
}

void BatchCall::StartOver() { DropResults(); }

// SHOW and EXPLAIN read too; but what they take says little.
bool BatchCall::HasOnlySelected() const {
  const auto& results = response().results();
  return std::all_of(results.begin(), results.end(), [](const v1::StatementResult& result) {
    return result.command() == "SELECT";
  });
}

absl::Status BatchCall::Execute(Connection& connection, const RunOptions& run,
                                const Bounds& bounds) {
  const Instant began = gateway().pools.clock().Now();
  absl::Status status =
      connection.ExecuteBatch(batch_.statements, batch_.options, run, bounds, *this);
  if (proven_ != nullptr && status.ok()) {
    const bool harmless = HasOnlySelected() && !connection.session_changed() &&
                          connection.transaction_state() == TransactionState::kIdle;
    proven_->RanAlone(key_, gateway().pools.clock().Now() - began, harmless);
  }
  return status;
}

void BatchCall::DropResults() {
  sinks_.clear();
  response().Clear();
  share_.GiveBack();
}

void BatchCall::ForgetResults() {
  DropResults();
  budget_ = {.share = &share_};
  for (std::size_t i = 0; i < batch_.statements.size(); ++i) {
    v1::StatementResult& result = *response().add_results();
    sinks_.emplace_back(*result.mutable_columns(), *result.mutable_rows(), budget_);
  }
}

absl::Status BatchCall::Run(Connection& connection, const Bounds& bounds, Lease&) {
  if (course_.asking()) return course_.Asked(connection.OutcomeOf(*witness_.id(), bounds));
  course_.AttemptBegins();
  ForgetResults();
  RunOptions run = run_options(batch_.options.access);
  run.witness = &witness_;
  return witness_.Marked(Execute(connection, run, bounds));
}

bool BatchCall::GoesOn(const absl::Status& status) {
  const bool was_asking = course_.asking();
  const BatchCourse::Next next =
      course_.After(status, witness_.told(), gateway().pools.clock().Now(), Jitter());
  if (next.step == BatchCourse::Step::kAnswer) return false;
  if (!was_asking && course_.asking()) SpeakInTime();
  if (next.step == BatchCourse::Step::kRun) gateway().journal.BatchRetried(basics().database);
  auto self = std::static_pointer_cast<BatchCall>(shared_from_this());
  gateway().pools.later().At(next.at, [self = std::move(self)] { self->Again(); });
  return true;
}

// Asking may wait for a connection, or for a server that is stopped, until the deadline: then the
// token would come too late.
void BatchCall::SpeakInTime() {
  gateway().pools.later().At(course_.last_word(), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Cancel(StopReason::kExpired);
  });
}

// Those of the statement that failed; of the first few where it was no single one.
Fields BatchCall::BoundValues(const absl::Status& status) const {
  constexpr std::size_t kMostShown = 5;
  const auto values = [this](std::size_t i) {
    return ShownValues(batch_.statements[i].statement.parameters);
  };
  const int blamed = DetailOf(status).statement;
  if (blamed >= 0) return values(static_cast<std::size_t>(blamed));
  Fields shown = Fields::array();
  for (std::size_t i = 0; i < std::min(batch_.statements.size(), kMostShown); ++i) {
    shown.push_back(values(i));
  }
  return shown;
}

void BatchCall::Finish(absl::Status status, const CallTimes& times) {
  if (course_.found()) {
    gateway().journal.CommitInDoubt(basics().database, FoundName(*course_.found()));
  }
  response().set_attempts(static_cast<std::uint32_t>(course_.attempts()));
  UnaryCall::Finish(course_.Answer(status), times);
}

void BatchCall::Completed(std::size_t statement, const Completion& completion) {
  v1::StatementResult& result = *response().mutable_results(static_cast<int>(statement));
  result.set_rows_affected(completion.rows_affected);
  result.set_command(completion.command);
}

}  // namespace emsdb
