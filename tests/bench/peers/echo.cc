// What gRPC itself costs: serves emsdb.v1.QueryService with the same messages as the gateway does
// for the benchmark's reads, but makes the row up instead of asking a database. Nothing that serves
// these messages by gRPC's callback API can be faster than this.
//
//   bench_echo [ADDRESS]   listens there (127.0.0.1:0), prints the port, ends with SIGTERM
//
// A read's first parameter is its key, as in `select id, name, quantity from bench_rows where id =
// $1`.

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <signal.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>

#include "absl/synchronization/mutex.h"
#include "emsdb/v1/query_service.grpc.pb.h"

namespace emsdb {
namespace {

// As PostgreSQL numbers its types.
constexpr std::uint32_t kInt8 = 20;
constexpr std::uint32_t kInt4 = 23;
constexpr std::uint32_t kText = 25;

void AddColumn(const char* name, const char* type, std::uint32_t oid, v1::Column& column) {
  column.set_name(name);
  column.set_type(type);
  column.set_type_oid(oid);
}

// QueryResponse and StatementResult have the same fields.
template <typename Result>
void Answer(const v1::Statement& statement, Result& result) {
  const std::int64_t key =
      statement.parameters_size() > 0 ? statement.parameters(0).int64_value() : 0;
  AddColumn("id", "int8", kInt8, *result.add_columns());
  AddColumn("name", "text", kText, *result.add_columns());
  AddColumn("quantity", "int4", kInt4, *result.add_columns());
  v1::Row& row = *result.add_rows();
  row.add_values()->set_int64_value(key);
  row.add_values()->set_string_value("name " + std::to_string(key));
  row.add_values()->set_int64_value(key % 100);
  result.set_rows_affected(1);
  result.set_command("SELECT");
}

class Echo final : public v1::QueryService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Query(grpc::CallbackServerContext* context,
                                  const v1::QueryRequest* request,
                                  v1::QueryResponse* response) override {
    Answer(request->statement(), *response);
    return Done(*context);
  }

  grpc::ServerUnaryReactor* ExecuteBatch(grpc::CallbackServerContext* context,
                                         const v1::ExecuteBatchRequest* request,
                                         v1::ExecuteBatchResponse* response) override {
    for (const v1::BatchStatement& one : request->statements()) {
      Answer(one.statement(), *response->add_results());
    }
    response->set_attempts(1);
    return Done(*context);
  }

 private:
  static grpc::ServerUnaryReactor* Done(grpc::CallbackServerContext& context) {
    grpc::ServerUnaryReactor* reactor = context.DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

int Serve(const std::string& address) {
  // Debian's absl looks for cycles of locks at each lock that gRPC takes. A ceiling does without.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before gRPC has threads: they inherit it
  Echo echo;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&echo);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server) {
    std::cerr << "bench_echo: cannot listen on " << address << "\n";
    return 1;
  }
  std::cout << "echo serves on port " << port << std::endl;
  int signal = 0;
  sigwait(&signals, &signal);
  server->Shutdown(std::chrono::system_clock::now());
  return 0;
}

}  // namespace
}  // namespace emsdb

int main(int argc, char** argv) { return emsdb::Serve(argc > 1 ? argv[1] : "127.0.0.1:0"); }
