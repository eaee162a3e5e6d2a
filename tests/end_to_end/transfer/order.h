// What is to be moved, and how it is said to each engine.
#ifndef EMSDB_TESTS_END_TO_END_TRANSFER_ORDER_H_
#define EMSDB_TESTS_END_TO_END_TRANSFER_ORDER_H_

#include <array>
#include <compare>
#include <string>
#include <vector>

#include "emsdb/v1/statement.pb.h"

namespace emsdb::transfer {

inline constexpr int kAccounts = 8;
inline constexpr int kOpeningBalance = 300;

// Which of the gateway's ways a transfer takes.
enum class Way { kBatch, kLease, kInlineCommit, kStream, kResolvable, kOneTrip };
const char* NameOf(Way way);

// One attempt at one transfer. Each attempt has its own mark in the ledger, so that work done twice
// is seen and not refused.
struct Order {
  int number = 0;
  int attempt = 0;
  int source = 0;
  int target = 0;
  int amount = 0;

  friend auto operator<=>(const Order&, const Order&) = default;
};

enum class Engine { kPostgres, kSqlite };

// The tables, one statement each. No account may be overdrawn; the ledger has no key.
std::vector<std::string> Schema(Engine engine);

// Three statements, each of which must touch one row.
std::array<v1::Statement, 3> InSteps(const Order& order);

// All of it in one.
v1::Statement AtOnce(const Order& order, Engine engine);

}  // namespace emsdb::transfer

#endif  // EMSDB_TESTS_END_TO_END_TRANSFER_ORDER_H_
