// Wiring and signals: reads the environment, builds the server, waits for SIGTERM, drains.

#include <grpc/grpc.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "pool/postgres/connector.h"
#include "pool/sqlite/connector.h"
#include "server/config.h"
#include "server/config_report.h"
#include "server/server.h"

extern char** environ;

namespace emsdb {
namespace {

// Beyond the drain's time-out: for closing what was stopped. Then the process leaves as it is.
constexpr std::chrono::seconds kMargin(5);

Settings Environment() {
  Settings settings;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) settings[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return settings;
}

absl::StatusOr<std::unique_ptr<PostgresConnector>> MakePostgres(const DatabaseSettings& settings,
                                                                BindValues bind_values) {
  const bool quotes = bind_values == BindValues::kShown;
  return PostgresConnector::Create(
      {.uri = settings.connection,
       .session_reset = settings.session_reset,
       .statement_cache = static_cast<std::size_t>(settings.statement_cache),
       .server_detail = quotes ? ServerDetail::kQuoted : ServerDetail::kLeftOut},
      Clock::Real());
}

// What libpq itself has against a URL, beyond what the settings' own check finds.
ConfigComplaints DriverComplaints(const Config& config) {
  ConfigComplaints complaints;
  for (const DatabaseSettings& settings : config.databases) {
    if (settings.engine != Engine::kPostgresql) continue;
    const absl::Status status = MakePostgres(settings, config.bind_values).status();
    if (status.ok()) continue;
    complaints.push_back("the URL of database " + settings.name + ": " +
                         std::string(status.message()));
  }
  return complaints;
}

// Only for settings without DriverComplaints.
std::unique_ptr<Connector> MakeConnector(const DatabaseSettings& settings, Role role,
                                         BindValues bind_values) {
  if (settings.engine == Engine::kPostgresql) return MakePostgres(settings, bind_values).value();
  SqliteOptions options{.path = settings.connection};
  if (options.path != ":memory:") {
    options.role = role == Role::kReader ? SqliteRole::kReader : SqliteRole::kWriter;
  }
  return std::make_unique<SqliteConnector>(std::move(options), Clock::Real());
}

// The directory of embedded databases, for this user alone.
absl::Status MakeDataDirectory(const Config& config) {
  const auto inside = [&](const DatabaseSettings& settings) {
    return settings.engine == Engine::kSqlite &&
           std::filesystem::path(settings.connection).parent_path() == config.data_dir;
  };
  if (std::none_of(config.databases.begin(), config.databases.end(), inside)) {
    return absl::OkStatus();
  }
  std::error_code failure;
  if (std::filesystem::create_directories(config.data_dir, failure)) {
    std::filesystem::permissions(config.data_dir, std::filesystem::perms::owner_all, failure);
  }
  if (!failure) return absl::OkStatus();
  return absl::UnavailableError("EMSDB_DATA_DIR: " + config.data_dir.string() +
                                " cannot be created: " + failure.message());
}

sigset_t WatchedSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  return signals;
}

// Every connection is a descriptor or two: as many as this process may have.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int Complain(const ConfigComplaints& complaints) {
  for (const std::string& complaint : complaints) {
    std::cerr << "emsdb-gateway: " << complaint << "\n";
  }
  return 1;
}

// gRPC waits for every call and a driver for its system calls: neither may keep the process.
void LeaveAfter(Duration patience) {
  std::thread([patience] {
    const Instant end = Clock::Real().Now() + patience;
    Mutex mutex;
    CondVar never;
    MutexLock lock(mutex);
    while (Clock::Real().Now() < end) Clock::Real().WaitUntil(mutex, never, end);
    constexpr char kLine[] =
        "{\"event\":\"something did not end in time: leaving all the same\"}\n";
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kLine, sizeof kLine - 1);
    _exit(3);
  }).detach();
}

int Serve(const Config& config) {
  // Debian's absl looks for cycles of locks at each lock that gRPC takes, in one graph for all.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // Never given back: taking gRPC down with its last object can sleep for seconds.
  grpc_init();
  RaiseDescriptorLimit();
  const Log log;
  for (const std::string& warning : config.warnings) log.Warn("setting", {{"message", warning}});
  const auto make_connector = [&config](const DatabaseSettings& settings, Role role) {
    return MakeConnector(settings, role, config.bind_values);
  };
  Server server(config, make_connector, log);
  absl::Status started = MakeDataDirectory(config);
  if (started.ok()) started = server.Start();
  if (!started.ok()) return Complain({std::string(started.message())});
  std::cout << "emsdb-gateway " << EMSDB_VERSION << " serves on port " << server.port()
            << ", metrics on port " << server.metrics_port() << std::endl;
  const sigset_t signals = WatchedSignals();
  int signal = 0;
  while (sigwait(&signals, &signal) == 0 && signal == SIGHUP) server.Reload();
  log.Info("draining", {{"at_most_s", ShownSeconds(config.drain_timeout)}});
  LeaveAfter(config.drain_timeout + kMargin);
  const bool clean = server.Drain();
  log.Info(clean ? "drained" : "drained, some calls were stopped");
  return 0;
}

int Run(int argc, char** argv) {
  CLI::App app("The EMS database gateway. Its settings are environment variables.",
               "emsdb-gateway");
  app.set_version_flag("--version", std::string("emsdb-gateway ") + EMSDB_VERSION);
  bool check_only = false;
  app.add_flag("--check-config", check_only,
               "Print the settings as understood, or every complaint, and exit");
  CLI11_PARSE(app, argc, argv);
  // Before any thread is made, so that all of them leave these to sigwait.
  const sigset_t signals = WatchedSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  const auto parsed = ParseConfig(Environment());
  if (const auto* complaints = std::get_if<ConfigComplaints>(&parsed)) return Complain(*complaints);
  const Config& config = std::get<Config>(parsed);
  if (const auto complaints = DriverComplaints(config); !complaints.empty()) {
    return Complain(complaints);
  }
  std::cout << DescribeConfig(config) << std::flush;
  return check_only ? 0 : Serve(config);
}

}  // namespace
}  // namespace emsdb

int main(int argc, char** argv) { return emsdb::Run(argc, argv); }
