#include "client/cli/session.h"

namespace emsdb::client::cli {
namespace {

struct Shown {
  const char* line;
  ExitStatus status;
};

Shown ShownAs(CommitOutcome outcome) {
  switch (outcome) {
    case CommitOutcome::kCommitted:
      return {"COMMITTED\n", ExitStatus::kOk};
    case CommitOutcome::kRolledBack:
      return {"ROLLED_BACK\n", ExitStatus::kRefused};
    case CommitOutcome::kInProgress:
      break;
  }
  return {"IN_PROGRESS\n", ExitStatus::kUnknown};
}

}  // namespace

ExitStatus RunOutcome(const OutcomeCommand& command, Session& session) {
  const auto outcome = session.client.CommitOutcomeOf(command.token, session.call);
  if (!outcome.ok()) return Report(outcome.status());
  const Shown shown = ShownAs(*outcome);
  session.output.Write(shown.line);
  const ExitStatus written = FinishOutput(session.output, CallState::kDone);
  return written == ExitStatus::kOk ? shown.status : written;
}

}  // namespace emsdb::client::cli
