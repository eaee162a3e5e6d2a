// Wiring and signals: reads the environment, builds the server, waits for SIGTERM, drains.

#include <signal.h>
#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

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

absl::StatusOr<std::unique_ptr<PostgresConnector>> MakePostgres(const DatabaseSettings& settings) {
  return PostgresConnector::Create({.uri = settings.connection}, Clock::Real());
}

// What libpq itself has against a URL, beyond what the settings' own check finds.
ConfigComplaints DriverComplaints(const Config& config) {
  ConfigComplaints complaints;
  for (const DatabaseSettings& settings : config.databases) {
    if (settings.engine != Engine::kPostgresql) continue;
    const absl::Status status = MakePostgres(settings).status();
    if (status.ok()) continue;
    complaints.push_back("the URL of database " + settings.name + ": " +
                         std::string(status.message()));
  }
  return complaints;
}

// Only for settings without DriverComplaints.
std::unique_ptr<Connector> MakeConnector(const DatabaseSettings& settings, Role role) {
  if (settings.engine == Engine::kPostgresql) return MakePostgres(settings).value();
  SqliteOptions options{.path = settings.connection};
  if (options.path != ":memory:") {
    options.role = role == Role::kReader ? SqliteRole::kReader : SqliteRole::kWriter;
  }
  return std::make_unique<SqliteConnector>(std::move(options), Clock::Real());
}

// Lines go through a bounded queue and a thread of their own: a slow terminal never holds up a
// call; what does not fit in is dropped, the oldest first.
std::shared_ptr<spdlog::logger> MakeLog() {
  spdlog::init_thread_pool(8192, 1);
  auto log = spdlog::create_async_nb<spdlog::sinks::stderr_sink_mt>("emsdb");
  log->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  log->flush_on(spdlog::level::warn);
  return log;
}

sigset_t EndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// gRPC waits for every call and a driver for its system calls: neither may keep the process.
void LeaveAfter(Duration patience, std::shared_ptr<spdlog::logger> log) {
  std::thread([patience, log = std::move(log)] {
    const Instant end = Clock::Real().Now() + patience;
    Mutex mutex;
    CondVar never;
    MutexLock lock(mutex);
    while (Clock::Real().Now() < end) Clock::Real().WaitUntil(mutex, never, end);
    log->error("something did not end within its time: leaving all the same");
    log->flush();
    _exit(3);
  }).detach();
}

int Serve(const Config& config) {
  const auto log = MakeLog();
  for (const std::string& warning : config.warnings) log->warn("{}", warning);
  Server server(config, MakeConnector, log);
  const absl::Status started = server.Start();
  if (!started.ok()) {
    spdlog::shutdown();
    std::cerr << "emsdb-gateway: " << std::string(started.message()) << "\n";
    return 1;
  }
  std::cout << "emsdb-gateway " << EMSDB_VERSION << " serves on port " << server.port()
            << ", metrics on port " << server.metrics_port() << std::endl;
  const sigset_t signals = EndSignals();
  int signal = 0;
  sigwait(&signals, &signal);
  log->info("draining for at most {} s", ShownSeconds(config.drain_timeout));
  LeaveAfter(config.drain_timeout + kMargin, log);
  const bool clean = server.Drain();
  log->info(clean ? "drained" : "drained: some calls had to be stopped");
  spdlog::shutdown();
  return 0;
}

int Complain(const ConfigComplaints& complaints) {
  for (const std::string& complaint : complaints) {
    std::cerr << "emsdb-gateway: " << complaint << "\n";
  }
  return 1;
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
  const sigset_t signals = EndSignals();
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
