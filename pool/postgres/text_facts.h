// What the driver wants to know of a statement's text, found out once for each text.
#ifndef EMSDB_POOL_POSTGRES_TEXT_FACTS_H_
#define EMSDB_POOL_POSTGRES_TEXT_FACTS_H_

#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "pool/postgres/session_changes.h"
#include "pool/statement_facts.h"

namespace emsdb {

struct PostgresFacts : StatementFacts {
  absl::Status check;      // CheckStatementText; where it is not OK nothing else is known
  SessionChanges changes;  // SessionChangesOf
  bool may_return_rows = true;
  bool may_change_schema = false;  // by its first word
  bool sets = false;               // SET, with LOCAL or without
};

// Remembered by all threads together, as FactsOf does.
std::shared_ptr<const PostgresFacts> PostgresFactsOf(std::string_view sql);

}  // namespace emsdb

#endif  // EMSDB_POOL_POSTGRES_TEXT_FACTS_H_
