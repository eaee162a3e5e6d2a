#include "pool/postgres/text_facts.h"

#include "pool/postgres/statement_cache.h"
#include "pool/postgres/statement_check.h"
#include "pool/text_memo.h"

namespace emsdb {
namespace {

PostgresFacts Find(std::string_view sql) {
  PostgresFacts facts;
  facts.check = CheckStatementText(sql);
  if (!facts.check.ok()) return facts;
  static_cast<StatementFacts&>(facts) = *FactsOf(sql);
  facts.changes = SessionChangesOf(sql);
  facts.may_return_rows = MayReturnRows(sql);
  facts.may_change_schema = MayChangeSchema(facts.leading_keyword);
  facts.sets = facts.leading_keyword == "SET";
  return facts;
}

}  // namespace

std::shared_ptr<const PostgresFacts> PostgresFactsOf(std::string_view sql) {
  // Never destroyed: a thread may ask while the process ends.
  static auto& memo = *new TextMemo<PostgresFacts>(Find);
  return memo.Of(sql);
}

}  // namespace emsdb
