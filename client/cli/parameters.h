// Parameters as they stand on the command line or in a JSON file.
#ifndef EMSDB_CLIENT_CLI_PARAMETERS_H_
#define EMSDB_CLIENT_CLI_PARAMETERS_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "client/value.h"
#include "nlohmann/json_fwd.hpp"

namespace emsdb::client::cli {

// The text of --param-json: null, true, 42, 1.5, "text" or {"hex": "00ff"}. INVALID_ARGUMENT for
// all else, also for an integer beyond 64 bits, which would lose digits on its way.
absl::StatusOr<Value> ValueFromJsonText(const std::string& text);

// The text of --param-hex: pairs of hexadecimal digits, with or without a leading \x.
absl::StatusOr<Value> ValueFromHex(std::string_view text);

// A value inside a larger JSON text, which must have gone through ParseJson.
absl::StatusOr<Value> ValueFromJson(const nlohmann::json& json);

// Parses, and refuses what the parser would change without a word: integers that do not fit into
// 64 bits (it makes doubles of them), and a key that stands twice in an object (it keeps the last).
// `element`: what an element of the outermost array is called in an error; empty if it is none.
absl::StatusOr<nlohmann::json> ParseJson(const std::string& text, const std::string& element);

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_PARAMETERS_H_
