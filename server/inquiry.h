// One question of the gateway's own to a database: a reading statement through the pool, as any
// caller would send it, but ahead of them all.
#ifndef EMSDB_SERVER_INQUIRY_H_
#define EMSDB_SERVER_INQUIRY_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pool/pool_manager.h"

namespace emsdb {

// How long an answer may take.
inline constexpr Duration kInquiryPatience = std::chrono::seconds(5);

// The cells of the first row as text, "" for NULL; empty without a row. Called once, from any
// thread; must not block.
using InquiryAnswer = std::function<void(const absl::StatusOr<std::vector<std::string>>&)>;

// `sql` must live as long as the process.
void Inquire(PoolManager& pools, Database& database, const char* sql, InquiryAnswer answer);

}  // namespace emsdb

#endif  // EMSDB_SERVER_INQUIRY_H_
