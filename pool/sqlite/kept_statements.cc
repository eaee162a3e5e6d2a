#include "pool/sqlite/kept_statements.h"

#include <algorithm>
#include <array>

#include "pool/statement_facts.h"

namespace emsdb::sqlite {

KeptStatements::~KeptStatements() {
  for (sqlite3_stmt* statement : kept_) sqlite3_finalize(statement);
}

bool KeptStatements::MayKeep(std::string_view sql) {
  constexpr auto kKinds = std::to_array<std::string_view>(
      {"SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "VALUES"});
  return sql.size() <= kLongestText &&
         std::find(kKinds.begin(), kKinds.end(), FactsOf(sql)->leading_keyword) != kKinds.end();
}

sqlite3_stmt* KeptStatements::Take(std::string_view sql) {
  const auto found = std::find_if(kept_.rbegin(), kept_.rend(), [&](sqlite3_stmt* statement) {
    return std::string_view(sqlite3_sql(statement)) == sql;
  });
  if (found == kept_.rend()) return nullptr;
  sqlite3_stmt* const statement = *found;
  kept_.erase(std::prev(found.base()));
  return statement;
}

void KeptStatements::GiveBack(sqlite3_stmt* statement) {
  // What it was bound to is let go of here: its memory belongs to the caller.
  const bool failed = sqlite3_reset(statement) != SQLITE_OK;
  if (failed || sqlite3_clear_bindings(statement) != SQLITE_OK) {
    sqlite3_finalize(statement);
    return;
  }
  if (kept_.size() >= kMost) {
    sqlite3_finalize(kept_.front());
    kept_.erase(kept_.begin());
  }
  kept_.push_back(statement);
}

}  // namespace emsdb::sqlite
