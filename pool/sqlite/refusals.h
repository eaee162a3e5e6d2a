// What only SQLite's driver refuses, each wording once. Nothing was run, unless it says otherwise.
#ifndef EMSDB_POOL_SQLITE_REFUSALS_H_
#define EMSDB_POOL_SQLITE_REFUSALS_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace emsdb::sqlite {

// A write in a read-only statement or transaction.
absl::Status ReadOnlyRefused();

// A statement in a transaction that has failed before.
absl::Status TransactionFailed();

// What may be repeated by itself outside a transaction: inside one, the whole transaction is over.
absl::Status EndingItsTransaction(const absl::Status& status);

// `what`: "ATTACH", "PRAGMA journal_mode"; `why` as half a sentence.
absl::Status NotAllowed(std::string_view what, std::string_view why);

// A stored text that is none. Its bytes are never handed out as text cut short, nor as bytes, which
// would claim another storage class; CAST(... AS BLOB) fetches them. `row` counts from 1.
absl::Status StoredTextRefused(std::string_view column, std::int64_t row, std::string_view problem);

}  // namespace emsdb::sqlite

#endif  // EMSDB_POOL_SQLITE_REFUSALS_H_
