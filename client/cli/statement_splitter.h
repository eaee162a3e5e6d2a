// Cuts an SQL script into its statements.
#ifndef EMSDB_CLIENT_CLI_STATEMENT_SPLITTER_H_
#define EMSDB_CLIENT_CLI_STATEMENT_SPLITTER_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace emsdb::client::cli {

struct ScriptStatement {
  std::string sql;  // without the semicolon and without white space at its ends
  int line = 1;     // where it begins in the script, from 1
};

// Semicolons part statements, except in quotes, dollar quotes, comments (nested as in PostgreSQL),
// parentheses, and the bodies of functions and triggers (BEGIN ATOMIC ... END). What holds only
// comments is no statement. INVALID_ARGUMENT, with the line, for what is opened and never closed.
absl::StatusOr<std::vector<ScriptStatement>> SplitScript(std::string_view script);

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_STATEMENT_SPLITTER_H_
