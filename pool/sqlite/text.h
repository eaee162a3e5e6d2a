// Text as both sides must see it: UTF-8 without U+0000.
#ifndef EMSDB_POOL_SQLITE_TEXT_H_
#define EMSDB_POOL_SQLITE_TEXT_H_

#include <cstddef>
#include <string_view>

namespace emsdb::sqlite {

// Well-formed by RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool IsUtf8(std::string_view text);

// What keeps `text` from being carried: "contains U+0000", "is not UTF-8"; empty if nothing does.
std::string_view TextProblem(std::string_view text);

// The position of the character that `offset` bytes come before, counted from 1.
int CharacterPosition(std::string_view text, std::size_t offset);

// Whether there is nothing but white space, comments and semicolons, as SQLite reads them.
bool IsBlankSql(std::string_view sql);

}  // namespace emsdb::sqlite

#endif  // EMSDB_POOL_SQLITE_TEXT_H_
