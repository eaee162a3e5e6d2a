#include "server/config_report.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "server/database_url.h"

namespace emsdb {
namespace {

using Row = std::vector<std::string>;

// Columns as wide as their widest cell; the last one ends the line without spaces.
std::string Table(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line += std::string(widths[i] - row[i].size() + 2, ' ');
    }
    text += line + "\n";
  }
  return text;
}

std::string ShownTls(const Config& config) {
  if (config.tls && !config.tls->client_ca.empty()) return "TLS, callers show a certificate";
  if (config.tls) return "TLS";
  if (config.plain_text == PlainText::kAnywhere) return "plain text (EMSDB_INSECURE=1)";
  return "plain text, this machine only";
}

std::string ShownCallers(const Config& config) {
  if (config.callers) {
    return absl::StrFormat("%d of EMSDB_TOKENS_FILE, nobody else", config.callers->size());
  }
  return config.tls && !config.tls->client_ca.empty() ? "whoever shows a certificate"
                                                      : "whoever reaches the port";
}

std::vector<Row> ServerRows(const Config& config) {
  return {
      {"mode", config.mode == Mode::kProduction ? "production" : "development"},
      {"listen", config.listen + ", " + ShownTls(config)},
      {"callers", ShownCallers(config)},
      {"metrics", config.metrics_listen},
      {"data directory", config.data_dir.string()},
      {"drain time-out", ShownSeconds(config.drain_timeout) + " s"},
      {"slow reader time-out", ShownSeconds(config.slow_reader_timeout) + " s"},
      {"memory for results", absl::StrFormat("%d MiB", config.result_memory >> 20)},
      {"values in the log", config.bind_values == BindValues::kShown
                                ? "may be shown (EMSDB_LOG_VALUES=1), and patient data with them"
                                : "hidden"},
  };
}

Row DatabaseRow(const DatabaseSettings& database) {
  if (database.engine == Engine::kSqlite) {
    return {database.name, "sqlite", "-", "-", "-", "-", "-", database.location};
  }
  const PoolLimits& limits = database.limits;
  return {database.name,
          "postgresql",
          database.tier.empty() ? "-" : database.tier,
          std::to_string(limits.size),
          std::to_string(limits.overflow),
          ShownSeconds(limits.timeout),
          ShownSeconds(limits.recycle),
          database.location};
}

std::string DatabaseTable(const Config& config) {
  std::vector<Row> rows = {
      {"database", "engine", "tier", "size", "overflow", "timeout", "recycle", "where"}};
  for (const DatabaseSettings& database : config.databases) rows.push_back(DatabaseRow(database));
  return Table(rows);
}

std::string ShownStatementCache(const DatabaseSettings& database) {
  if (database.session_reset == SessionReset::kBeforeEveryUse || database.statement_cache == 0) {
    return "no statements kept prepared";
  }
  return absl::StrFormat("at most %d statements kept prepared in each", database.statement_cache);
}

// What all PostgreSQL pools have in common; empty where there is none.
std::string PoolLine(const Config& config) {
  const auto found = std::find_if(
      config.databases.begin(), config.databases.end(),
      [](const DatabaseSettings& database) { return database.engine == Engine::kPostgresql; });
  if (found == config.databases.end()) return "";
  const PoolLimits& limits = found->limits;
  return absl::StrFormat(
      "pools: ping after %s s without an answer, idle connections %s first, at most %d calls in "
      "line%s, sessions reset %s, %s\n",
      ShownSeconds(limits.pre_ping_window),
      limits.idle_order == IdleOrder::kMostRecentFirst ? "most recently used"
                                                       : "least recently used",
      limits.max_waiters, limits.refuse_hopeless ? ", none whose deadline would pass there" : "",
      found->session_reset == SessionReset::kBeforeEveryUse ? "before every use" : "when changed",
      ShownStatementCache(*found));
}

std::string BudgetLines(const Config& config) {
  std::string text;
  for (const ServerBudget& budget : Budget(config.databases)) {
    text += absl::StrFormat("budget: up to %d connections to %s, by %s\n", budget.connections,
                            budget.server, absl::StrJoin(budget.databases, ", "));
  }
  return text;
}

// Databases in one place are easily taken for one pool; say that they are not.
std::string SharedLines(const Config& config) {
  std::map<std::string, std::vector<std::string>> by_connection;
  for (const DatabaseSettings& database : config.databases) {
    if (database.engine == Engine::kPostgresql) {
      by_connection[database.connection].push_back(database.name);
    }
  }
  std::string text;
  for (const auto& [connection, names] : by_connection) {
    if (names.size() < 2) continue;
    text += absl::StrFormat("note: %s share one URL, and each has a pool of its own\n",
                            absl::StrJoin(names, ", "));
  }
  return text;
}

std::string SqliteLines(const Config& config) {
  std::vector<std::string> names;
  for (const DatabaseSettings& database : config.databases) {
    if (database.engine == Engine::kSqlite) names.push_back(database.name);
  }
  if (names.empty()) return "";
  std::string text = absl::StrFormat(
      "note: %s in SQLite: the variables for pools are not applied there; one writer for each "
      "file\n",
      absl::StrJoin(names, ", "));
  if (config.not_applied_to_sqlite.empty()) return text;
  return text + absl::StrFormat("note: set, and not applied to SQLite: %s\n",
                                absl::StrJoin(config.not_applied_to_sqlite, ", "));
}

}  // namespace

std::vector<ServerBudget> Budget(const std::vector<DatabaseSettings>& databases) {
  std::vector<ServerBudget> budgets;
  for (const DatabaseSettings& database : databases) {
    if (database.engine != Engine::kPostgresql) continue;
    const std::string server = ServerOf(database);
    auto found = std::find_if(budgets.begin(), budgets.end(),
                              [&](const ServerBudget& budget) { return budget.server == server; });
    if (found == budgets.end()) found = budgets.insert(found, ServerBudget{.server = server});
    found->connections += database.limits.limit();
    found->databases.push_back(database.name);
  }
  return budgets;
}

std::string DescribeConfig(const Config& config) {
  std::string text = Table(ServerRows(config)) + "\n" + DatabaseTable(config) + "\n" +
                     PoolLine(config) + BudgetLines(config) + SharedLines(config) +
                     SqliteLines(config);
  for (const std::string& warning : config.warnings) text += "warning: " + warning + "\n";
  return text;
}

std::string ShownSeconds(const std::optional<Duration>& duration) {
  if (!duration) return "never";
  return absl::StrFormat("%.9g", std::chrono::duration<double>(*duration).count());
}

}  // namespace emsdb
