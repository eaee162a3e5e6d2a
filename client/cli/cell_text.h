// Values as text.
#ifndef EMSDB_CLIENT_CLI_CELL_TEXT_H_
#define EMSDB_CLIENT_CLI_CELL_TEXT_H_

#include <string>
#include <string_view>

#include "client/value.h"

namespace emsdb::client::cli {

// The shortest text that reads back as the same number; "NaN", "Infinity", "-Infinity".
std::string DoubleText(double value);

// As PostgreSQL shows bytes: \x00FF as "\x00ff".
std::string BytesText(std::string_view bytes);

// What the value says, without quotes: digits, "true", the text itself. "" for NULL.
std::string PlainText(const Value& value);

// Whether the type's name is that of a number, so that a table aligns it to the right.
bool IsNumberType(const std::string& type);

}  // namespace emsdb::client::cli

#endif  // EMSDB_CLIENT_CLI_CELL_TEXT_H_
