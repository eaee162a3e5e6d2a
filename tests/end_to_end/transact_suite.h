// What holds for transactions on a stream, and for numbered calls, on both engines. Each engine's
// own file says where its database is and instantiates the suite with it.
#ifndef EMSDB_TESTS_END_TO_END_TRANSACT_SUITE_H_
#define EMSDB_TESTS_END_TO_END_TRANSACT_SUITE_H_

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "client/client.h"
#include "emsdb/v1/query_service.grpc.pb.h"
#include "emsdb/v1/transaction_service.grpc.pb.h"
#include "tests/support/gateway_process.h"

namespace emsdb {

// One test's database.
class SuiteDatabase {
 public:
  virtual ~SuiteDatabase() = default;
  virtual Environment settings() const = 0;
  // A statement that runs for about so many seconds unless it is stopped.
  virtual std::string slow_sql() const = 0;
};

struct SuiteEngine {
  const char* name;
  std::unique_ptr<SuiteDatabase> (*make)();
  friend void PrintTo(const SuiteEngine& engine, std::ostream* out) { *out << engine.name; }
};

class TransactSuite : public ::testing::TestWithParam<SuiteEngine> {
 protected:
  using Stream = grpc::ClientReaderWriter<v1::TransactRequest, v1::TransactResponse>;

  // The gateway, with a table `units` (id, name) that has one row, 1.
  GatewayProcess& Gateway(const Environment& more = {});
  client::Client Connect(const std::string& caller = "test") const;
  std::int64_t Count() const;
  // Returns when no transaction is open any more, having held its connection to the end.
  void AwaitNoTransaction() const;
  int OpenTransactions() const;

  // Raw calls, for what the library would not do.
  std::unique_ptr<v1::QueryService::Stub> Queries() const;
  std::unique_ptr<v1::TransactionService::Stub> Transactions() const;

  const std::unique_ptr<SuiteDatabase> database_ = GetParam().make();
  std::unique_ptr<GatewayProcess> gateway_;
};

// The reason in a status of the gateway.
std::string ReasonOf(const grpc::Status& status);

v1::TransactRequest BeginRequest(double idle_seconds = 15);
v1::TransactRequest StatementRequest(const std::string& sql);

}  // namespace emsdb

#endif  // EMSDB_TESTS_END_TO_END_TRANSACT_SUITE_H_
