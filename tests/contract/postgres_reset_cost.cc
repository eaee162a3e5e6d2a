// What EMSDB_SESSION_RESET=always costs: a one-row SELECT by key on one connection, with a reset
// before every use and without, in turns in one run. Prints the figure, judges nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "tests/contract/postgres_fixture.h"
#include "tests/support/postgres_url.h"

namespace emsdb {
namespace {

constexpr int kRounds = 15;
constexpr int kStatements = 2000;

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

class PostgresResetCost : public PostgresDriver {
 protected:
  static std::unique_ptr<Connection> OpenWith(SessionReset reset) {
    auto connector = PostgresConnector::Create({.uri = TestPostgresUrl(), .session_reset = reset},
                                               Clock::Real());
    return connector.value()->Open(Soon()).value();
  }

  // Microseconds for each statement.
  double Measure(Connection& connection) const {
    const std::string sql = Sql("SELECT s FROM %t WHERE id = $1");
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < kStatements; ++i) {
      MustRun(connection, sql, {std::int64_t{i % 1000}});
    }
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - began;
    return took.count() / kStatements;
  }
};

TEST_F(PostgresResetCost, IsPrinted) {
  MustRun(admin(), Sql("INSERT INTO %t SELECT g, 'x' FROM generate_series(0, 999) g"));
  MustRun(admin(), Sql("ANALYZE %t"));
  const auto dirty = OpenWith(SessionReset::kWhenChanged);
  const auto always = OpenWith(SessionReset::kBeforeEveryUse);
  Measure(*dirty);
  Measure(*always);
  std::vector<double> without;
  std::vector<double> with;
  std::vector<double> ratios;
  for (int i = 0; i < kRounds; ++i) {
    without.push_back(Measure(*dirty));
    with.push_back(Measure(*always));
    ratios.push_back(with.back() / without.back());
  }
  const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  std::printf("one-row SELECT: dirty %.0f us, always %.0f us, ratio %.2f (%.2f to %.2f)\n",
              Median(without), Median(with), Median(ratios), *least, *most);
}

}  // namespace
}  // namespace emsdb
