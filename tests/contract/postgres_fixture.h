// What the tests of the PostgreSQL driver share: connections, an administrator's connection beside
// them, and the handling of the server's processes.
#ifndef EMSDB_TESTS_CONTRACT_POSTGRES_FIXTURE_H_
#define EMSDB_TESTS_CONTRACT_POSTGRES_FIXTURE_H_

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pool/connection.h"
#include "pool/postgres/connector.h"
#include "tests/contract/connector_contract.h"

namespace emsdb {

// The test server's URL with another port, password or parameters ("?a=b") behind it.
std::string UrlWithPort(int port);
std::string UrlWithPassword(std::string_view password);
std::string UrlWithParameters(std::string_view parameters);
// `hosts` as between "@" and "/" of a URL.
std::string UrlWithHosts(std::string_view hosts);
int ServerPort();

std::unique_ptr<Connector> MakeConnector(const std::string& uri);

// One statement and its rows; a failure of the test if it fails.
std::vector<std::vector<Value>> MustRun(Connection& connection, const std::string& sql,
                                        std::vector<Value> parameters = {});
std::string MustGetText(Connection& connection, const std::string& sql,
                        std::vector<Value> parameters = {});
std::int64_t MustGetInt(Connection& connection, const std::string& sql,
                        std::vector<Value> parameters = {});
absl::Status TryRun(Connection& connection, const std::string& sql, const Bounds& bounds = Soon(),
                    const RunOptions& options = {});

// A process of the server that is stopped as long as this lives.
class StoppedProcess {
 public:
  explicit StoppedProcess(pid_t pid) : pid_(pid) { EXPECT_EQ(kill(pid_, SIGSTOP), 0); }
  ~StoppedProcess() { kill(pid_, SIGCONT); }
  StoppedProcess(const StoppedProcess&) = delete;
  StoppedProcess& operator=(const StoppedProcess&) = delete;

 private:
  pid_t pid_;
};

// A connection, an administrator's, and a table `driver_N (id bigint primary key, s text)` of the
// test's own, written as "%t".
class PostgresDriver : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  std::unique_ptr<Connection> Open();
  std::unique_ptr<Connection> OpenThrough(int port);
  Connection& connection() { return *connection_; }
  Connection& admin() { return *admin_; }

  std::string Sql(std::string text) const;
  pid_t BackendOf(Connection& connection);
  // Ends its backend and waits until it is gone.
  void Kill(pid_t backend);
  std::int64_t CountRows();

  std::unique_ptr<Connector> connector_;
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<Connection> admin_;
  std::string table_;
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_CONTRACT_POSTGRES_FIXTURE_H_
