// What the calls of a workload say: requests that are built once. Before each call only the keys
// in them change.
#ifndef EMSDB_CLIENT_CLI_BENCH_WORKLOAD_H_
#define EMSDB_CLIENT_CLI_BENCH_WORKLOAD_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "client/cli/bench_options.h"
#include "client/cli/bench_random.h"
#include "client/options.h"
#include "emsdb/v1/query_service.pb.h"
#include "emsdb/v1/transaction_service.pb.h"

namespace emsdb::client::cli {

// Whose SQL is spoken.
enum class Dialect { kPostgres, kSqlite };

// The table that `emsdb bench --prepare` makes; what was there under its name goes.
std::vector<BatchStatement> PrepareStatements(Dialect dialect, std::int64_t keys);

// Read, write, and what a mix has: one statement with at most one parameter, the key.
v1::QueryRequest ReadRequest(const BenchCommand& command);
v1::QueryRequest WriteRequest(const BenchCommand& command);
v1::QueryRequest SlowRequest(const BenchCommand& command);

// Five reads.
v1::ExecuteBatchRequest BatchRequest(const BenchCommand& command);

// Begins with the first, goes on, commits with the last.
using TransactionRequests = std::array<v1::QueryRequest, 3>;
TransactionRequests MakeTransactionRequests(const BenchCommand& command);

v1::StreamQueryRequest StreamRequest(const BenchCommand& command, Dialect dialect);

// Keys 1 to `keys` into the statements that have a parameter.
void SetKey(std::int64_t key, v1::Statement& statement);
void ChooseKeys(std::int64_t keys, BenchRandom& random, v1::QueryRequest& request);
void ChooseKeys(std::int64_t keys, BenchRandom& random, v1::ExecuteBatchRequest& request);
// The rows of a transaction in ascending order, as careful callers lock them: no deadlocks.
void ChooseKeys(std::int64_t keys, BenchRandom& random, TransactionRequests& requests);

// One of a few deadlines from a range. gRPC 1.51 keeps every distinct one in a list for each
// connection, and looks through it at each call: any number of them makes a call three times as
// dear on this side, and what is to be measured is the other one.
class DeadlineChoice {
 public:
  static constexpr std::uint64_t kSteps = 16;

  explicit DeadlineChoice(const DeadlineRange& range) : range_(range) {}

  Duration Choose(BenchRandom& random) const {
    const auto step = static_cast<std::int64_t>(random.Below(kSteps));
    return range_.min + (range_.max - range_.min) * step / static_cast<std::int64_t>(kSteps - 1);
  }

 private:
  DeadlineRange range_;
};

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_BENCH_WORKLOAD_H_
