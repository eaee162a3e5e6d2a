// What a setting of the driver costs or brings: the same statement on two connections that differ
// in it, in turns in one run. The server's own time is that of its process. Prints the figures,
// judges nothing.
#ifndef EMSDB_TESTS_CONTRACT_POSTGRES_COST_H_
#define EMSDB_TESTS_CONTRACT_POSTGRES_COST_H_

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "tests/contract/postgres_fixture.h"
#include "tests/support/postgres_url.h"

namespace emsdb {

// The table has a thousand rows, (0, 'x') and so on.
class PostgresCost : public PostgresDriver {
 protected:
  struct Side {
    std::unique_ptr<Connection> connection;
    pid_t backend;
  };

  void SetUp() override {
    PostgresDriver::SetUp();
    MustRun(admin(), Sql("INSERT INTO %t SELECT g, 'x' FROM generate_series(0, 999) g"));
    MustRun(admin(), Sql("ANALYZE %t"));
  }

  Side OpenWith(PostgresSettings settings) {
    settings.uri = TestPostgresUrl();
    auto connector = PostgresConnector::Create(settings, Clock::Real());
    Side side{connector.value()->Open(Soon()).value(), 0};
    side.backend = BackendOf(*side.connection);
    return side;
  }

  // `sql` has one parameter, a row's id.
  static void Compare(const char* what, const Side& without, const Side& with,
                      const std::string& sql) {
    Measure(without, sql);
    Measure(with, sql);
    std::vector<Cost> off;
    std::vector<Cost> on;
    for (int i = 0; i < kRounds; ++i) {
      off.push_back(Measure(without, sql));
      on.push_back(Measure(with, sql));
    }
    Print(what, "trip", off, on, &Cost::trip_us);
    Print(what, "server's CPU", off, on, &Cost::server_us);
  }

 private:
  // Many short rounds: what else the machine does then hits few of them.
  static constexpr int kRounds = 61;
  static constexpr int kStatements = 300;

  // Microseconds for each statement.
  struct Cost {
    double trip_us = 0;    // as the driver sees it
    double server_us = 0;  // CPU of the server's process
  };

  // Microseconds that a process on this machine has run.
  static double CpuOf(pid_t process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/schedstat");
    double nanoseconds = 0;
    file >> nanoseconds;
    return nanoseconds / 1000;
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

  static double Quantile(std::vector<double> values, std::size_t quarter) {
    std::sort(values.begin(), values.end());
    return values[(values.size() - 1) * quarter / 4];
  }

  static void Print(const char* what, const char* of, const std::vector<Cost>& off,
                    const std::vector<Cost>& on, double Cost::*figure) {
    std::vector<double> without;
    std::vector<double> with;
    std::vector<double> ratios;
    for (std::size_t i = 0; i < off.size(); ++i) {
      without.push_back(off[i].*figure);
      with.push_back(on[i].*figure);
      ratios.push_back(with.back() / without.back());
    }
    std::printf("%s, %s: %.0f us without, %.0f us with, ratio %.2f (middle half %.2f to %.2f)\n",
                what, of, Quantile(without, 2), Quantile(with, 2), Quantile(ratios, 2),
                Quantile(ratios, 1), Quantile(ratios, 3));
  }
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_CONTRACT_POSTGRES_COST_H_
