// Lists of things that the gateway told of itself, as JSON or as a table of the same fields.
#ifndef EMSDB_CLIENT_CLI_LIST_TEXT_H_
#define EMSDB_CLIENT_CLI_LIST_TEXT_H_

#include <string>

#include "client/cli/exit_status.h"
#include "client/cli/result_writer.h"
#include "emsdb/v1/database_service.pb.h"
#include "nlohmann/json.hpp"

namespace emsdb::client::cli {

using Json = nlohmann::ordered_json;

std::string EngineName(v1::Engine engine);  // "postgresql"

// A table of a list of objects, whose keys are the columns; the first one's are all of theirs.
void WriteListTable(const Json& list, Output& output);

// As JSON or as such a table, and the end of the command.
ExitStatus WriteList(const Json& list, Format format, Output& output);

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_LIST_TEXT_H_
