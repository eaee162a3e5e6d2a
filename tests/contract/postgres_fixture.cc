#include "tests/contract/postgres_fixture.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "absl/strings/str_format.h"
#include "pool/errors.h"
#include "tests/support/postgres_url.h"

namespace emsdb {
namespace {

// postgresql://USER:PASSWORD@HOST:PORT/DATABASE, as tests/support/private_postgres prints it.
struct UrlParts {
  std::string user, password, port, database;
};

UrlParts Parts() {
  const std::string& url = TestPostgresUrl();
  const std::size_t user = url.find("//") + 2;
  const std::size_t password = url.find(':', user) + 1;
  const std::size_t host = url.find('@', password) + 1;
  const std::size_t port = url.find(':', host) + 1;
  const std::size_t database = url.find('/', port) + 1;
  return {url.substr(user, password - 1 - user), url.substr(password, host - 1 - password),
          url.substr(port, database - 1 - port), url.substr(database)};
}

std::string Url(const UrlParts& parts, std::string_view parameters) {
  return absl::StrFormat("postgresql://%s:%s@127.0.0.1:%s/%s%s", parts.user, parts.password,
                         parts.port, parts.database, parameters);
}

}  // namespace

int ServerPort() { return std::stoi(Parts().port); }

std::string UrlWithPort(int port) {
  UrlParts parts = Parts();
  parts.port = std::to_string(port);
  return Url(parts, "");
}

std::string UrlWithPassword(std::string_view password) {
  UrlParts parts = Parts();
  parts.password = password;
  return Url(parts, "");
}

std::string UrlWithParameters(std::string_view parameters) { return Url(Parts(), parameters); }

std::string UrlWithHosts(std::string_view hosts) {
  const UrlParts parts = Parts();
  return absl::StrFormat("postgresql://%s:%s@%s/%s", parts.user, parts.password, hosts,
                         parts.database);
}

std::unique_ptr<Connector> MakeConnector(const std::string& uri) {
  auto connector = PostgresConnector::Create({.uri = uri}, Clock::Real());
  EXPECT_TRUE(connector.ok()) << connector.status();
  return connector.ok() ? *std::move(connector) : nullptr;
}

std::vector<std::vector<Value>> MustRun(Connection& connection, const std::string& sql,
                                        std::vector<Value> parameters) {
  CollectingSink sink;
  const auto done =
      connection.Execute({.sql = sql, .parameters = std::move(parameters)}, {}, Soon(), sink);
  EXPECT_TRUE(done.ok()) << sql << ": " << done.status();
  return sink.rows;
}

std::string MustGetText(Connection& connection, const std::string& sql,
                        std::vector<Value> parameters) {
  const auto rows = MustRun(connection, sql, std::move(parameters));
  if (rows.empty()) return "no row";
  const auto* text = std::get_if<std::string>(&rows[0].at(0));
  return text == nullptr ? "no text" : *text;
}

std::int64_t MustGetInt(Connection& connection, const std::string& sql,
                        std::vector<Value> parameters) {
  const auto rows = MustRun(connection, sql, std::move(parameters));
  const auto* number = rows.empty() ? nullptr : std::get_if<std::int64_t>(&rows[0].at(0));
  EXPECT_NE(number, nullptr) << sql;
  return number == nullptr ? -1 : *number;
}

absl::Status TryRun(Connection& connection, const std::string& sql, const Bounds& bounds,
                    const RunOptions& options) {
  CollectingSink sink;
  return connection.Execute({.sql = sql}, options, bounds, sink).status();
}

void PostgresDriver::SetUp() {
  static std::atomic<int> counter{0};
  table_ = absl::StrFormat("driver_%d_%d", getpid(), ++counter);
  connector_ = MakeConnector(TestPostgresUrl());
  ASSERT_NE(connector_, nullptr);
  connection_ = Open();
  admin_ = Open();
  ASSERT_TRUE(connection_ != nullptr && admin_ != nullptr);
  MustRun(admin(), Sql("CREATE TABLE %t (id bigint PRIMARY KEY, s text)"));
}

void PostgresDriver::TearDown() {
  connection_.reset();
  if (admin_ != nullptr) MustRun(admin(), Sql("DROP TABLE IF EXISTS %t"));
}

std::unique_ptr<Connection> PostgresDriver::Open() {
  auto opened = connector_->Open(Soon());
  EXPECT_TRUE(opened.ok()) << opened.status();
  return opened.ok() ? *std::move(opened) : nullptr;
}

std::unique_ptr<Connection> PostgresDriver::OpenThrough(int port) {
  auto opened = MakeConnector(UrlWithPort(port))->Open(Soon());
  EXPECT_TRUE(opened.ok()) << opened.status();
  return opened.ok() ? *std::move(opened) : nullptr;
}

std::string PostgresDriver::Sql(std::string text) const {
  for (std::size_t at = text.find("%t"); at != std::string::npos; at = text.find("%t", at)) {
    text.replace(at, 2, table_);
  }
  return text;
}

pid_t PostgresDriver::BackendOf(Connection& connection) {
  return static_cast<pid_t>(MustGetInt(connection, "SELECT pg_backend_pid()"));
}

void PostgresDriver::Kill(pid_t backend) {
  MustRun(admin(), "SELECT pg_terminate_backend($1)", {std::int64_t{backend}});
  for (int i = 0; i < 1000; ++i) {
    if (MustGetInt(admin(), "SELECT count(*) FROM pg_stat_activity WHERE pid = $1",
                   {std::int64_t{backend}}) == 0) {
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ADD_FAILURE() << "the backend did not end";
}

std::int64_t PostgresDriver::CountRows() {
  return MustGetInt(admin(), Sql("SELECT count(*) FROM %t"));
}

}  // namespace emsdb
