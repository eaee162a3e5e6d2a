#include "pool/statement_facts.h"

#include "pool/statement_text.h"
#include "pool/text_memo.h"

namespace emsdb {
namespace {

StatementFacts Find(std::string_view sql) {
  return {.fingerprint = Fingerprint(sql),
          .leading_keyword = LeadingKeyword(sql),
          .transaction_control = TransactionControl(sql),
          .looks_like_read = LooksLikeRead(sql),
          .calls_no_function = CallsNoFunction(sql)};
}

}  // namespace

std::shared_ptr<const StatementFacts> FactsOf(std::string_view sql) {
  // Never destroyed: a thread may ask while the process ends.
  static auto& memo = *new TextMemo<StatementFacts>(Find);
  return memo.Of(sql);
}

}  // namespace emsdb
