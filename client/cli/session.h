// What every command needs: a client, a way to be interrupted, and somewhere to write.
#ifndef EMSDB_CLIENT_CLI_SESSION_H_
#define EMSDB_CLIENT_CLI_SESSION_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "client/cli/error_report.h"
#include "client/cli/exit_status.h"
#include "client/cli/options.h"
#include "client/cli/output.h"
#include "client/client.h"

namespace emsdb::client::cli {

struct Session {
  Client client;
  CallOptions call;
  Output& output;
};

// The whole file; "-" is standard input. A byte order mark at its beginning is left out.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// Reads the files that the options name.
absl::StatusOr<ConnectOptions> ReadConnectOptions(const Options& options);

// Explains the error on standard error.
ExitStatus Report(const absl::Status& status, const StatementSource& source = {});
ExitStatus ReportUsage(const absl::Status& status, const std::string& what);

// The end of every command that wrote: what was written counts only if it arrived. If it did not,
// the caller still wants to know what became of the call.
enum class CallState { kDone, kBrokenOff };
ExitStatus FinishOutput(Output& output, CallState call);

// The commands. A file or statement is read before the session is made, but for what is loaded.
ExitStatus RunQuery(const QueryCommand& command, const std::string& sql, Session& session);
ExitStatus RunBatch(const BatchCommand& command, const std::string& text, Session& session);
ExitStatus RunBench(const BenchCommand& command, const ConnectOptions& options, Session& session);
ExitStatus RunLoad(const LoadCommand& command, Session& session);
ExitStatus RunOutcome(const OutcomeCommand& command, Session& session);
ExitStatus RunDatabases(const DatabasesCommand& command, Session& session);
ExitStatus RunPools(const PoolsCommand& command, Session& session);
ExitStatus RunOperate(const OperateCommand& command, Session& session);
ExitStatus RunHealth(const HealthCommand& command, Session& session);

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_SESSION_H_
