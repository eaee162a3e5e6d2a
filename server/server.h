// The gateway as a process runs it: built from a Config, started, drained, stopped.
#ifndef EMSDB_SERVER_SERVER_H_
#define EMSDB_SERVER_SERVER_H_

#include <grpcpp/server.h>

#include <deque>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "server/config.h"
#include "server/copy_service.h"
#include "server/database_service.h"
#include "server/http_server.h"
#include "server/log.h"
#include "server/login_check.h"
#include "server/pool_log.h"
#include "server/query_service.h"
#include "server/reachability.h"
#include "server/transaction_service.h"

namespace emsdb {

// Start, then Drain, each once, by one thread.
class Server {
 public:
  Server(Config config, const ConnectorFactory& connectors, const Log& log);
  ~Server();

  // Asks the databases, then listens. In production a database that does not answer is an error
  // that names all of those; in development it is a warning, and the database is used when it comes
  // back.
  absl::Status Start();

  // Reads the tokens file anew; one that is bad is told of in the log, and the callers stay as they
  // were. Then replaces every connection, so that what the databases' drivers read from files
  // (passwords, certificates) is read anew too.
  void Reload();

  // Health says NOT_SERVING and new calls are refused; what runs may finish within the drain's
  // time; then everything is closed. False if something had to be stopped.
  bool Drain();

  int port() const { return port_; }
  int metrics_port() const { return http_ ? http_->port() : 0; }

 private:
  absl::Status CheckDatabases();
  absl::Status Listen();
  void ReloadCallers();
  void TellHealth(const std::string& database, const absl::Status& state);
  HttpAnswer Readiness() const;

  const Config config_;
  const Log& log_;
  Clock& clock_;
  Metrics metrics_;
  std::deque<PoolLog> pool_logs_;  // one for each pool that there is, before the pools
  LoginCheck login_check_;
  PoolManager pools_;
  Journal journal_;
  OpenCalls open_calls_;
  ResultMemory result_memory_;
  Authority authority_;
  Gateway gateway_;
  Reachability reachability_;
  QueryService query_service_;
  TransactionService transaction_service_;
  CopyService copy_service_;
  DatabaseService database_service_;
  std::unique_ptr<grpc::Server> grpc_;
  std::unique_ptr<HttpServer> http_;
  std::atomic<bool> draining_{false};
  int port_ = 0;
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_SERVER_H_
