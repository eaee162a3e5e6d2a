#include "pool/postgres/values.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>

#include "pool/errors.h"
#include "pool/postgres/type_table.h"

namespace emsdb {
namespace {

Statement With(std::vector<Value> parameters, std::vector<std::string> types = {}) {
  return {.sql = "", .parameters = std::move(parameters), .parameter_types = std::move(types)};
}

TEST(PostgresValues, WriteNumbersAsPostgresqlReadsThem) {
  const Statement statement =
      With({std::numeric_limits<std::int64_t>::min(), 0.1, -0.0,
            std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::infinity(),
            std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::max(), false});
  const auto bound = BoundParameters::Bind(statement);
  ASSERT_TRUE(bound.ok()) << bound.status();
  const char* const expected[] = {
      "-9223372036854775808",    "0.1",  "-0", "NaN", "-Infinity", "5e-324",
      "1.7976931348623157e+308", "false"};
  for (int i = 0; i < bound->count(); ++i) EXPECT_STREQ(bound->values()[i], expected[i]);
  for (int i = 0; i < bound->count(); ++i) EXPECT_EQ(bound->types()[i], 0U);
}

// T49
TEST(PostgresValues, TellNullFromEmpty) {
  const Statement statement = With({Null{}, std::string(), Bytes{}});
  const auto bound = BoundParameters::Bind(statement);
  ASSERT_TRUE(bound.ok());
  EXPECT_EQ(bound->values()[0], nullptr);
  EXPECT_STREQ(bound->values()[1], "");
  EXPECT_NE(bound->values()[2], nullptr);
  EXPECT_EQ(bound->lengths()[2], 0);
  EXPECT_EQ(bound->formats()[2], 1);
  EXPECT_EQ(bound->types()[2], kByteaOid);
}

TEST(PostgresValues, KnowTypesByTheirNamesInPgTypeAndInSql) {
  const Statement statement =
      With({Null{}, Null{}, Null{}, Null{}}, {"jsonb", "bigint", "", "_timestamptz"});
  const auto bound = BoundParameters::Bind(statement);
  ASSERT_TRUE(bound.ok()) << bound.status();
  EXPECT_EQ(bound->types()[0], 3802U);
  EXPECT_EQ(bound->types()[1], kInt8Oid);
  EXPECT_EQ(bound->types()[2], 0U);
  EXPECT_EQ(bound->types()[3], 1185U);
  EXPECT_EQ(BuiltinTypeName(1700), "numeric");
  EXPECT_EQ(BuiltinTypeName(99999), "");
  EXPECT_EQ(BuiltinTypeOid("record"), 0U);
  EXPECT_EQ(BuiltinTypeOid("anyarray"), 0U);
}

TEST(PostgresValues, NameTheFieldThatIsWrongAndNeverItsValue) {
  const Statement statement = With({std::string("x"), std::string("secret\0", 7)});
  const absl::Status status = BoundParameters::Bind(statement).status();
  EXPECT_EQ(DetailOf(status).field, "statement.parameters[1]");
  EXPECT_EQ(std::string(status.message()).find("secret"), std::string::npos);
  const Statement few = With({Null{}, Null{}}, {"int8"});
  EXPECT_EQ(DetailOf(BoundParameters::Bind(few).status()).field, "statement.parameter_types");
}

// One row of one column, as the server would send it.
absl::StatusOr<Value> Decoded(Oid type, std::string text) {
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(
      PQmakeEmptyPGresult(nullptr, PGRES_TUPLES_OK), PQclear);
  std::string name = "c";
  PGresAttDesc column{.name = name.data(), .typid = type};
  PQsetResultAttrs(result.get(), 1, &column);
  PQsetvalue(result.get(), 0, 0, text.data(), static_cast<int>(text.size()));
  RowDecoder decoder;
  decoder.Start(result.get());
  const auto cells = decoder.Decode(result.get(), 0);
  if (!cells.ok()) return cells.status();
  if (const auto* bytes = std::get_if<BytesView>(&cells->front())) {
    return Value(Bytes{std::string(bytes->data)});
  }
  return Value(std::get<bool>(cells->front()));
}

TEST(PostgresValues, MakeNoValueOfWhatMeansNone) {
  EXPECT_EQ(*Decoded(kBoolOid, "f"), Value(false));
  EXPECT_EQ(*Decoded(kByteaOid, "\\x00fFA0"), Value(Bytes{std::string("\0\xff\xa0", 3)}));
  EXPECT_EQ(*Decoded(kByteaOid, "\\x"), Value(Bytes{}));
  for (const char* text : {"\\x0", "\\xgg", "\\x00x", "\\x0:"}) {
    EXPECT_FALSE(Decoded(kByteaOid, text).ok()) << text;
  }
  for (const char* text : {"", "true", "x"}) EXPECT_FALSE(Decoded(kBoolOid, text).ok()) << text;
}

}  // namespace
}  // namespace emsdb
