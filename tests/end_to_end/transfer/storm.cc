#include "tests/end_to_end/transfer/storm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "client/error_info.h"

namespace emsdb::transfer {
namespace {

using QueryStub = v1::QueryService::Stub;
using std::chrono::microseconds;
using std::chrono::steady_clock;

constexpr int kLeavers = 8;
constexpr int kStayers = 6;
constexpr int kMostRows = 40;

// Rows that only this call can have.
v1::Statement Marked(int mark, int rows, bool slowly) {
  v1::Statement statement;
  statement.set_sql(
      slowly ? "select $1::int8 + n, pg_sleep(0.0005) from generate_series(1, $2::int4) n"
             : "select $1::int8 + n, null from generate_series(1, $2::int4) n");
  statement.add_parameters()->set_int64_value(mark);
  statement.add_parameters()->set_int64_value(rows);
  return statement;
}

template <typename Rows>
bool AreMarked(const Rows& got, int mark, int rows) {
  if (got.size() != rows) return false;
  for (int n = 0; n < rows; ++n) {
    if (got.Get(n).values(0).int64_value() != mark + n + 1) return false;
  }
  return true;
}

std::unique_ptr<QueryStub> Dial(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return v1::QueryService::NewStub(
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
}

// One call that has its caller's mark in it, by any RPC that runs statements.
class MarkedCall {
 public:
  MarkedCall(QueryStub& stub, int kind, int mark, int rows, bool slowly)
      : stub_(stub), kind_(kind), mark_(mark), rows_(rows), slowly_(slowly) {}

  Answer Run(const Patience& patience) {
    if (kind_ == 0) return Batch(patience);
    if (kind_ == 1) return Stream(patience);
    v1::QueryRequest request;
    *request.mutable_statement() = Marked(mark_, rows_, slowly_);
    request.set_read_only(kind_ == 2);
    v1::QueryResponse response;
    Answer answer = Ask(stub_, &QueryStub::Query, request, response, patience);
    whole_ = AreMarked(response.rows(), mark_, rows_);
    return answer;
  }

  // Whether the rows of an answer that was OK were its own, all of them.
  bool whole() const { return whole_; }

 private:
  Answer Batch(const Patience& patience) {
    v1::ExecuteBatchRequest request;
    for (int i = 0; i < 3; ++i) {
      *request.add_statements()->mutable_statement() = Marked(mark_ + i, rows_, slowly_);
    }
    v1::ExecuteBatchResponse response;
    Answer answer = Ask(stub_, &QueryStub::ExecuteBatch, request, response, patience);
    whole_ = response.results_size() == 3;
    for (int i = 0; whole_ && i < 3; ++i) {
      whole_ = AreMarked(response.results(i).rows(), mark_ + i, rows_);
    }
    return answer;
  }

  Answer Stream(const Patience& patience) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + patience.deadline);
    const Departure departure(context, patience);
    v1::StreamQueryRequest request;
    *request.mutable_statement() = Marked(mark_, rows_, slowly_);
    const auto reader = stub_.StreamQuery(&context, request);
    google::protobuf::RepeatedPtrField<v1::Row> rows;
    v1::StreamQueryResponse message;
    while (reader->Read(&message)) rows.MergeFrom(message.rows());
    whole_ = AreMarked(rows, mark_, rows_);
    return AnswerFrom(reader->Finish(), context);
  }

  QueryStub& stub_;
  const int kind_;
  const int mark_;
  const int rows_;
  const bool slowly_;
  bool whole_ = false;
};

}  // namespace

int CancelsOfThisRun(int usual) {
  const char* set = std::getenv("EMSDB_TEST_CANCELS");
  return set == nullptr ? usual : std::atoi(set);
}

Storm::Storm(std::string address, std::uint64_t seed, int cancels)
    : address_(std::move(address)), seed_(seed), to_leave_(cancels), to_stay_(cancels) {}

void Storm::Rage() {
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kLeavers; ++i) threads.emplace_back([this, i] { Leave(seed_ + i); });
  for (unsigned i = 0; i < kStayers; ++i) {
    threads.emplace_back([this, i] { Stay(seed_ + kLeavers + i); });
  }
  for (std::thread& thread : threads) thread.join();
}

void Storm::Leave(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&](int bound) {
    return static_cast<int>(random() % static_cast<unsigned>(bound));
  };
  const auto stub = Dial(address_);
  for (int left = to_leave_--; left > 0; left = to_leave_--) {
    const microseconds moment(below(12'000));
    const Patience patience =
        below(2) == 0 ? Patience{.deadline = moment} : Patience{.leaves_after = moment};
    MarkedCall call(*stub, below(8), left * 1000, 1 + below(kMostRows), true);
    const Answer answer = call.Run(patience);
    if (answer.status.ok()) {
      ++answered_;
      EXPECT_TRUE(call.whole()) << "another's rows, or not all of them";
      continue;
    }
    // T3: it is the caller's own doing, and says so.
    EXPECT_TRUE(absl::IsCancelled(answer.status) || absl::IsDeadlineExceeded(answer.status))
        << answer.status;
  }
}

void Storm::Stay(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&](int bound) {
    return static_cast<int>(random() % static_cast<unsigned>(bound));
  };
  const auto stub = Dial(address_);
  for (int left = to_stay_--; left > 0; left = to_stay_--) {
    MarkedCall call(*stub, below(8), left * 1000, 1 + below(kMostRows), below(4) == 0);
    const auto began = steady_clock::now();
    const Answer answer = call.Run({});
    const std::int64_t took =
        std::chrono::duration_cast<microseconds>(steady_clock::now() - began).count();
    std::int64_t longest = longest_us_;
    while (took > longest && !longest_us_.compare_exchange_weak(longest, took)) {
    }
    EXPECT_TRUE(answer.status.ok()) << "hit by another's cancel? " << answer.status;
    EXPECT_TRUE(call.whole()) << "another's rows, or not all of them";
    if (answer.status.ok() && call.whole()) ++whole_;
  }
}

}  // namespace emsdb::transfer
