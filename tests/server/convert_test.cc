#include "server/convert.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "pool/errors.h"
#include "tests/support/status_matchers.h"

namespace emsdb {
namespace {

using google::protobuf::RepeatedPtrField;

v1::Statement WithParameter(const v1::Value& value) {
  v1::Statement statement;
  *statement.add_parameters() = value;
  return statement;
}

TEST(Convert, TakesEveryKindOfParameter) {
  v1::Statement statement;
  statement.set_sql("select");
  statement.add_parameters()->set_null_value(google::protobuf::NULL_VALUE);
  statement.add_parameters()->set_bool_value(false);
  statement.add_parameters()->set_int64_value(INT64_MIN);
  statement.add_parameters()->set_double_value(-0.0);
  statement.add_parameters()->set_string_value("");
  statement.add_parameters()->set_bytes_value(std::string("\0", 1));
  const auto converted = ToStatement(statement, "statement");
  ASSERT_TRUE(converted.ok());
  EXPECT_EQ(converted->sql, "select");
  EXPECT_EQ(converted->parameters,
            (std::vector<Value>{Null{}, false, INT64_MIN, -0.0, std::string(),
                                Bytes{std::string("\0", 1)}}));
}

// T49
TEST(Convert, TellsAnUnsetValueFromNull) {
  const auto converted = ToStatement(WithParameter({}), "statements[3].statement");
  EXPECT_EQ(converted.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(DetailOf(converted.status()).field, "statements[3].statement.parameters[0]");
}

TEST(Convert, WantsAsManyTypesAsParametersOrNone) {
  v1::Statement statement = WithParameter({});
  statement.mutable_parameters(0)->set_int64_value(1);
  statement.add_parameter_types("int8");
  EXPECT_TRUE(ToStatement(statement, "statement").ok());
  statement.add_parameter_types("int8");
  EXPECT_EQ(DetailOf(ToStatement(statement, "statement").status()).field,
            "statement.parameter_types");
}

TEST(Convert, GivesEveryKindOfCellBack) {
  RepeatedPtrField<v1::Row> rows;
  const std::array<Cell, 6> cells = {Null{},
                                     true,
                                     std::int64_t{INT64_MAX},
                                     std::numeric_limits<double>::quiet_NaN(),
                                     std::string_view(""),
                                     BytesView{std::string_view("\0", 1)}};
  AddRow(cells, rows);
  ASSERT_EQ(rows.size(), 1);
  const auto& values = rows[0].values();
  ASSERT_EQ(values.size(), 6);
  EXPECT_TRUE(values[0].has_null_value());
  EXPECT_TRUE(values[1].bool_value());
  EXPECT_EQ(values[2].int64_value(), INT64_MAX);
  EXPECT_TRUE(std::isnan(values[3].double_value()));
  // Empty is not NULL.
  EXPECT_TRUE(values[4].has_string_value());
  EXPECT_EQ(values[5].bytes_value(), std::string("\0", 1));
}

TEST(Convert, NeverCountsFewerBytesThanARowTakes) {
  RepeatedPtrField<v1::Row> rows;
  const std::string text(100000, 'x');
  const std::array<Cell, 5> cells = {Null{}, false, std::int64_t{-1}, 1.5, std::string_view(text)};
  const std::size_t counted = AddRow(cells, rows);
  EXPECT_GE(counted, rows[0].ByteSizeLong());
  const std::size_t empty = AddRow({}, rows);
  EXPECT_GE(empty, rows[1].ByteSizeLong());
}

TEST(Convert, KeepsDuplicateAndEmptyColumnNames) {
  RepeatedPtrField<v1::Column> columns;
  const std::array<Column, 3> given = {Column{"a", "int4", 23}, Column{"a", "text", 25},
                                       Column{"", "", 16512}};
  SetColumns(given, columns);
  SetColumns(given, columns);
  ASSERT_EQ(columns.size(), 3);
  EXPECT_EQ(columns[1].name(), "a");
  EXPECT_EQ(columns[2].type_oid(), 16512U);
}

TEST(Convert, TakesTheDefaultsOfATransaction) {
  const auto terms = ToTransactionTerms({}, "options");
  ASSERT_TRUE(terms.ok());
  EXPECT_EQ(terms->idle_timeout, std::chrono::seconds(15));
  EXPECT_EQ(terms->total_timeout, std::chrono::seconds(120));
}

TEST(Convert, BoundsTheTimesOfATransaction) {
  v1::TransactionOptions options;
  options.mutable_idle_timeout()->set_seconds(300);
  options.mutable_total_timeout()->set_seconds(3600);
  EXPECT_TRUE(ToTransactionTerms(options, "options").ok());
  options.mutable_idle_timeout()->set_nanos(1);
  EXPECT_EQ(DetailOf(ToTransactionTerms(options, "options").status()).field,
            "options.idle_timeout");
  options.clear_idle_timeout();
  options.mutable_total_timeout()->set_seconds(INT64_MAX);
  EXPECT_EQ(DetailOf(ToTransactionTerms(options, "options").status()).field,
            "options.total_timeout");
}

TEST(Convert, AllowsDeferrableOnlyWhereItMeansSomething) {
  v1::TransactionOptions options;
  options.set_deferrable(true);
  EXPECT_FALSE(ToTransactionOptions(options, "options").ok());
  options.set_read_only(true);
  options.set_isolation_level(v1::ISOLATION_LEVEL_SERIALIZABLE);
  const auto converted = ToTransactionOptions(options, "options");
  ASSERT_TRUE(converted.ok());
  EXPECT_TRUE(converted->deferrable);
  EXPECT_EQ(converted->access, Access::kReadOnly);
}

TEST(Convert, RefusesEnumsThatDoNotExist) {
  v1::TransactionOptions options;
  options.set_isolation_level(static_cast<v1::IsolationLevel>(9));
  EXPECT_FALSE(ToTransactionOptions(options, "options").ok());
  EXPECT_FALSE(ToPriority(static_cast<v1::Priority>(-1)).ok());
  EXPECT_EQ(*ToPriority(v1::PRIORITY_UNSPECIFIED), Priority::kOperations);
}

}  // namespace
}  // namespace emsdb
