// What statement_text.h can tell of a statement, found out once for each text.
#ifndef EMSDB_POOL_STATEMENT_FACTS_H_
#define EMSDB_POOL_STATEMENT_FACTS_H_

#include <memory>
#include <string>
#include <string_view>

namespace emsdb {

// Each as the function of its name says; hints as they are.
struct StatementFacts {
  std::string fingerprint;
  std::string leading_keyword;
  std::string transaction_control;
  bool looks_like_read = false;
  bool calls_no_function = false;

  // Nothing that the text shows may write.
  bool harmless() const { return looks_like_read && calls_no_function; }
};

// Remembered by all threads together, the texts of a few thousand statements at most.
std::shared_ptr<const StatementFacts> FactsOf(std::string_view sql);

}  // namespace emsdb

#endif  // EMSDB_POOL_STATEMENT_FACTS_H_
