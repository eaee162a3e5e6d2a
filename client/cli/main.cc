// emsdb: the gateway from the command line.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "client/cli/interrupt.h"
#include "client/cli/session.h"

namespace emsdb::client::cli {
namespace {

// What the command reads before any call is made; until then Ctrl-C ends the program.
absl::StatusOr<std::string> ReadInput(const Options& options) {
  if (const auto* query = std::get_if<QueryCommand>(&options.command)) {
    return query->sql == "-" ? ReadFile("-") : query->sql;
  }
  if (const auto* batch = std::get_if<BatchCommand>(&options.command)) {
    return ReadFile(batch->file);
  }
  return std::string();
}

struct RunCommand {
  const std::string& input;
  const ConnectOptions& connect;
  Session& session;
  ExitStatus operator()(const QueryCommand& command) const {
    return RunQuery(command, input, session);
  }
  ExitStatus operator()(const BatchCommand& command) const {
    return RunBatch(command, input, session);
  }
  ExitStatus operator()(const LoadCommand& command) const { return RunLoad(command, session); }
  ExitStatus operator()(const OutcomeCommand& command) const {
    return RunOutcome(command, session);
  }
  ExitStatus operator()(const DatabasesCommand& command) const {
    return RunDatabases(command, session);
  }
  ExitStatus operator()(const PoolsCommand& command) const { return RunPools(command, session); }
  ExitStatus operator()(const OperateCommand& command) const {
    return RunOperate(command, session);
  }
  ExitStatus operator()(const HealthCommand& command) const { return RunHealth(command, session); }
  ExitStatus operator()(const BenchCommand& command) const {
    return RunBench(command, connect, session);
  }
};

ExitStatus Run(const Options& options) {
  const absl::StatusOr<std::string> input = ReadInput(options);
  if (!input.ok()) return ReportUsage(input.status(), "");
  const auto cancel = std::make_shared<CancelSource>();
  const Interrupt interrupt(cancel);
  const absl::StatusOr<ConnectOptions> connect = ReadConnectOptions(options);
  if (!connect.ok()) return ReportUsage(connect.status(), "");
  absl::StatusOr<Client> client = Client::Connect(*connect);
  if (!client.ok()) return ReportUsage(client.status(), "");
  Output output(STDOUT_FILENO);
  Session session{.client = *std::move(client),
                  .call = {.deadline = std::chrono::duration_cast<Duration>(
                               std::chrono::duration<double>(options.deadline_seconds)),
                           .cancel = cancel},
                  .output = output};
  return std::visit(RunCommand{.input = *input, .connect = *connect, .session = session},
                    options.command);
}

ExitStatus Main(int argc, const char* const* argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of write(), and told as such
  auto parsed = ParseCommandLine(argc, argv);
  if (const auto* status = std::get_if<ExitStatus>(&parsed)) {
    std::cout.flush();
    return *status == ExitStatus::kOk && !std::cout ? ExitStatus::kOutputFailed : *status;
  }
  auto& options = std::get<Options>(parsed);
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread yet
  if (const char* token = std::getenv("EMSDB_TOKEN"); token != nullptr) options.token = token;
  return Run(options);
}

}  // namespace
}  // namespace emsdb::client::cli

int main(int argc, char** argv) {
  try {
    return static_cast<int>(emsdb::client::cli::Main(argc, argv));
  } catch (const std::exception& error) {
    // Nothing here throws but memory that is used up.
    std::fprintf(stderr, "emsdb: %s\n", error.what());
    return static_cast<int>(emsdb::client::cli::ExitStatus::kOutputFailed);
  }
}
