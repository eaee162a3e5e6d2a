#include "client/copy_writer.h"

#include <gtest/gtest.h>

#include "client/client.h"
#include "client/error_info.h"
#include "tests/client/scripted_transport.h"

namespace emsdb::client {
namespace {

class CopyIn : public ::testing::Test {
 protected:
  CopyWriter Open(ScriptedCopyAnswer answer, const CopyTarget& target = {.table = "units"}) {
    transport_->copy = std::move(answer);
    auto writer = client_.CopyIn("main", target);
    EXPECT_TRUE(writer.ok()) << writer.status();
    return *std::move(writer);
  }
  static v1::CopyInResponse Written(std::int64_t rows) {
    v1::CopyInResponse response;
    response.set_row_count(rows);
    return response;
  }
  const std::vector<v1::CopyInRequest>& requests() const { return transport_->copy_requests; }

  std::shared_ptr<ScriptedTransport> transport_ = std::make_shared<ScriptedTransport>();
  FakeClock clock_;
  Client client_{transport_, kDefaultDeadline, {}, clock_};
};

TEST_F(CopyIn, SendsStartAndRowsAndTheirNumber) {
  CopyWriter writer =
      Open({.end = Written(2)}, {.table = "units", .schema = "ems", .columns = {"id", "name"}});
  EXPECT_EQ(writer.Add({1, "Medic 1"}), absl::OkStatus());
  EXPECT_EQ(writer.Add({2, Null{}}), absl::OkStatus());
  EXPECT_EQ(*writer.Commit(), 2);
  ASSERT_EQ(requests().size(), 1U);
  EXPECT_EQ(requests()[0].start().table(), "units");
  EXPECT_EQ(requests()[0].start().schema(), "ems");
  EXPECT_EQ(requests()[0].start().columns_size(), 2);
  EXPECT_EQ(requests()[0].rows_size(), 2);
  EXPECT_EQ(requests()[0].end().row_count(), 2);
}

TEST_F(CopyIn, HasADeadlineOfItsOwn) {
  CopyWriter writer = Open({.end = Written(0)});
  EXPECT_EQ(transport_->contexts.at(0).deadline - clock_.Now(), kCopyDeadline);
}

TEST_F(CopyIn, SendsRequestsOfModerateSizeAndEachRowOnce) {
  CopyWriter writer = Open({.end = Written(1000)});
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(writer.Add({i, std::string(1000, 'x')}), absl::OkStatus());
  }
  EXPECT_EQ(*writer.Commit(), 1000);
  int rows = 0;
  for (const v1::CopyInRequest& request : requests()) {
    rows += request.rows_size();
    EXPECT_LT(request.ByteSizeLong(), 70U << 10);
    EXPECT_EQ(request.has_start(), &request == &requests().front());
    EXPECT_EQ(request.has_end(), &request == &requests().back());
  }
  EXPECT_EQ(rows, 1000);
  EXPECT_GT(requests().size(), 10U);
}

TEST_F(CopyIn, FlushesWhatThereIs) {
  CopyWriter writer = Open({.end = Written(1)});
  EXPECT_EQ(writer.Flush(), absl::OkStatus());
  EXPECT_EQ(writer.Flush(), absl::OkStatus());
  EXPECT_EQ(requests().size(), 1U) << "an empty request tells nothing";
  EXPECT_EQ(writer.Add({1}), absl::OkStatus());
  EXPECT_EQ(writer.Flush(), absl::OkStatus());
  EXPECT_EQ(requests().size(), 2U);
}

TEST_F(CopyIn, LeavesNothingBehindWithoutACommit) {
  {
    CopyWriter writer = Open({.end = Written(1)});
    EXPECT_EQ(writer.Add({1}), absl::OkStatus());
    EXPECT_EQ(writer.Flush(), absl::OkStatus());
  }
  EXPECT_EQ(transport_->copies_ended, 1);
  EXPECT_FALSE(requests().back().has_end());
}

TEST_F(CopyIn, ReportsWhyTheGatewayEndedTheCallAndKeepsToIt) {
  const absl::Status refused = WithErrorInfo(absl::AlreadyExistsError("twice"),
                                             {.reason = "SQL_ERROR", .metadata = {{"row", "7"}}});
  CopyWriter writer = Open({.takes_requests = 0, .end = refused});
  EXPECT_EQ(writer.Add({1}), absl::OkStatus());
  EXPECT_EQ(writer.Flush().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ErrorInfoOf(writer.Add({2})).row(), 7);
  EXPECT_EQ(writer.Commit().status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(transport_->copies_ended, 1);
}

// T54
TEST_F(CopyIn, RefusesTextThatIsNoneAndEndsTheCall) {
  CopyWriter writer = Open({.end = Written(1)});
  EXPECT_EQ(writer.Add({1, "good"}), absl::OkStatus());
  const absl::Status status = writer.Add({2, "\xff secret"});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ErrorInfoOf(status).row(), 2);
  EXPECT_EQ(std::string(status.message()).find("secret"), std::string::npos);
  EXPECT_EQ(transport_->copies_ended, 1);
  EXPECT_TRUE(requests().empty());
}

TEST_F(CopyIn, RefusesNamesThatAreNoText) {
  transport_->copy = ScriptedCopyAnswer{.end = Written(0)};
  EXPECT_EQ(client_.CopyIn("main", {.table = "\xff"}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(
      client_.CopyIn("main", {.table = "t", .columns = {std::string("\0", 1)}}).status().code(),
      absl::StatusCode::kInvalidArgument);
}

// T14, T17
TEST_F(CopyIn, DoesNotKnowWhatBecameOfACommitWhoseAnswerWasLost) {
  CopyWriter writer = Open({.end = LinkLost()});
  EXPECT_EQ(writer.Add({1}), absl::OkStatus());
  const absl::Status status = writer.Commit().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnknown);
  EXPECT_TRUE(ErrorInfoOf(status).outcome_unknown());
}

TEST_F(CopyIn, KnowsThatNothingWasWrittenBeforeTheCommit) {
  CopyWriter writer = Open({.takes_requests = 0, .end = LinkLost()});
  EXPECT_EQ(writer.Add({1}), absl::OkStatus());
  const absl::Status status = writer.Flush();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(ErrorInfoOf(status).outcome_unknown());
}

TEST_F(CopyIn, IsOverAfterTheCommit) {
  CopyWriter writer = Open({.end = Written(0)});
  EXPECT_EQ(*writer.Commit(), 0);
  EXPECT_EQ(ErrorInfoOf(writer.Add({1})).reason, "COPY_ENDED");
  EXPECT_EQ(ErrorInfoOf(writer.Commit().status()).reason, "COPY_ENDED");
}

}  // namespace
}  // namespace emsdb::client
