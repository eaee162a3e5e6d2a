#include "tests/end_to_end/transfer/office.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <thread>
#include <utility>

#include "client/error_info.h"

namespace emsdb::transfer {
namespace {

using client::ErrorInfoOf;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr int kMostAttempts = 50;
constexpr auto kLongestPause = milliseconds(100);
constexpr auto kResolvePatience = seconds(30);

std::shared_ptr<grpc::Channel> Dial(const std::string& address) {
  grpc::ChannelArguments arguments;
  // Callers of one process would share one connection, and one's flood would be the others'.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

// By the protocol's words: with `retryable` it may be repeated; ABORTED says to begin again.
bool MayBeRepeated(const absl::Status& status) {
  return ErrorInfoOf(status).retryable().value_or(status.code() == absl::StatusCode::kAborted);
}

Way AnyWay(Ways& ways, Engine engine) {
  constexpr std::array kAll = {Way::kBatch,  Way::kLease,      Way::kInlineCommit,
                               Way::kStream, Way::kResolvable, Way::kOneTrip};
  Way way = kAll[static_cast<std::size_t>(ways.Below(kAll.size()))];
  // An embedded database refuses nothing here, but has nothing to resolve.
  if (engine == Engine::kSqlite && way == Way::kResolvable) way = Way::kOneTrip;
  return way;
}

std::uint64_t NumberIn(const char* name, std::uint64_t otherwise) {
  const char* set = std::getenv(name);
  return set == nullptr ? otherwise : std::strtoull(set, nullptr, 10);
}

}  // namespace

std::uint64_t SeedOfThisRun() {
  return NumberIn("EMSDB_SEED",
                  static_cast<std::uint64_t>(
                      std::chrono::system_clock::now().time_since_epoch().count() % 1'000'000));
}

seconds LengthOfThisRun(seconds usual) {
  return seconds(NumberIn("EMSDB_TEST_SECONDS", static_cast<std::uint64_t>(usual.count())));
}

Office::Office(OfficeSetting setting) : setting_(std::move(setting)) {}

void Office::SetUp() const {
  const auto stub = v1::QueryService::NewStub(Dial(setting_.address));
  for (const std::string& sql : Schema(setting_.engine)) {
    v1::QueryRequest request;
    request.mutable_statement()->set_sql(sql);
    v1::QueryResponse response;
    const Answer answer = Ask(*stub, &v1::QueryService::Stub::Query, request, response, {});
    ASSERT_TRUE(answer.status.ok()) << answer.status << " of " << sql;
  }
}

bool Office::closed() const { return steady_clock::now() >= closes_; }

void Office::Work(steady_clock::duration length) {
  closes_ = steady_clock::now() + length;
  serving_ = setting_.callers;
  std::vector<std::thread> threads;
  for (int caller = 0; caller < setting_.callers; ++caller) {
    threads.emplace_back([this, caller] {
      Serve(caller);
      --serving_;
    });
  }
  threads.emplace_back([this] { WatchTheSum(); });
  for (std::thread& thread : threads) thread.join();
}

void Office::Serve(int caller) {
  const std::uint64_t seed = setting_.seed * 1000 + static_cast<std::uint64_t>(caller);
  Ways ways(Dial(setting_.address), setting_.engine, seed);
  Ways elsewhere(Dial(setting_.second_address), setting_.engine, seed + 500);
  while (!closed()) {
    Order order{.number = next_++,
                .source = 1 + ways.Below(kAccounts),
                .target = 1 + ways.Below(kAccounts - 1),
                .amount = 1 + ways.Below(120)};
    if (order.target >= order.source) ++order.target;
    Finish(order, ways, elsewhere);
  }
}

void Office::Finish(Order order, Ways& ways, Ways& elsewhere) {
  const Way way = AnyWay(ways, setting_.engine);
  for (order.attempt = 1; order.attempt <= kMostAttempts; ++order.attempt) {
    const auto began = steady_clock::now();
    Entry entry{order, way, ways.Go(way, order), std::nullopt};
    const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - began).count();
    if (std::int64_t longest = longest_ms_; took > longest) {
      while (took > longest && !longest_ms_.compare_exchange_weak(longest, took)) {
      }
    }
    bool again = false;
    if (entry.verdict.fate == Fate::kNothing) {
      again = !entry.verdict.answer.heard() || MayBeRepeated(entry.verdict.answer.status);
    } else if (const std::string& token = entry.verdict.answer.token;
               entry.verdict.fate != Fate::kDone && !token.empty()) {
      entry.told = (ways.Below(2) == 0 ? ways : elsewhere).Resolve(token, kResolvePatience);
      again = entry.told == v1::COMMIT_OUTCOME_ROLLED_BACK;
    }
    Judge(entry);
    const auto hint = ErrorInfoOf(entry.verdict.answer.status).retry_after;
    book_.Add(std::move(entry));
    if (!again || closed()) return;
    const auto pause = std::chrono::duration_cast<milliseconds>(hint.value_or(milliseconds(2)));
    std::this_thread::sleep_for(std::min<milliseconds>(pause, kLongestPause));
  }
}

void Office::Judge(const Entry& entry) const {
  const Verdict& verdict = entry.verdict;
  const absl::Status& status = verdict.answer.status;
  const client::ErrorInfo info = ErrorInfoOf(status);
  const std::string what = std::string(NameOf(entry.way)) + ": " + status.ToString();
  if (!verdict.impatient) {
    EXPECT_TRUE(verdict.answer.heard()) << "left alone; " << what;
  }
  if (!verdict.answer.heard()) return;
  EXPECT_TRUE(status.code() != absl::StatusCode::kUnknown || info.outcome_unknown()) << what;
  if (absl::IsUnavailable(status)) {
    EXPECT_EQ(verdict.fate, Fate::kNothing) << what;
  }
  if (!info.commit_token().empty()) {
    EXPECT_EQ(info.commit_token(), verdict.answer.token) << what;
  }
  if (verdict.fate == Fate::kUnknown && entry.way != Way::kOneTrip) {
    EXPECT_NE(verdict.answer.token, "") << "in doubt without a token; " << what;
  }
}

void Office::WatchTheSum() {
  const auto stub = v1::QueryService::NewStub(Dial(setting_.address));
  v1::QueryRequest request;
  request.mutable_statement()->set_sql("select cast(sum(balance) as bigint) from accounts");
  request.set_read_only(true);
  while (serving_ > 0) {
    v1::QueryResponse response;
    const Answer answer = Ask(*stub, &v1::QueryService::Stub::Query, request, response, {});
    EXPECT_TRUE(answer.heard()) << answer.status;
    if (answer.status.ok()) {
      ++sums_seen_;
      EXPECT_EQ(response.rows(0).values(0).int64_value(), kAccounts * kOpeningBalance);
    }
    std::this_thread::sleep_for(milliseconds(5));
  }
}

}  // namespace emsdb::transfer
