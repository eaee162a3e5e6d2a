#include "client/text_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/client.h"
#include "tests/client/scripted_transport.h"

namespace emsdb::client {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class RefusedText : public testing::Test {
 protected:
  // INVALID_ARGUMENT that names the field and the rule, and not the text; and nothing was sent.
  void ExpectRefused(const absl::Status& status, const std::string& field,
                     const std::string& rule) {
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    const std::string message(status.message());
    EXPECT_THAT(message, HasSubstr(field + ": "));
    EXPECT_THAT(message, HasSubstr(rule));
    EXPECT_THAT(message, Not(HasSubstr("Ada")));
    const ErrorInfo info = ErrorInfoOf(status);
    EXPECT_EQ(info.reason, "INVALID_FIELD");
    EXPECT_EQ(info.retryable(), false);
    EXPECT_FALSE(info.outcome_unknown());
    ASSERT_EQ(info.violations.size(), 1u);
    EXPECT_EQ(info.violations[0].field, field);
    EXPECT_TRUE(transport_->contexts.empty());
    EXPECT_TRUE(transport_->begins.empty());
  }

  const std::string bad_ = "Ada\xff";
  const std::string zero_{"Ada\0", 4};
  std::shared_ptr<ScriptedTransport> transport_ = std::make_shared<ScriptedTransport>();
  FakeClock clock_;
  Client client_{transport_, std::chrono::seconds(30), RetryPolicy{}, clock_};
};

// T54
TEST_F(RefusedText, IsNamedByTheParametersIndex) {
  ExpectRefused(client_.Query("main", "select $1, $2", {"a", bad_}).status(),
                "statement.parameters[1]", "not valid UTF-8");
  ExpectRefused(client_.Query("main", "select $1, $2", {zero_, 1}).status(),
                "statement.parameters[0]", "U+0000");
  ExpectRefused(client_.StreamQuery("main", "select $1", {bad_}).status(),
                "statement.parameters[0]", "not valid UTF-8");
}

TEST_F(RefusedText, MayBeTheStatementATypeOrTheDatabase) {
  ExpectRefused(client_.Query("main", bad_).status(), "statement.sql", "not valid UTF-8");
  ExpectRefused(client_.StreamQuery("main", zero_).status(), "statement.sql", "U+0000");
  ExpectRefused(client_.Query("main", "select $1", {1}, {.parameter_types = {bad_}}).status(),
                "statement.parameter_types[0]", "not valid UTF-8");
  ExpectRefused(client_.Query(bad_, "select 1").status(), "database", "not valid UTF-8");
  ExpectRefused(client_.Begin(zero_).status(), "database", "U+0000");
  ExpectRefused(client_.PoolStatus(bad_).status(), "database", "not valid UTF-8");
  ExpectRefused(client_.Health(bad_).status(), "database", "not valid UTF-8");
}

TEST_F(RefusedText, OfABatchIsNamedWithItsStatement) {
  const absl::Status status =
      client_.ExecuteBatch("main", {{.sql = "a"}, {.sql = "b", .parameters = {1, bad_}}}).status();
  ExpectRefused(status, "statements[1].statement.parameters[1]", "not valid UTF-8");
  EXPECT_EQ(ErrorInfoOf(status).statement(), 1);
  ExpectRefused(client_.ExecuteBatch(bad_, {{.sql = "a"}}).status(), "database", "not valid UTF-8");
}

TEST_F(RefusedText, LeavesATransactionOpen) {
  transport_->begin.Add(v1::BeginTransactionResponse());
  transport_->query.Add(v1::QueryResponse());
  transport_->commit.Add(v1::CommitTransactionResponse());
  auto transaction = client_.Begin("main");
  ASSERT_TRUE(transaction.ok());
  EXPECT_TRUE(absl::IsInvalidArgument(transaction->Query("select $1", {bad_}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(transaction->StreamQuery("select $1", {bad_}).status()));
  EXPECT_TRUE(transport_->contexts.empty());
  EXPECT_TRUE(transaction->Query("select $1", {"good"}).ok());
  EXPECT_TRUE(transaction->Commit().ok());
}

TEST_F(RefusedText, IsNeverBytesNorOtherCharacters) {
  transport_->query.Add(v1::QueryResponse());
  EXPECT_TRUE(client_.Query("main", "select $1", {Bytes{bad_}, Bytes{zero_}, "Zoë 🚑", ""}).ok());
}

TEST(IsUtf8, TakesEveryCharacterAndNothingElse) {
  for (const char* text : {"", "a", "seven 7", "eight  8", "sixteen letters.", "12345678\xC3\xA9",
                           "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                           "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
  }
  for (const char* text :
       {"\x80",         "\xBF",          "\xC0\x80",         "\xC1\xBF",
        "\xC2",         "\xC2g",         "\xE0\x9F\xBF",     "\xE0\xA0",
        "\xE1\x80g",    "\xED\xA0\x80",  "\xED\xBF\xBF",     "\xF0\x8F\xBF\xBF",
        "\xF0\x90\x80", "\xF0\x90\x80g", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
        "\xFF",         "12345678\xFF",  "1234567\xFFz",     "12345678901234567\xC3"}) {
    EXPECT_FALSE(IsUtf8(text)) << testing::PrintToString(text);
  }
}

}  // namespace
}  // namespace emsdb::client
