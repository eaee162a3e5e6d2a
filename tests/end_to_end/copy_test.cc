// Rows in bulk, end to end: what callers may do wrong, and what they may break off, on the embedded
// engine; the command line client's `load`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "client/client.h"
#include "client/error_info.h"
#include "tests/end_to_end/connect.h"
#include "tests/end_to_end/copy_stream.h"
#include "tests/support/gateway_process.h"

namespace emsdb {
namespace {

using client::Client;
using client::ErrorInfoOf;
using client::Null;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::Not;

class Copy : public ::testing::Test {
 protected:
  Copy() {
    EXPECT_TRUE(
        client().Query("main", "create table units (id integer primary key, name text)").ok());
  }

  Client client() const { return Connect(gateway_); }
  std::int64_t Count() const {
    const auto rows = client().Query("main", "select count(*) from units");
    return rows.ok() ? *rows->rows[0][0].get_if<std::int64_t>() : -1;
  }
  // Nobody writes to the table any more: the writer's turn comes to others.
  void ExpectFreeAndEmpty() const {
    EXPECT_TRUE(client().Query("main", "delete from units where id < 0").ok());
    EXPECT_EQ(Count(), 0);
  }
  std::string File(const std::string& text) const {
    std::string path = directory_.File("rows.csv");
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  Ended Load(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "load");
    return RunProgram(ClientProgram(), arguments, {{"EMSDB_ADDRESS", gateway_.address()}});
  }

  const TemporaryDirectory directory_;
  GatewayProcess gateway_{Environment{{"EMSDB_SLOW_READER_TIMEOUT", "1"}}};
};

TEST_F(Copy, WritesAllRows) {
  auto writer = client().CopyIn("main", {.table = "units", .columns = {"name", "id"}});
  ASSERT_TRUE(writer.ok()) << writer.status();
  for (int id = 1; id <= 5000; ++id) {
    ASSERT_TRUE(writer->Add({"Medic " + std::to_string(id), id}).ok());
  }
  EXPECT_EQ(Count(), 0);
  const auto rows = writer->Commit();
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(*rows, 5000);
  EXPECT_EQ(Count(), 5000);
}

TEST_F(Copy, WritesNothingUntilTheCallerHasEndedItsSide) {
  CopyStream stream(gateway_.address());
  EXPECT_TRUE(stream.Start("units"));
  EXPECT_TRUE(stream.Rows({{1, "Medic 1"}}));
  EXPECT_TRUE(stream.End(1));
  std::this_thread::sleep_for(milliseconds(200));
  EXPECT_EQ(Count(), 0);
  EXPECT_EQ(stream.Finish(), absl::OkStatus());
  EXPECT_EQ(stream.response().row_count(), 1);
  EXPECT_EQ(Count(), 1);
}

// To gRPC a stream that was cut short looks like one that has ended.
TEST_F(Copy, WritesNothingOfAStreamThatEndsWithoutTheCallersWord) {
  CopyStream stream(gateway_.address());
  EXPECT_TRUE(stream.Start("units"));
  EXPECT_TRUE(stream.Rows({{1, "Medic 1"}}));
  const absl::Status status = stream.Finish();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("end"));
  ExpectFreeAndEmpty();
}

// gRPC tells the server of a message that cannot be read only that the stream is over.
TEST_F(Copy, WritesNothingOfAStreamWithAMessageThatCannotBeRead) {
  CopyStream stream(gateway_.address());
  EXPECT_TRUE(stream.Start("units"));
  EXPECT_TRUE(stream.Rows({{1, "Medic 1"}}));
  stream.Rows({{2, "\xff"}});
  stream.Rows({{3, "Medic 3"}});
  stream.End(3);
  EXPECT_FALSE(stream.Finish().ok());
  ExpectFreeAndEmpty();
}

TEST_F(Copy, RefusesStreamsOfAnotherShape) {
  const auto refused = [this](const char* field, const auto& write) {
    SCOPED_TRACE(field);
    CopyStream stream(gateway_.address());
    write(stream);
    const absl::Status status = stream.Finish();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    const auto violations = ErrorInfoOf(status).violations;
    ASSERT_EQ(violations.size(), 1U) << status;
    EXPECT_EQ(violations[0].field, field);
  };
  refused("start", [](CopyStream&) {});
  refused("start", [](CopyStream& stream) { stream.Rows({{1, "x"}}); });
  refused("start", [](CopyStream& stream) {
    stream.Start("units");
    stream.Start("units");
  });
  refused("start.table", [](CopyStream& stream) { stream.Start(""); });
  refused("end.row_count", [](CopyStream& stream) {
    stream.Start("units");
    stream.Rows({{1, "x"}});
    stream.End(2);
  });
  refused("end", [](CopyStream& stream) {
    stream.Start("units");
    stream.End(0);
    stream.Rows({{1, "x"}});
  });
  refused("rows[1].values[0]", [](CopyStream& stream) {
    stream.Start("units");
    v1::CopyInRequest request;
    request.add_rows()->add_values()->set_int64_value(1);
    request.mutable_rows(0)->add_values()->set_string_value("x");
    request.add_rows()->add_values();
    stream.Write(request);
  });
  refused("rows[0]", [](CopyStream& stream) {
    stream.Start("units", {"id", "name"});
    stream.Rows({{1, "x", "y"}});
  });
  ExpectFreeAndEmpty();
}

TEST_F(Copy, KnowsNoOtherDatabase) {
  const auto writer = client().CopyIn("nowhere", {.table = "units"});
  ASSERT_TRUE(writer.ok());
  auto unknown = client().CopyIn("nowhere", {.table = "units"});
  EXPECT_EQ(unknown->Commit().status().code(), absl::StatusCode::kNotFound);
}

TEST_F(Copy, EndsTheCallAtOnceThoughTheCallerGoesOnSending) {
  CopyStream stream(gateway_.address());
  EXPECT_TRUE(stream.Start("units"));
  EXPECT_TRUE(stream.Rows({{1, "x"}, {1, "twice"}}));
  const auto began = steady_clock::now();
  while (stream.Rows({{2, std::string(10000, 'x')}})) {
    ASSERT_LT(steady_clock::now() - began, seconds(20));
  }
  const absl::Status status = stream.Await();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists) << status;
  EXPECT_EQ(ErrorInfoOf(status).row(), 2);
  ExpectFreeAndEmpty();
}

// T63
TEST_F(Copy, ACallerThatSendsNothingLosesTheCall) {
  for (const bool started : {false, true}) {
    const auto began = steady_clock::now();
    CopyStream stream(gateway_.address());
    EXPECT_TRUE(!started || stream.Start("units"));
    EXPECT_TRUE(!started || stream.Rows({{1, "x"}}));
    const absl::Status status = stream.Await();
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
    EXPECT_EQ(ErrorInfoOf(status).reason, "SLOW_WRITER");
    EXPECT_GE(steady_clock::now() - began, milliseconds(950));
    ExpectFreeAndEmpty();
  }
}

// T11
TEST_F(Copy, ACallerThatLeavesLeavesNothingBehind) {
  for (int step = 0; step <= 3; ++step) {
    SCOPED_TRACE(step);
    CopyStream stream(gateway_.address());
    EXPECT_TRUE(step <= 0 || stream.Start("units"));
    EXPECT_TRUE(step <= 1 || stream.Rows({{1, "x"}}));
    EXPECT_TRUE(step <= 2 || stream.End(1));
    stream.Cancel();
    EXPECT_EQ(stream.Await().code(), absl::StatusCode::kCancelled);
    ExpectFreeAndEmpty();
  }
}

TEST_F(Copy, EndsAtItsDeadlineWhileTheCallerIsSlow) {
  CopyStream stream(gateway_.address(), milliseconds(300));
  EXPECT_TRUE(stream.Start("units"));
  EXPECT_TRUE(stream.Rows({{1, "x"}}));
  EXPECT_EQ(stream.Await().code(), absl::StatusCode::kDeadlineExceeded);
  ExpectFreeAndEmpty();
}

TEST_F(Copy, IsCounted) {
  CopyStream stream(gateway_.address());
  stream.Start("no_such_table");
  EXPECT_FALSE(stream.Finish().ok());
  EXPECT_EQ(gateway_.Terminate(), 0);  // its last lines are written then
  EXPECT_THAT(gateway_.log(), HasSubstr("\"rpc\":\"CopyIn\""));
  EXPECT_THAT(gateway_.log(), HasSubstr("CopyIn no_such_table"));
}

TEST_F(Copy, LoadsACsvFile) {
  const Ended ended =
      Load({File("\xEF\xBB\xBFname,id\r\n\"Medic \"\"1\"\"\",1\r\n,2\r\n\"\",3\r\n"), "units"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_THAT(ended.out, ::testing::StartsWith("3 rows in "));
  EXPECT_THAT(ended.err, Not(HasSubstr("%")));
  const auto rows = client().Query("main", "select id, name, name is null from units order by id");
  EXPECT_EQ(rows->rows,
            (std::vector<client::Row>{{1, "Medic \"1\"", 0}, {2, Null{}, 1}, {3, "", 0}}));
}

TEST_F(Copy, LoadsWithoutAHeaderAndWithOtherSigns) {
  const std::string file = File("1;NULL\n2;\n");
  EXPECT_EQ(Load({"--no-header", "--delimiter", ";", "--null", "NULL", file, "units"}).status, 0);
  const auto rows = client().Query("main", "select name is null, name from units order by id");
  EXPECT_EQ(rows->rows, (std::vector<client::Row>{{1, Null{}}, {0, ""}}));
  const Ended other = Load({"--no-header", "--columns", "name,id", File("x,3\n"), "units"});
  EXPECT_EQ(other.status, 0) << other.err;
  EXPECT_EQ(Count(), 3);
}

TEST_F(Copy, LoadNamesTheLineOfARowThatTheDatabaseRefuses) {
  std::string csv = "id,name\n";
  for (int id = 1; id <= 2000; ++id) csv += std::to_string(id) + ",\"two\nlines\"\n";
  const Ended ended = Load({File(csv + "1000,x\n"), "units"});
  EXPECT_EQ(ended.status, 3);
  EXPECT_THAT(ended.err, HasSubstr("line 4002, row 2001 is refused; nothing was written"));
  EXPECT_THAT(ended.err, HasSubstr("ALREADY_EXISTS"));
  EXPECT_EQ(ended.out, "");
  ExpectFreeAndEmpty();
}

TEST_F(Copy, LoadNamesTheLineOfWhatIsNoCsv) {
  const Ended quote = Load({File("id,name\n1,x\n2,\"y\" z\n"), "units"});
  EXPECT_EQ(quote.status, 2);
  EXPECT_THAT(quote.err, HasSubstr("line 3: text behind a closing quote; nothing was written"));
  const Ended fields = Load({File("id,name\n1,x\n2\n"), "units"});
  EXPECT_EQ(fields.status, 2);
  EXPECT_THAT(fields.err, HasSubstr("line 3: 1 fields where 2 are wanted"));
  const Ended text = Load({File("id,name\n1,x\n2,\xff\n"), "units"});
  EXPECT_EQ(text.status, 3);
  EXPECT_THAT(text.err, HasSubstr("line 3, row 2 is refused"));
  EXPECT_EQ(Load({directory_.File("nowhere.csv"), "units"}).status, 2);
  EXPECT_EQ(Load({File(""), "units"}).status, 2);
  EXPECT_EQ(Load({"--delimiter", "\"", File("x\n"), "units"}).status, 2);
  ExpectFreeAndEmpty();
}

}  // namespace
}  // namespace emsdb
