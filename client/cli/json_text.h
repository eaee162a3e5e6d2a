// The pieces of JSON that are written cell by cell, so that a result of any length needs no tree.
#ifndef EMSDB_CLIENT_CLI_JSON_TEXT_H_
#define EMSDB_CLIENT_CLI_JSON_TEXT_H_

#include <string>
#include <string_view>

#include "client/value.h"

namespace emsdb::client::cli {

// A string with its quotes. Controls are escaped, those of ISO 8859 too: JSON allows them, but a
// terminal may obey them.
std::string JsonString(std::string_view text);

// int64 with all its digits, NaN and the infinities as strings, bytes as a string "\x00ff".
std::string JsonValue(const Value& value);

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_JSON_TEXT_H_
