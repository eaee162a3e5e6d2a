// What SQLite's result codes mean to a caller: a table, and the reading of SQLite's messages where
// they are regular.
#ifndef EMSDB_POOL_SQLITE_RESULT_CODE_H_
#define EMSDB_POOL_SQLITE_RESULT_CODE_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "pool/errors.h"

namespace emsdb::sqlite {

// Whether the connection can be used after such an error.
enum class Damage { kNone, kConnection };

struct Meaning {
  int result_code;
  const char* name;  // "SQLITE_BUSY"
  absl::StatusCode code;
  Retry retry = Retry::kNo;
  Damage damage = Damage::kNone;
};

// Of an extended result code; for one that the table does not have, of its primary code.
const Meaning& MeaningOf(int result_code);

// When an error arose: while running, SQLite's messages may hold a value, which is then left out.
enum class Phase { kPreparing, kRunning };

// An error as SQLite reports it.
struct SqlError {
  int result_code = 0;  // extended
  std::string message;
  int offset = -1;  // in the statement, in bytes from 0; -1 = unknown
};

// The status, with reason "SQL_ERROR" and what the message tells, but no stage. `sql` is the
// statement whose error it is.
absl::Status ToStatus(const SqlError& error, Phase phase, std::string_view sql);

}  // namespace emsdb::sqlite

#endif  // EMSDB_POOL_SQLITE_RESULT_CODE_H_
