#include "tests/end_to_end/transact_suite.h"

namespace emsdb {
namespace {

class EmbeddedFile final : public SuiteDatabase {
 public:
  Environment settings() const override { return {}; }
  std::string slow_sql() const override {
    return "with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000000000) "
           "select max(i) from n";
  }
};

INSTANTIATE_TEST_SUITE_P(Sqlite, TransactSuite,
                         ::testing::Values(SuiteEngine{"Sqlite",
                                                       []() -> std::unique_ptr<SuiteDatabase> {
                                                         return std::make_unique<EmbeddedFile>();
                                                       }}),
                         ::testing::PrintToStringParamName());

}  // namespace
}  // namespace emsdb
