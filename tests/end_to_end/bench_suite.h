// What `emsdb bench` must do on every engine: each workload for a fraction of a second, with what
// it counted compared with what is in the table. No time is asserted.
#ifndef EMSDB_TESTS_END_TO_END_BENCH_SUITE_H_
#define EMSDB_TESTS_END_TO_END_BENCH_SUITE_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/gateway_process.h"

namespace emsdb {

inline constexpr int kBenchKeys = 200;

// Runs the program; its result, which must be there.
nlohmann::json Bench(const GatewayProcess& gateway, std::vector<std::string> arguments);

// Makes the table, and says what the program said.
std::string PrepareBench(const GatewayProcess& gateway);

// One number that the statement asks for.
std::int64_t AskNumber(const GatewayProcess& gateway, const std::string& sql);

// Each of these with a table of its own.
void ReadsCountTheirRows(const GatewayProcess& gateway);
void WritesThatAreCountedAreInTheTable(const GatewayProcess& gateway);
void TransactionsThatAreCountedAreInTheTable(const GatewayProcess& gateway);
void StreamsAreWhole(const GatewayProcess& gateway);
void IdleConnectionsAreHeld(const GatewayProcess& gateway);
void TheTableIsMadeAnew(const GatewayProcess& gateway);

}  // namespace emsdb

#endif  // EMSDB_TESTS_END_TO_END_BENCH_SUITE_H_
