// `emsdb batch`, the program, against a scripted gateway.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/client/run_cli.h"
#include "tests/support/fake_gateway.h"

namespace emsdb {
namespace {

using ::testing::HasSubstr;

// Keeps the request, and answers each statement with "UPDATE: 1 row".
struct Recorder {
  FakeScript Script() {
    return {.batch = [this](const auto& got, auto& response) {
      request = got;
      for (int i = 0; i < got.statements_size(); ++i) {
        auto& result = *response.add_results();
        result.set_command("UPDATE");
        result.set_rows_affected(1);
      }
      return grpc::Status::OK;
    }};
  }
  v1::ExecuteBatchRequest request;
};

CliResult RunBatch(const FakeGateway& gateway, const std::string& text,
                   std::vector<std::string> arguments = {}) {
  arguments.insert(arguments.begin(), "batch");
  arguments.emplace_back("-");
  return RunCli(gateway.address(), {.arguments = std::move(arguments), .standard_input = text});
}

TEST(CliBatch, SendsAScriptAsOneBatch) {
  Recorder recorder;
  const FakeGateway gateway(recorder.Script());
  const CliResult result =
      RunBatch(gateway, "-- transfer\nupdate a set t = ';';\nupdate b set t = $$;$$;\n");
  EXPECT_EQ(result.status, 0) << result.err;
  ASSERT_EQ(recorder.request.statements_size(), 2);
  EXPECT_EQ(recorder.request.statements(0).statement().sql(), "update a set t = ';'");
  EXPECT_EQ(result.out, "UPDATE: 1 row\nUPDATE: 1 row\n");
}

TEST(CliBatch, SendsParametersAndPromisesFromJson) {
  Recorder recorder;
  const FakeGateway gateway(recorder.Script());
  const CliResult result =
      RunBatch(gateway, R"([{"sql": "update a set n = $1", "params": [5], "expect_rows": 1}])",
               {"--db", "fire", "--format", "json"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(recorder.request.database(), "fire");
  EXPECT_EQ(recorder.request.statements(0).expect_rows(), 1);
  EXPECT_EQ(recorder.request.statements(0).statement().parameters(0).int64_value(), 5);
  EXPECT_EQ(result.out,
            "[{\"columns\":[],\"rows\":[],\"row_count\":0,\"rows_affected\":1,"
            "\"command\":\"UPDATE\"}\n]\n");
}

TEST(CliBatch, PointsIntoTheFileWhereAStatementFailed) {
  const FakeGateway gateway({.batch = [](const auto&, auto&) {
    return GatewayError(grpc::StatusCode::INVALID_ARGUMENT, "column \"x\" does not exist",
                        "SQL_ERROR",
                        {{"sqlstate", "42703"}, {"statement", "1"}, {"position", "14"}});
  }});
  const CliResult result = RunBatch(gateway, "select 1;\n\nselect 1,\n    x;\n");
  EXPECT_EQ(result.status, 3);
  EXPECT_EQ(result.err,
            "emsdb: statement 2 of 2, line 3, failed; nothing of the batch took effect\n"
            "emsdb: INVALID_ARGUMENT: column \"x\" does not exist\n"
            "  SQLSTATE 42703\n"
            "LINE 4:     x\n"
            "           ^\n");
}

TEST(CliBatch, SaysNothingAboutEffectsWhenTheOutcomeIsUnknown) {
  const FakeGateway gateway({.batch = [](const auto&, auto&) {
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "Socket closed");
  }});
  const CliResult result = RunBatch(gateway, "select 1");
  EXPECT_EQ(result.status, 5);
  EXPECT_THAT(result.err, HasSubstr("Look before you repeat it"));
}

// T54
TEST(CliBatch, SaysWhereATextIsNotUtf8) {
  Recorder recorder;
  const FakeGateway gateway(recorder.Script());
  const CliResult result = RunBatch(gateway, "select 1;\nselect '\xff';\n");
  EXPECT_EQ(result.status, 3);
  EXPECT_THAT(result.err, HasSubstr("statement 2 of 2, line 2, failed; nothing of the batch"));
  EXPECT_THAT(result.err, HasSubstr("statements[1].statement.sql: is not valid UTF-8"));
  EXPECT_EQ(recorder.request.statements_size(), 0);
}

TEST(CliBatch, SendsNothingOfAFileItCannotRead) {
  Recorder recorder;
  const FakeGateway gateway(recorder.Script());
  EXPECT_EQ(RunBatch(gateway, "select 'a").status, 2);
  EXPECT_EQ(RunBatch(gateway, R"([{"sql": "x", "expect_row": 1}])").status, 2);
  EXPECT_EQ(RunBatch(gateway, R"([{"sql": "x", "sql": "y"}])").status, 2);
  EXPECT_EQ(RunBatch(gateway, "").status, 2);
  EXPECT_EQ(RunCli(gateway.address(), {"batch", "/nonexistent"}).status, 2);
  EXPECT_EQ(RunCli(gateway.address(), {"batch", "/"}).status, 2);
  EXPECT_EQ(recorder.request.statements_size(), 0);
}

}  // namespace
}  // namespace emsdb
