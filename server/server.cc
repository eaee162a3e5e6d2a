#include "server/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server_builder.h>

#include <utility>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "server/config_report.h"
#include "server/credentials.h"
#include "server/operators.h"

namespace emsdb {
namespace {

// Requests hold statements and parameters, or some rows of many.
constexpr int kLargestRequest = 16 << 20;
// For streams of health watchers and the like, which never end by themselves.
constexpr std::chrono::milliseconds kCutAfter(100);
// For the answers of calls that were stopped: a driver gives its server some time to obey.
constexpr std::chrono::seconds kLastAnswers(2);

}  // namespace

Server::Server(Config config, const ConnectorFactory& connectors, const Log& log)
    : config_(std::move(config)),
      log_(log),
      clock_(Clock::Real()),
      login_check_(config_.databases, log_),
      pools_(config_.databases, connectors, clock_,
             [this](const std::string& database) -> PoolObserver& {
               return pool_logs_.emplace_back(log_, metrics_.ObserverOf(database), database);
             }),
      journal_(log_, metrics_, config_.bind_values),
      open_calls_(clock_),
      result_memory_(config_.result_memory),
      authority_(config_.callers),
      gateway_{
          pools_,         journal_,           open_calls_, authority_, config_.slow_reader_timeout,
          result_memory_, config_.bind_values},
      reachability_(pools_),
      query_service_(gateway_),
      transaction_service_(gateway_),
      copy_service_(gateway_),
      database_service_(gateway_, reachability_) {}

Server::~Server() {
  if (grpc_ && !draining_) Drain();
}

absl::Status Server::Start() {
  absl::Status status = CheckDatabases();
  if (status.ok()) status = Listen();
  if (!status.ok()) return status;
  reachability_.Watch([this](const std::string& database, const absl::Status& state) {
    TellHealth(database, state);
  });
  return status;
}

absl::Status Server::CheckDatabases() {
  std::string failed;
  for (const auto& [database, state] : reachability_.AskAll()) {
    if (state.ok()) continue;
    failed +=
        absl::StrFormat("%s%s: %s", failed.empty() ? "" : "; ", database, OperatorText(state));
  }
  if (failed.empty()) return absl::OkStatus();
  if (config_.mode == Mode::kProduction) {
    return absl::UnavailableError("the databases did not all answer: " + failed);
  }
  return absl::OkStatus();
}

absl::Status Server::Listen() {
  auto credentials = ServerCredentials(config_);
  if (!credentials.ok()) return std::move(credentials).status();
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  // Without this a second gateway would silently share the port.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetMaxReceiveMessageSize(kLargestRequest);
  builder.AddListeningPort(config_.listen, *credentials, &port_);
  builder.RegisterService(&query_service_);
  builder.RegisterService(&transaction_service_);
  builder.RegisterService(&copy_service_);
  builder.RegisterService(&database_service_);
  grpc_ = builder.BuildAndStart();
  if (!grpc_) {
    return absl::UnavailableError(absl::StrFormat(
        "EMSDB_LISTEN: cannot listen on %s%s", config_.listen,
        config_.tls ? ", or EMSDB_TLS_CERT and EMSDB_TLS_KEY do not fit together" : ""));
  }
  auto http = HttpServer::Start(config_.metrics_listen,
                                {.metrics =
                                     [this] {
                                       return HttpAnswer{200, "text/plain; version=0.0.4",
                                                         metrics_.Render(pools_, result_memory_)};
                                     },
                                 .health =
                                     [] {
                                       return HttpAnswer{200, "text/plain", "alive\n"};
                                     },
                                 .readiness = [this] { return Readiness(); }});
  if (!http.ok()) return std::move(http).status();
  http_ = *std::move(http);
  return absl::OkStatus();
}

void Server::TellHealth(const std::string& database, const absl::Status& state) {
  if (draining_) return;
  grpc_->GetHealthCheckService()->SetServingStatus(database, state.ok());
  if (state.ok()) {
    log_.Info("database reachable", {{"database", database}});
    login_check_.Reached(pools_, database);
  } else {
    log_.Warn("database away, tried again",
              {{"database", database}, {"message", OperatorText(state)}});
  }
}

HttpAnswer Server::Readiness() const {
  if (draining_) return {503, "text/plain", "draining\n"};
  HttpAnswer answer{503, "text/plain", ""};
  for (const auto& [database, state] : reachability_.states()) {
    if (state.ok()) answer.status = 200;
    answer.body += absl::StrFormat("%s: %s\n", database, state.ok() ? "reachable" : "away");
  }
  return answer;
}

void Server::Reload() {
  if (!config_.tokens_file.empty()) ReloadCallers();
  for (Database* database : pools_.databases()) Reconnect(*database).IgnoreError();
  log_.Info("every connection is replaced before its next use");
}

void Server::ReloadCallers() {
  auto read = ReadCallers(config_.tokens_file, config_.databases);
  if (const auto* complaints = std::get_if<ConfigComplaints>(&read)) {
    for (const std::string& complaint : *complaints) {
      log_.Warn("tokens file not taken over, callers stay as they were", {{"message", complaint}});
    }
    return;
  }
  auto callers = std::get<std::shared_ptr<const Callers>>(std::move(read));
  log_.Info("tokens file read", {{"callers", callers->size()}});
  authority_.Replace(std::move(callers));
}

bool Server::Drain() {
  draining_ = true;
  const Instant deadline = clock_.Now() + config_.drain_timeout;
  grpc_->GetHealthCheckService()->Shutdown();
  open_calls_.Refuse();
  database_service_.EndWatches();
  reachability_.StopWatching();
  transaction_service_.Drain();
  pools_.transactions().Drain();
  bool clean = open_calls_.AwaitNone(deadline);
  clean = pools_.Drain(deadline) && clean;
  // What was stopped is answered first, with the truth: cutting the streams would make UNAVAILABLE
  // of a write that may have been done.
  if (!clean) open_calls_.AwaitNone(clock_.Now() + kLastAnswers);
  grpc_->Shutdown(std::chrono::system_clock::now() + kCutAfter);
  http_.reset();
  return clean;
}

}  // namespace emsdb
