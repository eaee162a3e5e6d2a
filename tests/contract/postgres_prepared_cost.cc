// What EMSDB_STATEMENT_CACHE brings: a one-row SELECT by key, and one that takes planning, on one
// connection each, with prepared statements and without, in turns in one run. The server's own time
// is that of its process. Prints the figures, judges nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <vector>

#include "tests/contract/postgres_fixture.h"
#include "tests/support/postgres_url.h"

namespace emsdb {
namespace {

constexpr int kRounds = 15;
constexpr int kStatements = 2000;

struct Cost {
  double trip_us = 0;    // as the driver sees it
  double server_us = 0;  // CPU of the server's process
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Microseconds that a process on this machine has run.
double CpuOf(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/schedstat");
  double nanoseconds = 0;
  file >> nanoseconds;
  return nanoseconds / 1000;
}

class PostgresPreparedCost : public PostgresDriver {
 protected:
  struct Side {
    std::unique_ptr<Connection> connection;
    pid_t backend;
  };
  Side OpenWith(std::size_t statements) {
    auto connector = PostgresConnector::Create(
        {.uri = TestPostgresUrl(), .statement_cache = statements}, Clock::Real());
    Side side{connector.value()->Open(Soon()).value(), 0};
    side.backend = BackendOf(*side.connection);
    return side;
  }

  static Cost Measure(const Side& side, const std::string& sql) {
    const double cpu = CpuOf(side.backend);
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < kStatements; ++i) {
      MustRun(*side.connection, sql, {std::int64_t{i % 1000}});
    }
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - began;
    return {took.count() / kStatements, (CpuOf(side.backend) - cpu) / kStatements};
  }

  void Print(const char* what, const std::string& sql) {
    const Side off = OpenWith(0);
    const Side on = OpenWith(100);
    Measure(off, sql);
    Measure(on, sql);
    std::vector<double> trips[2];
    std::vector<double> servers[2];
    std::vector<double> trip_ratios;
    std::vector<double> server_ratios;
    for (int i = 0; i < kRounds; ++i) {
      const Cost without = Measure(off, sql);
      const Cost with = Measure(on, sql);
      trips[0].push_back(without.trip_us);
      trips[1].push_back(with.trip_us);
      servers[0].push_back(without.server_us);
      servers[1].push_back(with.server_us);
      trip_ratios.push_back(with.trip_us / without.trip_us);
      server_ratios.push_back(with.server_us / without.server_us);
    }
    const auto [least, most] = std::minmax_element(trip_ratios.begin(), trip_ratios.end());
    std::printf(
        "%s: trip %.0f us off, %.0f us on, ratio %.2f (%.2f to %.2f); server's CPU %.0f us off, "
        "%.0f us on, ratio %.2f\n",
        what, Median(trips[0]), Median(trips[1]), Median(trip_ratios), *least, *most,
        Median(servers[0]), Median(servers[1]), Median(server_ratios));
  }
};

TEST_F(PostgresPreparedCost, IsPrinted) {
  MustRun(admin(), Sql("INSERT INTO %t SELECT g, 'x' FROM generate_series(0, 999) g"));
  MustRun(admin(), Sql("ANALYZE %t"));
  Print("one row by key", Sql("SELECT s FROM %t WHERE id = $1"));
  Print("join of four", Sql("SELECT a.s, d.s FROM %t a JOIN %t b ON b.id = a.id JOIN %t c ON c.id "
                            "= b.id LEFT JOIN %t d ON d.id = c.id + 1 WHERE a.id = $1 AND b.s = "
                            "'x' AND c.s LIKE 'x%'"));
}

}  // namespace
}  // namespace emsdb
