// `emsdb query`, the program, against a scripted gateway.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <future>
#include <limits>

#include "tests/client/run_cli.h"
#include "tests/support/fake_gateway.h"

namespace emsdb {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

v1::StreamQueryResponse TwoRows() {
  v1::StreamQueryResponse message;
  auto& id = *message.add_columns();
  id.set_name("id");
  id.set_type("int8");
  message.add_columns()->set_name("name");
  auto& first = *message.add_rows();
  first.add_values()->set_int64_value(std::numeric_limits<std::int64_t>::max());
  first.add_values()->set_string_value("Ada");
  auto& second = *message.add_rows();
  second.add_values()->set_int64_value(2);
  second.add_values()->set_null_value(google::protobuf::NULL_VALUE);
  message.mutable_complete()->set_row_count(2);
  message.mutable_complete()->set_rows_affected(2);
  message.mutable_complete()->set_command("SELECT");
  return message;
}

// Answers every stream with one message.
FakeScript Answering(const v1::StreamQueryResponse& message) {
  return {.stream_query = [message](const auto&, const FakeStream& stream) {
    stream.send(message);
    return grpc::Status::OK;
  }};
}

FakeScript Failing(const grpc::Status& status) {
  return {.stream_query = [status](const auto&, const FakeStream&) { return status; }};
}

// Keeps the request it gets.
struct Recorder {
  FakeScript Script() {
    return {.stream_query = [this](const auto& got, const FakeStream& stream) {
      request = got;
      v1::StreamQueryResponse message;
      message.mutable_complete();
      stream.send(message);
      return grpc::Status::OK;
    }};
  }
  v1::StreamQueryRequest request;
};

TEST(CliQuery, PrintsATable) {
  const FakeGateway gateway(Answering(TwoRows()));
  const CliResult result = RunCli(gateway.address(), {"query", "select * from t"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out,
            "                  id | name\n"
            "---------------------+------\n"
            " 9223372036854775807 | Ada\n"
            "                   2 | NULL\n"
            "(2 rows)\n");
  EXPECT_EQ(result.err, "");
}

TEST(CliQuery, PrintsCsv) {
  const FakeGateway gateway(Answering(TwoRows()));
  const CliResult result = RunCli(gateway.address(), {"query", "--format", "csv", "select 1"});
  EXPECT_EQ(result.out, "id,name\r\n9223372036854775807,Ada\r\n2,\r\n");
}

// T50
TEST(CliQuery, PrintsJsonWithAllDigits) {
  const FakeGateway gateway(Answering(TwoRows()));
  const CliResult result = RunCli(gateway.address(), {"query", "--format=json", "select 1"});
  EXPECT_EQ(result.out,
            "{\"columns\":[{\"name\":\"id\",\"type\":\"int8\"},{\"name\":\"name\",\"type\":\"\"}],"
            "\"rows\":[\n[9223372036854775807,\"Ada\"],\n[2,null]\n],"
            "\"row_count\":2,\"rows_affected\":2,\"command\":\"SELECT\"}\n");
}

TEST(CliQuery, SendsParametersInTheOrderOfTheCommandLine) {
  Recorder recorder;
  const FakeGateway gateway(recorder.Script());
  const CliResult result =
      RunCli(gateway.address(),
             {"query",           "--db",        "fire",        "--param-json", "null",
              "--param",         "null",        "--param-hex", "00ff",         "--param=",
              "--param",         "-5",          "--param",     "[a,b]",        "--param-json",
              "\"[a]\"",         "--param",     "{}",          "--param",      "--db",
              "--param-json=-7", "--read-only", "select $1"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(recorder.request.database(), "fire");
  EXPECT_TRUE(recorder.request.read_only());
  EXPECT_EQ(recorder.request.statement().sql(), "select $1");
  const auto& values = recorder.request.statement().parameters();
  ASSERT_EQ(values.size(), 10);
  EXPECT_TRUE(values[0].has_null_value());
  EXPECT_EQ(values[1].string_value(), "null");
  EXPECT_EQ(values[2].bytes_value(), std::string("\0\xff", 2));
  EXPECT_TRUE(values[3].has_string_value());
  EXPECT_EQ(values[4].string_value(), "-5");
  EXPECT_EQ(values[5].string_value(), "[a,b]");
  EXPECT_EQ(values[6].string_value(), "[a]");
  EXPECT_EQ(values[7].string_value(), "{}");
  EXPECT_EQ(values[8].string_value(), "--db");
  EXPECT_EQ(values[9].int64_value(), -7);
}

TEST(CliQuery, ReadsTheStatementFromStandardInput) {
  Recorder recorder;
  const FakeGateway gateway(recorder.Script());
  ASSERT_EQ(RunCli(gateway.address(),
                   {.arguments = {"query", "-"}, .standard_input = "-- why\nselect 1\n"})
                .status,
            0);
  EXPECT_EQ(recorder.request.statement().sql(), "-- why\nselect 1\n");
}

TEST(CliQuery, SendsTheTokenAndNeverShowsIt) {
  FakeGateway gateway(
      Failing(GatewayError(grpc::StatusCode::UNAUTHENTICATED, "no such token", "TOKEN")));
  const CliResult result = RunCli(gateway.address(), {.arguments = {"query", "select 1"},
                                                      .environment = {{"EMSDB_TOKEN", "s3cret"}}});
  EXPECT_EQ(result.status, 3);
  EXPECT_EQ(gateway.metadata()["authorization"], "Bearer s3cret");
  EXPECT_EQ(gateway.metadata()["emsdb-caller"], "emsdb");
  EXPECT_THAT(result.out + result.err, Not(HasSubstr("s3cret")));
}

TEST(CliQuery, PointsAtTheMistakeInTheStatement) {
  const FakeGateway gateway(Failing(
      GatewayError(grpc::StatusCode::INVALID_ARGUMENT, "column \"nme\" does not exist", "SQL_ERROR",
                   {{"sqlstate", "42703"}, {"position", "19"}, {"hint", "Perhaps \"name\"."}})));
  const CliResult result = RunCli(gateway.address(), {"query", "select '救急',\n\t 1, nme"});
  EXPECT_EQ(result.status, 3);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err,
            "emsdb: INVALID_ARGUMENT: column \"nme\" does not exist\n"
            "  SQLSTATE 42703\n"
            "LINE 2:   1, nme\n"
            "             ^\n"
            "hint: Perhaps \"name\".\n");
}

TEST(CliQuery, TellsTheKindsOfFailureApartByItsExitStatus) {
  const auto status_for = [](const grpc::Status& status) {
    const FakeGateway gateway(Failing(status));
    return RunCli(gateway.address(), {"query", "select 1"}).status;
  };
  using grpc::StatusCode;
  EXPECT_EQ(status_for(GatewayError(StatusCode::ALREADY_EXISTS, "x", "SQL_ERROR")), 3);
  EXPECT_EQ(status_for(GatewayError(StatusCode::UNAVAILABLE, "x", "DOWN")), 4);
  EXPECT_EQ(status_for(GatewayError(StatusCode::UNKNOWN, "x", "LOST")), 5);
  EXPECT_EQ(status_for(GatewayError(StatusCode::DEADLINE_EXCEEDED, "x", "DEADLINE")), 6);
  EXPECT_EQ(status_for(GatewayError(StatusCode::RESOURCE_EXHAUSTED, "x", "POOL_TIMEOUT")), 6);
  EXPECT_EQ(status_for(grpc::Status(StatusCode::UNAVAILABLE, "no details: it may have run")), 5);
}

TEST(CliQuery, CallsAGatewayThatIsAwayUnreachable) {
  std::string address;
  {
    const FakeGateway gone({});
    address = gone.address();
  }
  const CliResult result = RunCli(address, {"query", "select 1"});
  EXPECT_EQ(result.status, 4);
  EXPECT_THAT(result.err, HasSubstr("cannot reach the gateway at " + address));
}

// T64
TEST(CliQuery, LeavesJsonOpenWhenAnErrorFollowsSomeRows) {
  const FakeGateway gateway({.stream_query = [](const auto&, const FakeStream& stream) {
    v1::StreamQueryResponse message = TwoRows();
    message.clear_complete();
    stream.send(message);
    return GatewayError(grpc::StatusCode::INVALID_ARGUMENT, "division by zero", "SQL_ERROR");
  }});
  const CliResult result = RunCli(gateway.address(), {"query", "--format", "json", "select 1"});
  EXPECT_EQ(result.status, 3);
  EXPECT_THAT(result.out, Not(HasSubstr("row_count")));
  EXPECT_THAT(result.err, HasSubstr("the rows above are not to be used"));
}

TEST(CliQuery, CallsAStreamWithoutItsEndUnknown) {
  const FakeGateway gateway({.stream_query = [](const auto&, const FakeStream& stream) {
    v1::StreamQueryResponse message = TwoRows();
    message.clear_complete();
    stream.send(message);
    return grpc::Status::OK;
  }});
  EXPECT_EQ(RunCli(gateway.address(), {"query", "select 1"}).status, 5);
}

// T8
TEST(CliQuery, EndsAtItsDeadline) {
  const FakeGateway gateway({.stream_query = [](const auto&, const FakeStream& stream) {
    while (!stream.cancelled()) continue;
    return grpc::Status::CANCELLED;
  }});
  const CliResult result = RunCli(gateway.address(), {"--deadline", "0.3", "query", "select 1"});
  EXPECT_EQ(result.status, 6) << result.err;
  EXPECT_THAT(result.err, HasSubstr("Look before you repeat it"));
}

TEST(CliQuery, CancelsTheCallOnCtrlC) {
  std::promise<void> entered;
  std::promise<void> cancelled;
  const FakeGateway gateway({.stream_query = [&](const auto&, const FakeStream& stream) {
    entered.set_value();
    while (!stream.cancelled()) continue;
    cancelled.set_value();
    return grpc::Status::CANCELLED;
  }});
  RunningCli cli(gateway.address(), {.arguments = {"query", "--read-only", "select 1"}});
  entered.get_future().wait();
  cli.Signal(SIGINT);
  const CliResult result = cli.Wait();
  EXPECT_EQ(result.status, 6) << result.err;
  EXPECT_THAT(result.err, HasSubstr("CANCELLED"));
  EXPECT_EQ(cancelled.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
}

TEST(CliQuery, FailsWhenNobodyReadsItsOutputAndEndsTheCall) {
  std::promise<void> entered;
  std::promise<void> reader_is_gone;
  const FakeGateway gateway({.stream_query = [&](const auto&, const FakeStream& stream) {
    entered.set_value();
    reader_is_gone.get_future().wait();
    v1::StreamQueryResponse message;
    message.add_columns()->set_name("c");
    for (int i = 0; i < 64; ++i) {
      message.add_rows()->add_values()->set_string_value(std::string(4096, 'x'));
    }
    stream.send(message);
    message.clear_columns();
    while (stream.send(message)) continue;  // without end, but for the caller's leaving
    return grpc::Status::CANCELLED;
  }});
  RunningCli cli(gateway.address(), {.arguments = {"query", "--format", "csv", "select 1"}});
  entered.get_future().wait();
  cli.CloseOutput();
  reader_is_gone.set_value();
  const CliResult result = cli.Wait();
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("cannot write the output: Broken pipe"));
}

TEST(CliQuery, ExplainsAWrongCommandLine) {
  const auto status_of = [](std::vector<std::string> arguments) {
    return RunCli("127.0.0.1:1", std::move(arguments)).status;
  };
  EXPECT_EQ(status_of({}), 2);
  EXPECT_EQ(status_of({"query"}), 2);
  EXPECT_EQ(status_of({"query", "a", "b"}), 2);
  EXPECT_EQ(status_of({"query", "--nosuch", "a"}), 2);
  EXPECT_EQ(status_of({"query", "--format", "xml", "a"}), 2);
  EXPECT_EQ(status_of({"query", "--param-json", "nul", "a"}), 2);
  EXPECT_EQ(status_of({"query", "--param-json", "9223372036854775808", "a"}), 2);
  EXPECT_EQ(status_of({"query", "--param-hex", "0", "a"}), 2);
  EXPECT_EQ(status_of({"--deadline", "0", "query", "a"}), 2);
  EXPECT_EQ(status_of({"--tls-ca", "/nonexistent", "query", "a"}), 2);
}

TEST(CliQuery, SaysWhichDeadlinesThereAre) {
  for (const char* given :
       {"nan", "-nan", "inf", "-inf", "-1", "0", "0.0009", "3601", "1e999", "soon", "1 s", ""}) {
    const CliResult result = RunCli("127.0.0.1:1", {"--deadline", given, "query", "select 1"});
    EXPECT_EQ(result.status, 2) << given;
    EXPECT_THAT(result.err, HasSubstr("--deadline")) << given;
    EXPECT_THAT(result.err, HasSubstr("a number of seconds from 0.001 to 3600")) << given;
  }
}

// T54
TEST(CliQuery, SendsNoTextThatIsNotUtf8) {
  Recorder recorder;
  const FakeGateway gateway(recorder.Script());
  const auto refused = [&gateway](std::vector<std::string> arguments) {
    const CliResult result = RunCli(gateway.address(), std::move(arguments));
    EXPECT_EQ(result.status, 3);
    EXPECT_THAT(result.err, Not(HasSubstr("libprotobuf")));
    return result.err;
  };
  EXPECT_THAT(
      refused({"query", "--param", "a", "--param", "\xff", "select $1, $2"}),
      HasSubstr("INVALID_ARGUMENT: statement.parameters[1]: a text that is not valid UTF-8"));
  EXPECT_THAT(refused({"query", "--param-json", R"("\u0000")", "select $1"}),
              HasSubstr("statement.parameters[0]: a text that has U+0000 in it"));
  EXPECT_THAT(refused({"query", "select '\xff'"}), HasSubstr("statement.sql: is not valid UTF-8"));
  EXPECT_THAT(refused({"query", "--db", "\xff", "select 1"}), HasSubstr("database: is not valid"));
  EXPECT_THAT(refused({"health", "\xff"}), HasSubstr("database: is not valid UTF-8"));
  EXPECT_EQ(recorder.request.statement().sql(), "");
}

TEST(CliQuery, TellsItsVersionAndItsExitStatuses) {
  EXPECT_THAT(RunCli("", {"--version"}).out, testing::MatchesRegex("emsdb [0-9.]+\n"));
  const CliResult help = RunCli("", {"--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_THAT(help.out, HasSubstr("5  outcome unknown"));
}

}  // namespace
}  // namespace emsdb
