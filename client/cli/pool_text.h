// Pools as a person or a program reads them.
#ifndef EMSDB_CLIENT_CLI_POOL_TEXT_H_
#define EMSDB_CLIENT_CLI_POOL_TEXT_H_

#include <string>
#include <vector>

#include "client/cli/list_text.h"

namespace emsdb::client::cli {

using Pools = std::vector<v1::PoolStatus>;

// Every field, named as in the protocol; times in seconds, -1 for "never".
Json PoolsJson(const Pools& pools);

// A table of the pools, and one of who holds connections longest, if anybody does.
void WritePoolTables(const Pools& pools, Output& output);

// One look of many; `time` is when it was taken, "2026-01-31T08:16:02Z".
// On a terminal: what changes, in place of the look before.
void WritePoolScreen(const Pools& pools, const std::string& time, Output& output);
// Elsewhere: one line for each pool, or one JSON object in one line for all of them.
void WritePoolLines(const Pools& pools, const std::string& time, Output& output);
void WritePoolJsonLine(const Pools& pools, const std::string& time, Output& output);

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_POOL_TEXT_H_
