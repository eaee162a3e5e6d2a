// What `emsdb batch` reads: an SQL script, or a JSON array of statements.
#ifndef EMSDB_CLIENT_CLI_BATCH_FILE_H_
#define EMSDB_CLIENT_CLI_BATCH_FILE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/options.h"

namespace emsdb::client::cli {

struct NumberedStatement {
  BatchStatement statement;
  int line = 0;  // in the script; 0 in a JSON file
};

// JSON if it begins with '[': objects with "sql", and if wanted "params" (values as in
// --param-json), "types" (names of PostgreSQL types, one for each parameter) and "expect_rows".
// An unknown key is an error: a mistyped "expect_rows" would otherwise guard nothing. So is a key
// that stands twice in an object.
absl::StatusOr<std::vector<NumberedStatement>> ReadBatch(const std::string& text);

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_BATCH_FILE_H_
