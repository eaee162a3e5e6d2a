// What SQLite's driver reads from the text of a statement.
#ifndef EMSDB_POOL_SQLITE_TEXT_H_
#define EMSDB_POOL_SQLITE_TEXT_H_

#include <cstddef>
#include <string_view>

namespace emsdb::sqlite {

// The position of the character that `offset` bytes come before, counted from 1.
int CharacterPosition(std::string_view text, std::size_t offset);

// Whether there is nothing but white space, comments and semicolons, as SQLite reads them.
bool IsBlankSql(std::string_view sql);

}  // namespace emsdb::sqlite

#endif  // EMSDB_POOL_SQLITE_TEXT_H_
