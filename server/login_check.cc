#include "server/login_check.h"

#include <cstdlib>
#include <utility>

#include "server/inquiry.h"

namespace emsdb {
namespace {

// Connections that a login like ours may open, and whether row-level security binds it.
constexpr char kQuestion[] =
    "SELECT (SELECT sum(CASE name WHEN 'max_connections' THEN setting::int ELSE -setting::int END)"
    " FROM pg_settings WHERE name IN ('max_connections', 'superuser_reserved_connections',"
    " 'reserved_connections')),"
    " (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user)";

}  // namespace

LoginCheck::LoginCheck(const std::vector<DatabaseSettings>& databases, const Log& log) : log_(log) {
  for (const ServerBudget& budget : Budget(databases)) {
    for (const std::string& database : budget.databases) budgets_.emplace(database, budget);
  }
}

void LoginCheck::Reached(PoolManager& pools, const std::string& database) {
  if (budgets_.find(database) == budgets_.end()) return;
  const auto found = pools.Find(database);
  if (!found.ok()) return;
  {
    MutexLock lock(mutex_);
    if (std::exchange(asked_[database], true)) return;
  }
  Inquire(pools, **found, kQuestion, [this, database](const auto& answer) {
    if (answer.ok() && answer->size() == 2) return Tell(database, *answer);
    // Asked again when the database is reached the next time.
    MutexLock again(mutex_);
    asked_[database] = false;
  });
}

void LoginCheck::Tell(const std::string& database, const std::vector<std::string>& answer) const {
  const ServerBudget& budget = budgets_.at(database);
  const int available = std::atoi(answer[0].c_str());
  const Fields fields = {{"server", budget.server},
                         {"database", database},
                         {"connections", budget.connections},
                         {"available", available}};
  if (budget.connections > available) {
    log_.Warn("connection budget exceeds what the server allows", fields);
  } else {
    log_.Info("connection budget", fields);
  }
  if (answer[1] == "true") {
    log_.Warn("the login is not bound by row-level security", {{"database", database}});
  }
}

}  // namespace emsdb
