// Many callers who each read rows of their own at once, so that the gateway serves them in groups.
#ifndef EMSDB_TESTS_END_TO_END_GROUP_CALLERS_H_
#define EMSDB_TESTS_END_TO_END_GROUP_CALLERS_H_

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "client/client.h"
#include "tests/support/gateway_process.h"

namespace emsdb {

// A table "units (id, name)" with the rows 1 to kUnits, "unit 1" and so on, is the test's to make.
class GroupCallers : public ::testing::Test {
 protected:
  static constexpr char kRead[] = "select id, name from units where id = $1";
  static constexpr int kUnits = 1000;
  static constexpr int kCallers = 24;

  using ReadOne = absl::Status (*)(const client::Client&, std::int64_t);

  // By one caller, when nobody else keeps the machine busy.
  static void Prove(const GatewayProcess& gateway, ReadOne read_one = &ReadOwn) {
    auto client = client::Client::Connect({.address = gateway.address()});
    ASSERT_TRUE(client.ok()) << client.status();
    for (int i = 1; i <= 50; ++i) ASSERT_EQ(read_one(*client, i), absl::OkStatus());
  }

  // Its own row, or a failure that says so.
  static absl::Status ReadOwn(const client::Client& client, std::int64_t id) {
    const auto result = client.Query("main", kRead, {id}, {.access = client::Access::kReadOnly});
    if (!result.ok()) return result.status();
    EXPECT_EQ(result->rows.size(), 1U);
    EXPECT_EQ(*result->rows.at(0)[0].get_if<std::int64_t>(), id);
    EXPECT_EQ(*result->rows.at(0)[1].get_if<std::string>(), "unit " + std::to_string(id));
    return absl::OkStatus();
  }

  // Many callers at once, for so long; calls `other` now and then, in each of their threads.
  template <typename Other>
  void Read(const GatewayProcess& gateway, std::chrono::milliseconds time, Other other,
            ReadOne read_one = &ReadOwn) {
    const auto until = std::chrono::steady_clock::now() + time;
    std::vector<std::thread> callers;
    for (int caller = 0; caller < kCallers; ++caller) {
      callers.emplace_back([&, caller] {
        auto client = client::Client::Connect({.address = gateway.address()});
        ASSERT_TRUE(client.ok()) << client.status();
        for (int i = caller; std::chrono::steady_clock::now() < until; i += 7) {
          const absl::Status status = read_one(*client, 1 + i % kUnits);
          status.ok() ? ++read_ : ++failed_;
          if (!status.ok()) {
            EXPECT_TRUE(absl::IsUnavailable(status)) << status;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
          }
          if (i % 11 == 0) other(*client, i);
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
  }

  static double Metric(const GatewayProcess& gateway, const std::string& name) {
    const std::string metrics = gateway.Metrics();
    const std::string line = "\n" + name + "{pool=\"main\"} ";
    const std::size_t at = metrics.find(line);
    return at == std::string::npos ? -1 : std::stod(metrics.substr(at + line.size()));
  }

  // Everybody was answered, and there were groups, of two or more.
  void ExpectGroups(const GatewayProcess& gateway) {
    EXPECT_EQ(failed_, 0);
    EXPECT_GT(read_, kCallers);
    const double groups = Metric(gateway, "emsdb_pool_groups_total");
    EXPECT_GT(groups, 0);
    EXPECT_GE(Metric(gateway, "emsdb_pool_grouped_reads_total"), 2 * groups);
  }

  std::atomic<int> read_{0};
  std::atomic<int> failed_{0};
};

}  // namespace emsdb

#endif  // EMSDB_TESTS_END_TO_END_GROUP_CALLERS_H_
