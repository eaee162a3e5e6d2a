// The tokens file (EMSDB_TOKENS_FILE): JSON that a person writes.
//
//   {"callers": [
//     {"caller": "cad-dispatch",
//      "tokens": ["sha256:9f86d081..."],
//      "certificates": ["cad.ems.example"],
//      "databases": ["main", "fire"],
//      "highest_priority": "dispatch",
//      "default_priority": "clinical"},
//     {"caller": "reports", "tokens": ["sha256:60303ae2..."], "databases": "*",
//      "highest_priority": "reporting", "read_only": true}]}
//
// A token may be written as it is, too. No complaint ever shows one.
#ifndef EMSDB_SERVER_TOKENS_FILE_H_
#define EMSDB_SERVER_TOKENS_FILE_H_

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "server/callers.h"

namespace emsdb {

// Each names the entry by its place, callers[2], and the rule that it breaks.
using TokensComplaints = std::vector<std::string>;

// `databases` are the names of the logical databases there are.
std::variant<std::shared_ptr<const Callers>, TokensComplaints> ParseTokensFile(
    const std::string& content, const std::vector<std::string>& databases);

}  // namespace emsdb

#endif  // EMSDB_SERVER_TOKENS_FILE_H_
