// Compiled statements of a session that wait for their text to come again: compiling takes several
// times as long as running a read by key.
#ifndef EMSDB_POOL_SQLITE_KEPT_STATEMENTS_H_
#define EMSDB_POOL_SQLITE_KEPT_STATEMENTS_H_

#include <sqlite3.h>

#include <memory>
#include <string_view>
#include <vector>

namespace emsdb::sqlite {

// The least recently used goes first. SQLite itself compiles one anew, and asks the authorizer
// again, where the schema has changed since. Each is with its user or here, never both, so that no
// two uses meet. Used by the connection's thread.
class KeptStatements {
 public:
  static constexpr std::size_t kMost = 64;
  static constexpr std::size_t kLongestText = std::size_t{8} << 10;

  KeptStatements() = default;
  ~KeptStatements();
  KeptStatements(const KeptStatements&) = delete;
  KeptStatements& operator=(const KeptStatements&) = delete;

  // Whether such a text is kept: a query or a write of rows. What others mean may be found while
  // they are compiled (PRAGMA, EXPLAIN), or they do not come again.
  static bool MayKeep(std::string_view sql);

  // One of exactly this text, as good as new; null: there is none.
  sqlite3_stmt* Take(std::string_view sql);

  // After its use. One that failed is not kept.
  void GiveBack(sqlite3_stmt* statement);

  std::size_t size() const { return kept_.size(); }

 private:
  std::vector<sqlite3_stmt*> kept_;  // the most recently used at the back
};

// Ends a statement's use: back to where it is kept, or for good.
struct EndUse {
  KeptStatements* kept = nullptr;  // null: it is not kept; else outlives the handle

  void operator()(sqlite3_stmt* statement) const {
    kept == nullptr ? static_cast<void>(sqlite3_finalize(statement)) : kept->GiveBack(statement);
  }
};
using StatementHandle = std::unique_ptr<sqlite3_stmt, EndUse>;

}  // namespace emsdb::sqlite

#endif  // EMSDB_POOL_SQLITE_KEPT_STATEMENTS_H_
