// The commands that ask about the gateway itself.
#include <chrono>
#include <cmath>
#include <iostream>

#include "client/cli/result_writer.h"
#include "client/cli/session.h"
#include "nlohmann/json.hpp"

namespace emsdb::client::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string EngineName(v1::Engine engine) {
  switch (engine) {
    case v1::ENGINE_POSTGRESQL:
      return "postgresql";
    case v1::ENGINE_SQLITE:
      return "sqlite";
    default:
      return "unknown";
  }
}

// Whole seconds without a fraction, since that is how they are set.
Json Seconds(const google::protobuf::Duration& duration) {
  if (duration.nanos() == 0) return duration.seconds();
  return static_cast<double>(duration.seconds()) + duration.nanos() / 1e9;
}

Json WriterJson(const v1::PoolStatus& pool) {
  if (!pool.has_writer()) return nullptr;
  return {{"leased", pool.writer().leased()}, {"waiting", pool.writer().waiting()}};
}

Json PoolJson(const v1::PoolStatus& pool) {
  return {{"database", pool.database()},
          {"engine", EngineName(pool.engine())},
          {"tier", pool.tier()},
          {"size", pool.size()},
          {"max_overflow", pool.max_overflow()},
          {"timeout", Seconds(pool.timeout())},
          {"recycle", pool.has_recycle() ? Seconds(pool.recycle()) : Json(-1)},
          {"idle", pool.idle()},
          {"leased", pool.leased()},
          {"opening", pool.opening()},
          {"waiting", pool.waiting()},
          {"transactions", pool.transactions()},
          {"opened_total", pool.opened_total()},
          {"timeouts_total", pool.timeouts_total()},
          {"stale_total", pool.stale_total()},
          {"writer", WriterJson(pool)},
          {"last_connect_error", pool.last_connect_error()}};
}

Json DatabaseJson(const v1::Database& database) {
  return {{"name", database.name()},
          {"engine", EngineName(database.engine())},
          {"location", database.location()},
          {"tier", database.tier()},
          {"reachable", database.reachable()}};
}

Value CellOf(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_boolean()) return json.get<bool>() ? "yes" : "no";
  if (json.is_object()) return json.dump();
  return "";
}

// The same fields as a table, named as in JSON.
void WriteTable(const Json& list, Output& output) {
  const std::unique_ptr<ResultWriter> writer = MakeTableWriter(output);
  std::vector<Column> columns;
  if (!list.empty()) {
    for (const auto& [key, value] : list.front().items()) columns.push_back({.name = key});
  }
  writer->Begin(columns);
  for (const Json& one : list) {
    Row row;
    for (const auto& [key, value] : one.items()) row.push_back(CellOf(value));
    writer->AddRow(row);
  }
  writer->End({.row_count = static_cast<std::int64_t>(list.size())});
}

ExitStatus WriteList(const Json& list, Format format, Output& output) {
  if (format == Format::kJson) {
    output.Write(list.dump(2) + "\n");
  } else {
    WriteTable(list, output);
  }
  return FinishOutput(output, CallState::kDone);
}

}  // namespace

ExitStatus RunDatabases(const DatabasesCommand& command, Session& session) {
  const auto databases = session.client.ListDatabases(session.call);
  if (!databases.ok()) return Report(databases.status());
  Json list = Json::array();
  for (const v1::Database& database : *databases) list.push_back(DatabaseJson(database));
  return WriteList(list, command.format, session.output);
}

ExitStatus RunPools(const PoolsCommand& command, Session& session) {
  const auto pools = session.client.PoolStatus(command.database, session.call);
  if (!pools.ok()) return Report(pools.status());
  Json list = Json::array();
  for (const v1::PoolStatus& pool : *pools) list.push_back(PoolJson(pool));
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
