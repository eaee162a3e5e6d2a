// Text as every side must see it: UTF-8, whole characters only.
#ifndef EMSDB_POOL_UTF8_H_
#define EMSDB_POOL_UTF8_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace emsdb {

// Well-formed by RFC 3629, and so for PostgreSQL: no overlong forms, no surrogates, nothing above
// U+10FFFF.
bool IsUtf8(std::string_view text);

// The text with each byte that is none replaced by "?".
std::string MakeUtf8(std::string_view text);

// What keeps `text` from being carried: "contains U+0000", "is not valid UTF-8"; empty if nothing
// does.
std::string_view TextProblem(std::string_view text);

// The beginning of at most `most` bytes; of UTF-8, whole characters.
std::string_view FrontOf(std::string_view text, std::size_t most);

// The text, or its beginning of at most `most` bytes and "...".
std::string Shortened(std::string_view text, std::size_t most);

}  // namespace emsdb

#endif  // EMSDB_POOL_UTF8_H_
