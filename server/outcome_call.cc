#include "server/outcome_call.h"

#include <memory>
#include <utility>

#include "pool/errors.h"
#include "server/commit_token.h"

namespace emsdb {
namespace {

v1::CommitOutcome ToWire(CommitFate fate) {
  switch (fate) {
    case CommitFate::kCommitted:
      return v1::COMMIT_OUTCOME_COMMITTED;
    case CommitFate::kRolledBack:
      return v1::COMMIT_OUTCOME_ROLLED_BACK;
    case CommitFate::kInProgress:
      break;
  }
  return v1::COMMIT_OUTCOME_IN_PROGRESS;
}

class OutcomeCall final : public UnaryCall<v1::GetCommitOutcomeResponse> {
 public:
  OutcomeCall(Gateway& gateway, CallBasics basics, UnaryReactor& reactor,
              v1::GetCommitOutcomeResponse& response, const CommitId& id)
      : UnaryCall(gateway, std::move(basics), reactor, response), id_(id) {}

 protected:
  absl::Status Run(Connection& connection, const Bounds& bounds, Lease&) override {
    const auto fate = connection.OutcomeOf(id_, bounds);
    if (fate.ok()) response().set_outcome(ToWire(*fate));
    return fate.status();
  }

 private:
  const CommitId id_;
};

}  // namespace

absl::Status StartOutcome(Gateway& gateway, grpc::CallbackServerContext& context,
                          const v1::GetCommitOutcomeRequest& request,
                          v1::GetCommitOutcomeResponse& response, UnaryReactor& reactor) {
  auto basics =
      Admit("GetCommitOutcome", context, gateway, v1::PRIORITY_UNSPECIFIED, kDefaultDeadline);
  if (!basics.ok()) return std::move(basics).status();
  const auto commit = FromCommitToken(request.commit_token());
  if (!commit.ok()) return commit.status();
  absl::Status allowed = CheckMayUse(basics->caller, commit->database);
  if (!allowed.ok()) return allowed;
  const auto database = FindDatabase(gateway, basics->caller, commit->database);
  if (!database.ok()) return OutcomeElsewhere();
  basics->database = commit->database;
  Pool& pool = (*database)->PoolFor(Access::kReadOnly);
  auto call =
      std::make_shared<OutcomeCall>(gateway, *std::move(basics), reactor, response, commit->id);
  reactor.Attach(call);
  call->Start(pool, Purpose::kStatement);
  return absl::OkStatus();
}

}  // namespace emsdb
