// The settings as the gateway understood them, for --check-config and for the start's log; and the
// budget, what they may ask of each PostgreSQL server. Nothing here is secret.
#ifndef EMSDB_SERVER_CONFIG_REPORT_H_
#define EMSDB_SERVER_CONFIG_REPORT_H_

#include <string>
#include <vector>

#include "server/config.h"

namespace emsdb {

// The connections that all pools together may open to one PostgreSQL server, to be compared with
// its max_connections less the reserved ones. Two databases with one URL count twice: each has a
// pool of its own.
struct ServerBudget {
  std::string server;                  // "host:port", several with commas between
  int connections = 0;                 // the sum of size + overflow
  std::vector<std::string> databases;  // in the order of the Config
};

// In the order in which the databases name the servers.
std::vector<ServerBudget> Budget(const std::vector<DatabaseSettings>& databases);

// Lines of text, each ended by a newline.
std::string DescribeConfig(const Config& config);

// "30", "0.5", "never" for none: seconds without needless digits.
std::string ShownSeconds(const std::optional<Duration>& duration);

}  // namespace emsdb

#endif  // EMSDB_SERVER_CONFIG_REPORT_H_
