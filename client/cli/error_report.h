// How an error is shown to a person, and what the exit status makes of it.
#ifndef EMSDB_CLIENT_CLI_ERROR_REPORT_H_
#define EMSDB_CLIENT_CLI_ERROR_REPORT_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "client/cli/exit_status.h"

namespace emsdb::client::cli {

ExitStatus ExitStatusFor(const absl::Status& status);

// The line of `sql` that holds the character number `position` (from 1), and below it a caret
// under that character. `first_line` is the number of the statement's first line. Empty where the
// position is not in the statement.
std::string CaretLines(std::string_view sql, int position, int first_line = 1);

// The statement an error belongs to, as far as it is known here.
struct StatementSource {
  std::string sql;     // empty: unknown
  int first_line = 1;  // in the file it came from
};

// The whole message for standard error, fit for a terminal, each line ended.
std::string ErrorReport(const absl::Status& status, const StatementSource& source = {});

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_ERROR_REPORT_H_
