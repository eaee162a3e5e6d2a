#include "pool/copy_target.h"

#include <gtest/gtest.h>

#include "pool/errors.h"
#include "pool/names.h"

namespace emsdb {
namespace {

// T41
TEST(CopyTarget, IsQuotedNameByName) {
  EXPECT_EQ(QuotedTable({.table = "t"}), "\"t\"");
  EXPECT_EQ(QuotedColumns({.table = "t"}), "");
  const CopyTarget odd = {.schema = "S \"x", .table = "t; --", .columns = {"a", "b\" c"}};
  EXPECT_EQ(QuotedTable(odd), "\"S \"\"x\".\"t; --\"");
  EXPECT_EQ(QuotedColumns(odd), " (\"a\", \"b\"\" c\")");
}

TEST(CopyTarget, HasNoNameThatTheDatabaseWouldCutOff) {
  EXPECT_EQ(CheckCopyTarget({.table = std::string(63, 'x')}, kLongestPostgresName),
            absl::OkStatus());
  EXPECT_EQ(DetailOf(CheckCopyTarget({.table = std::string(64, 'x')}, kLongestPostgresName)).field,
            "start.table");
  EXPECT_EQ(CheckCopyTarget({.table = std::string(5000, 'x')}, kAnyLength), absl::OkStatus());
}

TEST(CopyTarget, HasNoNameThatIsNone) {
  const std::string nul("b\0", 2);
  EXPECT_EQ(DetailOf(CheckCopyTarget({.table = ""}, kLongestPostgresName)).field, "start.table");
  EXPECT_EQ(DetailOf(CheckCopyTarget({.schema = "\xff", .table = "t"}, kLongestPostgresName)).field,
            "start.schema");
  EXPECT_EQ(
      DetailOf(CheckCopyTarget({.table = "t", .columns = {"a", nul}}, kLongestPostgresName)).field,
      "start.columns[1]");
  EXPECT_EQ(CheckCopyTarget({.table = "t", .columns = {"a", "b"}}, kLongestPostgresName),
            absl::OkStatus());
}

}  // namespace
}  // namespace emsdb
