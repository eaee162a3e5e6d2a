// Of a JSON file every statement has a text and its types fit its parameters; of a script every
// statement knows its line; nothing else comes out but an error.
#include "client/cli/batch_file.h"

#include <string>

#include "tests/fuzz/target.h"
#include "tests/fuzz/targets.h"

namespace emsdb::fuzz {

void BatchFile(std::string_view input) {
  const auto batch = client::cli::ReadBatch(std::string(input));
  if (!batch.ok()) {
    Require(batch.status().code() == absl::StatusCode::kInvalidArgument, "the file is to blame");
    Require(!batch.status().message().empty(), "an error says why");
    return;
  }
  for (const auto& [statement, line] : *batch) {
    if (line == 0) {
      Require(statement.expect_rows.value_or(0) >= 0, "a number of rows is none below zero");
    } else {
      Require(!statement.sql.empty() && statement.parameters.empty(), "a script has texts only");
    }
  }
}

}  // namespace emsdb::fuzz
