#include "client/cli/batch_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace emsdb::client::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Complaint(const std::string& text) {
  return std::string(ReadBatch(text).status().message());
}

TEST(BatchFile, TakesAScriptForSql) {
  const auto batch = ReadBatch("insert into a values (1);\nupdate b set n = 2;");
  ASSERT_TRUE(batch.ok()) << batch.status();
  ASSERT_EQ(batch->size(), 2u);
  EXPECT_EQ((*batch)[1].statement.sql, "update b set n = 2");
  EXPECT_EQ((*batch)[1].line, 2);
}

TEST(BatchFile, TakesAnArrayForJson) {
  const auto batch = ReadBatch(R"(
    [{"sql": "update a set n = $1", "params": [5], "expect_rows": 1},
     {"sql": "select $1, $2, $3, $4, $5", "params": [null, true, 1.5, "x", {"hex": "00ff"}],
      "types": ["int8", "bool", "", "", ""]}])");
  ASSERT_TRUE(batch.ok()) << batch.status();
  const BatchStatement& first = (*batch)[0].statement;
  EXPECT_THAT(first.parameters, ElementsAre(Value(5)));
  EXPECT_EQ(first.expect_rows, 1);
  const BatchStatement& second = (*batch)[1].statement;
  EXPECT_THAT(second.parameters, ElementsAre(Value(), Value(true), Value(1.5), Value("x"),
                                             Value(Bytes{std::string("\0\xff", 2)})));
  EXPECT_EQ(second.expect_rows, std::nullopt);
  EXPECT_EQ(second.parameter_types.size(), 5u);
}

TEST(BatchFile, RefusesAKeyItDoesNotKnow) {
  EXPECT_THAT(Complaint(R"([{"sql": "x"}, {"sql": "x", "expect_row": 1}])"),
              HasSubstr("statement 2: there is no key \"expect_row\""));
}

TEST(BatchFile, RefusesAKeyThatStandsTwiceInOneObject) {
  EXPECT_THAT(Complaint(R"([{"sql": "x"}, {"sql": "x", "expect_rows": 1, "expect_rows": 2}])"),
              HasSubstr("statement 2: the key \"expect_rows\" stands there twice"));
  EXPECT_THAT(Complaint(R"([{"sql": "x", "params": [{"hex": "00"}, {"hex": "00", "hex": "01"}]}])"),
              HasSubstr("statement 1: the key \"hex\" stands there twice"));
  EXPECT_THAT(Complaint(R"([{"sql": "x", "s\u0071l": "x"}])"),
              HasSubstr("statement 1: the key \"sql\" stands there twice"));
  EXPECT_TRUE(ReadBatch(R"([{"sql": "x", "params": [{"hex": "00"}, {"hex": "00"}]},
                            {"sql": "x"}])")
                  .ok());
}

TEST(BatchFile, RefusesWhatItCannotMean) {
  EXPECT_THAT(Complaint(R"([{"params": []}])"), HasSubstr("\"sql\" is missing"));
  EXPECT_THAT(Complaint(R"([{"sql": 1}])"), HasSubstr("must be a string"));
  EXPECT_THAT(Complaint(R"([{"sql": "x", "expect_rows": -1}])"), HasSubstr("expect_rows"));
  EXPECT_THAT(Complaint(R"([{"sql": "x", "expect_rows": 1.5}])"), HasSubstr("expect_rows"));
  EXPECT_THAT(Complaint(R"([{"sql": "x", "params": [[1]]}])"), HasSubstr("a parameter must be"));
  EXPECT_THAT(Complaint(R"(["select 1"])"), HasSubstr("must be an object"));
  EXPECT_THAT(Complaint(R"([{"sql": "x"})"), HasSubstr("not JSON"));
}

// T50
TEST(BatchFile, RefusesAnIntegerThatWouldLoseDigits) {
  EXPECT_THAT(Complaint(R"([{"sql": "x", "params": [9223372036854775808]}])"),
              HasSubstr("does not fit into 64 bits"));
}

TEST(BatchFile, RefusesAFileWithoutAStatement) {
  EXPECT_THAT(Complaint("-- nothing here\n"), HasSubstr("no statement"));
  EXPECT_THAT(Complaint("[]"), HasSubstr("no statement"));
}

}  // namespace
}  // namespace emsdb::client::cli
