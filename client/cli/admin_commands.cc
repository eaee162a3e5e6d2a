// The commands that ask about the gateway itself.
#include "client/cli/list_text.h"
#include "client/cli/session.h"

namespace emsdb::client::cli {
namespace {

Json DatabaseJson(const v1::Database& database) {
  return {{"name", database.name()},
          {"engine", EngineName(database.engine())},
          {"location", database.location()},
          {"tier", database.tier()},
          {"reachable", database.reachable()}};
}

}  // namespace

ExitStatus RunDatabases(const DatabasesCommand& command, Session& session) {
  const auto databases = session.client.ListDatabases(session.call);
  if (!databases.ok()) return Report(databases.status());
  Json list = Json::array();
  for (const v1::Database& database : *databases) list.push_back(DatabaseJson(database));
  return WriteList(list, command.format, session.output);
}

ExitStatus RunHealth(const HealthCommand& command, Session& session) {
  const absl::StatusOr<HealthStatus> health = session.client.Health(command.database, session.call);
  if (!health.ok()) return Report(health.status());
  const bool serving = *health == HealthStatus::kServing;
  session.output.Write(serving ? "SERVING\n" : "NOT_SERVING\n");
  const ExitStatus written = FinishOutput(session.output, CallState::kDone);
  if (written != ExitStatus::kOk) return written;
  return serving ? ExitStatus::kOk : ExitStatus::kUnreachable;
}

}  // namespace emsdb::client::cli
