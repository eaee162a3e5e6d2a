// Threads that work while another one watches.
#ifndef EMSDB_CLIENT_CLI_BENCH_CREW_H_
#define EMSDB_CLIENT_CLI_BENCH_CREW_H_

#include <functional>
#include <vector>

#include "client/cancel.h"

namespace emsdb::client::cli {

// User and system time that this process has taken so far.
double CpuSeconds();

// Runs each of `work` on a thread of its own and calls `look` a few times a second meanwhile.
// Returns, when all have ended, the CPU seconds that the process took from `from` on.
double RunCrew(const std::vector<std::function<void()>>& work, Instant from,
               const std::function<void()>& look);

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_BENCH_CREW_H_
