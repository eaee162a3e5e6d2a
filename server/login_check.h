// What the start tells about a PostgreSQL server behind a database, once it can be reached: whether
// the budget of connections fits into it, and whether the login sees past row-level security.
#ifndef EMSDB_SERVER_LOGIN_CHECK_H_
#define EMSDB_SERVER_LOGIN_CHECK_H_

#include <map>
#include <string>
#include <vector>

#include "pool/pool_manager.h"
#include "server/config_report.h"
#include "server/log.h"

namespace emsdb {

// Safe for use by any number of threads. Must outlive the pools' last call.
class LoginCheck {
 public:
  LoginCheck(const std::vector<DatabaseSettings>& databases, const Log& log);

  // The database can be reached now. Does nothing the second time.
  void Reached(PoolManager& pools, const std::string& database);

 private:
  void Tell(const std::string& database, const std::vector<std::string>& answer) const;

  const Log& log_;
  std::map<std::string, ServerBudget> budgets_;  // by database; PostgreSQL only

  Mutex mutex_;
  std::map<std::string, bool> asked_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_LOGIN_CHECK_H_
